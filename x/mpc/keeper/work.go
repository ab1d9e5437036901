package keeper

import (
	"context"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// work is what a context belongs to when no transaction pays for it: a bundle of
// results, the end of a block, or a hook. Everything that it causes is counted on its
// meter, hooks inside of hooks too.
type work struct {
	meter storetypes.GasMeter
	// hooks is how many hooks are around this one.
	hooks int
	// enough is what the work may have cost when it calls a hook of a result: later
	// ones are queued. 0 is no limit.
	enough storetypes.Gas
}

// spent reports whether hooks of results have to wait for the end of the block.
func (w work) spent() bool { return w.enough > 0 && w.meter.GasConsumed() >= w.enough }

type workKey struct{}

// withWork makes a context part of some work.
func withWork(ctx sdk.Context, w work) sdk.Context {
	return ctx.WithGasMeter(w.meter).WithValue(workKey{}, w)
}

// workOf finds the work that a context is part of; none for a transaction or a query.
func workOf(ctx context.Context) (work, bool) {
	w, ok := ctx.Value(workKey{}).(work)
	return w, ok
}

// unpaid is the context for what its cause does not pay: a revocation or a
// deletion must not become too expensive because many requests of other people
// are open. Inside of work it counts as everything else does.
func unpaid(ctx context.Context) sdk.Context {
	meter := storetypes.NewInfiniteGasMeter()
	if w, ok := workOf(ctx); ok {
		meter = w.meter
	}
	return sdk.UnwrapSDKContext(ctx).WithGasMeter(meter)
}
