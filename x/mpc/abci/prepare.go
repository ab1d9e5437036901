package abci

import (
	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// bundleShare is the part of a block that a bundle may take at most: one of so
// many, whatever the parameters say, so that small blocks still carry
// transactions.
const bundleShare = 4

// PrepareProposal proposes this node's results before what inner proposes, and
// leaves inner the bytes that remain. Nothing that goes wrong here or in inner
// can fail the proposal:
//
//   - without usable results inner has the whole block;
//   - if inner returns an error, panics or returns nothing, the transactions that
//     came with the request are proposed, as baseapp would;
//   - the result never exceeds the request's MaxTxBytes, which CometBFT would
//     answer with a panic of the proposer: the bundle is dropped first, then
//     transactions from the end;
//   - nor does it ask for more gas than ProcessProposal lets pass, see WithTxDecoder.
func (h *Handlers) PrepareProposal(inner sdk.PrepareProposalHandler) sdk.PrepareProposalHandler {
	return func(ctx sdk.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
		bundle := h.bundle(ctx, req.MaxTxBytes)
		left := *req
		left.Txs = withoutBundles(req.Txs)
		if bundle != nil {
			left.MaxTxBytes -= protoSize(bundle)
		}

		txs := h.affordable(ctx, h.innerTxs(ctx, inner, &left))
		if bundle != nil {
			all := append([][]byte{bundle}, txs...)
			if protoSize(all...) <= req.MaxTxBytes {
				return &abci.ResponsePrepareProposal{Txs: all}, nil
			}
			h.logger.Info("this proposal goes without a bundle: the transactions leave no room", "height", req.Height)
		}
		return &abci.ResponsePrepareProposal{Txs: fitting(txs, req.MaxTxBytes)}, nil
	}
}

// innerTxs asks inner, and takes the request's own transactions if that fails.
func (h *Handlers) innerTxs(ctx sdk.Context, inner sdk.PrepareProposalHandler, req *abci.RequestPrepareProposal) [][]byte {
	var resp *abci.ResponsePrepareProposal
	err := h.recovered(func() (err error) {
		resp, err = inner(ctx, req)
		return err
	})
	if err != nil || resp == nil {
		h.logger.Error("the chain's own PrepareProposal failed; proposing what the mempool gave", "height", req.Height, "err", err)
		return fitting(withoutBundles(req.Txs), req.MaxTxBytes)
	}
	return withoutBundles(resp.Txs)
}

// bundle makes the bundle of a proposal out of the results that would apply to
// the last committed state; nil if there is none.
func (h *Handlers) bundle(ctx sdk.Context, maxTxBytes int64) []byte {
	if h.source == nil {
		return nil
	}
	var bundle []byte
	err := h.recovered(func() (err error) {
		bundle, err = h.buildBundle(ctx, maxTxBytes)
		return err
	})
	if err != nil {
		h.logger.Error("this proposal goes without a bundle", "height", ctx.BlockHeight(), "err", err)
		return nil
	}
	return bundle
}

func (h *Handlers) buildBundle(ctx sdk.Context, maxTxBytes int64) ([]byte, error) {
	params, err := h.keeper.Params(ctx)
	if err != nil {
		return nil, err
	}
	limits := params.BundleLimits()
	limits.Bytes = int(min(int64(limits.Bytes), maxTxBytes/bundleShare))
	builder := types.NewBundleBuilder(limits)
	// A look at the state must leave no trace in the state that inner gets.
	branch, _ := ctx.CacheContext()
	h.addResults(branch, builder, h.source.Results())
	return builder.Encode()
}

// maxFailedChecks of one kind of results that do not apply are looked at for one
// proposal: the others wait for the next one, until the engine forgets these.
const maxFailedChecks = 1000

// addResults adds what applies, signatures first: they are small, and somebody
// waits for them; accusations last. One bad result does not cost the others.
func (h *Handlers) addResults(ctx sdk.Context, builder *types.BundleBuilder, results mpctypes.Results) {
	addKind(h, ctx, results.Signatures, builder.AddSignature,
		func(s *mpctypes.SignatureResult) string { return s.RequestID },
		func(s *mpctypes.SignatureResult) error { return h.keeper.CheckSignature(ctx, s) })
	addKind(h, ctx, results.Attestations, builder.AddAttestation,
		func(a *mpctypes.Attestation) string { return a.Request.String() },
		func(a *mpctypes.Attestation) error { return h.keeper.CheckAttestation(ctx, a) })
	addKind(h, ctx, results.Evidence,
		func(e *mpctypes.Evidence) bool { return builder.AddEvidence(*e) },
		func(e *mpctypes.Evidence) string { return e.Request().String() },
		func(e *mpctypes.Evidence) error { return h.keeper.CheckEvidence(ctx, *e) })
	addKind(h, ctx, results.Accusations, builder.AddAccusation,
		func(a *mpctypes.Accusation) string { return a.Request.String() },
		func(a *mpctypes.Accusation) error { return h.keeper.CheckAccusation(ctx, a) })
}

// addKind adds what passes the check until the bundle is full.
func addKind[R any](h *Handlers, ctx sdk.Context, results []R, add func(*R) bool, id func(*R) string, check func(*R) error) {
	for i, failed := 0, 0; i < len(results) && failed < maxFailedChecks; i++ {
		r := &results[i]
		err := h.recovered(func() error { return check(r) })
		switch {
		case err != nil:
			failed++
			h.leaveOut(ctx, "a result does not go into the bundle", id(r), err)
		case !add(r):
			return
		}
	}
}

// protoSize is how CometBFT counts transactions against MaxTxBytes.
func protoSize(txs ...[]byte) int64 {
	var total int64
	for _, tx := range txs {
		total += cmttypes.ComputeProtoSizeForTxs([]cmttypes.Tx{tx})
	}
	return total
}

// fitting takes transactions in order, leaving out those that no longer fit.
func fitting(txs [][]byte, maxBytes int64) [][]byte {
	kept := make([][]byte, 0, len(txs))
	for _, tx := range txs {
		size := protoSize(tx)
		if size > maxBytes {
			continue
		}
		maxBytes -= size
		kept = append(kept, tx)
	}
	return kept
}
