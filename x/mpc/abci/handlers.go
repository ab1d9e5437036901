package abci

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"cosmossdk.io/log/v2"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// ResultSource is where a proposer gets results from: the engine's pool.
type ResultSource interface {
	// Results returns what this node holds. It must not block: consensus waits.
	// The caller does not change what it gets.
	Results() mpctypes.Results
}

// Keeper is what the handlers need of x/mpc's keeper.
type Keeper interface {
	// Params are the limits of bundles, among others.
	Params(context.Context) (types.Params, error)
	// ForBundle is the context in which the results of one bundle are applied: it
	// bounds their work.
	ForBundle(sdk.Context) sdk.Context
	// CheckAttestation says, as the other Checks do of theirs, whether it would apply to
	// this state, without changing it.
	CheckAttestation(context.Context, *mpctypes.Attestation) error
	// CheckSignature is of a finished signature.
	CheckSignature(context.Context, *mpctypes.SignatureResult) error
	// CheckEvidence is of proof of equivocation.
	CheckEvidence(context.Context, mpctypes.Evidence) error
	// CheckAccusation is of a member's word against another.
	CheckAccusation(context.Context, *mpctypes.Accusation) error
	// ApplyAttestation checks and applies, as the other Applys do. After an error the
	// state is undefined: the caller drops it.
	ApplyAttestation(context.Context, *mpctypes.Attestation) error
	// ApplySignature finishes the request for a signature.
	ApplySignature(context.Context, *mpctypes.SignatureResult) error
	// ApplyEvidence records a fault that is proven.
	ApplyEvidence(context.Context, mpctypes.Evidence) error
	// ApplyAccusation records a fault that is said.
	ApplyAccusation(context.Context, *mpctypes.Accusation) error
}

// Handlers makes the wrappers. All nodes of a chain must wrap the same phases.
type Handlers struct {
	keeper  Keeper
	source  ResultSource
	decoder sdk.TxDecoder
	logger  log.Logger
}

// Option changes Handlers.
type Option func(*Handlers)

// WithTxDecoder lets the handlers look into transactions. A chain whose
// ProcessProposal lets everything pass, as the SDK's does without an application
// mempool, needs it for two things:
//
//   - ProcessProposal refuses proposals whose transactions ask for more gas than a block
//     may have (MaxGas of the consensus parameters). Otherwise only honest proposers
//     keep to that, for executors count no gas of blocks. PrepareProposal makes none.
//   - The TxRunner wrapper gives its constant receipt to transactions that cannot be
//     decoded, too, for when nodes may use different executors: they report different
//     gas for them, and gas is part of the hash of a block's results.
func WithTxDecoder(decoder sdk.TxDecoder) Option {
	return func(h *Handlers) { h.decoder = decoder }
}

// NewHandlers makes the handlers of an app. A nil source has no results; use a
// Holder for one that comes later.
func NewHandlers(keeper Keeper, source ResultSource, logger log.Logger, opts ...Option) *Handlers {
	h := &Handlers{keeper: keeper, source: source, logger: logger.With("module", "x/"+types.ModuleName)}
	for _, opt := range opts {
		opt(h)
	}
	return h
}

// Holder is a ResultSource whose real source is set later: an app exists before
// its node's engine does. The zero value has no results.
type Holder struct{ source atomic.Pointer[ResultSource] }

// Set replaces the source; nil takes it away.
func (h *Holder) Set(source ResultSource) {
	if source == nil {
		h.source.Store(nil)
		return
	}
	h.source.Store(&source)
}

// Results implements ResultSource.
func (h *Holder) Results() mpctypes.Results {
	if source := h.source.Load(); source != nil {
		return (*source).Results()
	}
	return mpctypes.Results{}
}

// recovered runs f, reports a panic and turns it into an error without a reason. What
// executes a block calls executed.
func (h *Handlers) recovered(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = h.caught(r)
		}
	}()
	return f()
}

// executed is recovered but for what only this node cannot do.
func (h *Handlers) executed(f func() error) (err error) {
	defer func() {
		r := recover()
		switch {
		case types.LocalFailure(r):
			h.logger.Error(types.LocalFailureAdvice, "err", fmt.Sprint(r))
			panic(r)
		case r != nil:
			err = h.caught(r)
		}
	}()
	return f()
}

func (h *Handlers) caught(r any) error {
	h.logger.Error("a panic was caught; please report this", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	return fmt.Errorf("panic: %v", r)
}

// leaveOut says why a result is left out. A typed reason is nothing special: it came
// too late, or somebody lies. Anything else is a mistake of the program, or a store
// that cannot be read.
func (h *Handlers) leaveOut(ctx sdk.Context, what, request string, err error) {
	if types.ReasonOf(err) != "" {
		h.logger.Debug(what, "height", ctx.BlockHeight(), "request", request, "err", err)
		return
	}
	h.logger.Error(what+"; please report this", "height", ctx.BlockHeight(), "request", request, "err", err)
}

// withoutBundles copies a list of transactions without what looks like a bundle.
func withoutBundles(txs [][]byte) [][]byte {
	kept := make([][]byte, 0, len(txs))
	for _, tx := range txs {
		if !types.IsBundle(tx) {
			kept = append(kept, tx)
		}
	}
	return kept
}
