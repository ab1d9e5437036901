package abci

import (
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// ProcessProposal refuses a proposal whose bundle is not canonical, goes beyond
// the chain's limits, holds an entry that would not apply to the last committed
// state, or stands anywhere but at position 0. No bundle is always right. With
// WithTxDecoder it refuses transactions that ask for more gas than a block has.
// inner judges the rest.
//
// The verdict depends on the bytes and on committed state alone, so all correct
// nodes agree. A node that cannot read its own state refuses for itself; if it
// accepted, the PreBlocker would still verify everything.
func (h *Handlers) ProcessProposal(inner sdk.ProcessProposalHandler) sdk.ProcessProposalHandler {
	return func(ctx sdk.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
		refuse := func(why string, err error) (*abci.ResponseProcessProposal, error) {
			h.logger.Error("refusing a proposal "+why, "height", req.Height, "proposer", fmt.Sprintf("%X", req.ProposerAddress), "err", err)
			return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
		}
		if err := h.recovered(func() error { return h.judge(ctx, req.Txs) }); err != nil {
			return refuse("for its bundle", err)
		}
		rest := *req
		rest.Txs = withoutBundles(req.Txs)
		if err := h.recovered(func() error { return h.judgeGas(ctx, rest.Txs) }); err != nil {
			return refuse("for its gas", err)
		}
		var resp *abci.ResponseProcessProposal
		err := h.recovered(func() (err error) {
			resp, err = inner(ctx, &rest)
			return err
		})
		if err != nil || resp == nil {
			return refuse("because the chain's own ProcessProposal failed", err)
		}
		return resp, nil
	}
}

// judge checks the bundle of a proposal, if it has one.
func (h *Handlers) judge(ctx sdk.Context, txs [][]byte) error {
	for i, tx := range txs {
		if i > 0 && types.IsBundle(tx) {
			return types.ErrBadBundle.Wrapf("a bundle at position %d", i)
		}
	}
	if len(txs) == 0 || !types.IsBundle(txs[0]) {
		return nil
	}
	params, err := h.keeper.Params(ctx)
	if err != nil {
		return err
	}
	results, err := types.DecodeBundle(txs[0], params.BundleLimits())
	if err != nil {
		return err
	}
	// Checks leave no trace in the state that inner gets.
	branch, _ := ctx.CacheContext()
	for i := range results.Attestations {
		if err := h.keeper.CheckAttestation(branch, &results.Attestations[i]); err != nil {
			return types.ErrBadBundle.Wrapf("attestation %d: %s", i, err)
		}
	}
	for i := range results.Signatures {
		if err := h.keeper.CheckSignature(branch, &results.Signatures[i]); err != nil {
			return types.ErrBadBundle.Wrapf("signature %d: %s", i, err)
		}
	}
	return h.judgeFaults(branch, results)
}

func (h *Handlers) judgeFaults(ctx sdk.Context, results mpctypes.Results) error {
	for i, e := range results.Evidence {
		if err := h.keeper.CheckEvidence(ctx, e); err != nil {
			return types.ErrBadBundle.Wrapf("evidence %d: %s", i, err)
		}
	}
	for i := range results.Accusations {
		if err := h.keeper.CheckAccusation(ctx, &results.Accusations[i]); err != nil {
			return types.ErrBadBundle.Wrapf("accusation %d: %s", i, err)
		}
	}
	return nil
}
