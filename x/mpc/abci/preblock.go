package abci

import (
	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// PreBlocker applies the bundle at position 0 after the chain's own PreBlocker,
// whose answer and error are passed on as they are. Of itself it never returns
// an error, which would halt the chain: an entry that does not apply is skipped
// and leaves no trace.
//
// Results are applied before the EndBlocker of the same block looks for expired
// requests, so a result in the last possible block counts.
func (h *Handlers) PreBlocker(inner sdk.PreBlocker) sdk.PreBlocker {
	return func(ctx sdk.Context, req *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
		resp := &sdk.ResponsePreBlock{}
		if inner != nil {
			var err error
			if resp, err = inner(ctx, req); err != nil {
				return resp, err
			}
		}
		if len(req.Txs) > 0 && types.IsBundle(req.Txs[0]) {
			h.applyBundle(ctx, req.Txs[0])
		}
		return resp, nil
	}
}

// applyBundle applies what it can. The limits are the greatest that parameters
// could ever set: the chain decided these bytes, and each entry proves itself.
func (h *Handlers) applyBundle(ctx sdk.Context, bundle []byte) {
	var results mpctypes.Results
	err := h.executed(func() (err error) {
		results, err = types.DecodeBundle(bundle, types.MaxBundle)
		return err
	})
	if err != nil {
		h.logger.Error("the block's bundle is skipped", "height", ctx.BlockHeight(), "err", err)
		return
	}
	ctx = h.keeper.ForBundle(ctx)
	h.applyEvidence(ctx, results.Evidence)
	h.applyAccusations(ctx, results.Accusations, false)
	for i := range results.Attestations {
		a := &results.Attestations[i]
		h.applyAlone(ctx, a.Request.String(), func(ctx sdk.Context) error { return h.keeper.ApplyAttestation(ctx, a) })
	}
	for i := range results.Signatures {
		s := &results.Signatures[i]
		h.applyAlone(ctx, "sign/"+s.RequestID, func(ctx sdk.Context) error { return h.keeper.ApplySignature(ctx, s) })
	}
	h.applyAccusations(ctx, results.Accusations, true)
}

// applyEvidence comes before the results: those close requests, and a fault needs
// its request.
func (h *Handlers) applyEvidence(ctx sdk.Context, evidence []mpctypes.Evidence) {
	for _, e := range evidence {
		h.applyAlone(ctx, e.Request().String(), func(ctx sdk.Context) error { return h.keeper.ApplyEvidence(ctx, e) })
	}
}

// applyAccusations applies either those of others, which come before the results, too, or
// refusals, which come after them: those may end a request, and whoever refuses what
// enough others signed does not undo that.
func (h *Handlers) applyAccusations(ctx sdk.Context, accusations []mpctypes.Accusation, refusals bool) {
	for i := range accusations {
		a := &accusations[i]
		if a.IsRefusal() != refusals {
			continue
		}
		h.applyAlone(ctx, a.Request.String(), func(ctx sdk.Context) error { return h.keeper.ApplyAccusation(ctx, a) })
	}
}

// applyAlone gives an entry a cache context of its own and drops it whole if it
// fails, unless it is this node that fails.
func (h *Handlers) applyAlone(ctx sdk.Context, request string, apply func(sdk.Context) error) {
	cached, write := ctx.CacheContext()
	if err := h.executed(func() error { return apply(cached) }); err != nil {
		h.leaveOut(ctx, "a result of the block's bundle is skipped", request, err)
		return
	}
	write()
}
