package keeper

import (
	"context"
	"runtime/debug"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Limits of one block's end; what is beyond follows in the next blocks, in the
// same order on all nodes.
const (
	// MaxExpiriesPerBlock bounds the requests that fail in one block. One of 16
	// members touches about 40 entries of the store, so 500 touch 20,000: some
	// tenths of a second (BenchmarkSettle). The default max_pending (1000) is done in
	// two blocks, the greatest (10,000) in 20.
	MaxExpiriesPerBlock = 500
	// MaxBurialsPerBlock bounds the keys that become DELETED in one block. One
	// touches a few entries of the store and one for each holder, so 500 of 16 holders
	// touch 10,000: half of what as many expiries do. What counts is the hook of its module.
	MaxBurialsPerBlock = 500
	// EndBlockGas bounds the work of one block's end, on all queues: what the store and
	// the hooks cost. A million of gas is about ten milliseconds, so that is half a
	// second. 500 requests of 16 members without hooks cost half of it (both:
	// BenchmarkSettle); with hooks that use up HookGasLimit it is enough for 30.
	EndBlockGas storetypes.Gas = 50_000_000
	// QueueGas is what a queue gets though those before it used EndBlockGas up, so that
	// none waits for another one to be empty: 3 hooks that use up HookGasLimit, or a
	// hundred requests. If all five others need it, and each goes beyond it by a hook,
	// the end of a block takes eight tenths of a second.
	QueueGas storetypes.Gas = EndBlockGas / 10
	// RetryBlocks is when an entry that could not be settled has its next turn. So
	// entries that fail for good take a place in one of a thousand blocks each: half
	// a million of them would have to come together before others wait for them.
	// What broke them can only be mended by an upgrade of the chain.
	RetryBlocks = 1000
)

// due is an entry of one of the queues by height, whose time has come.
type due struct {
	name string
	// remove takes it out of the queue, settle does what was due, enter puts it
	// back at another height.
	remove, settle func(context.Context) error
	enter          func(ctx context.Context, height int64) error
}

// settle does what a queue has for this block, as far as the limits allow. before is what
// the queues before it cost.
//
// Each entry is done in a cache context of its own. One that fails or panics has
// no effect, is reported, and steps aside for RetryBlocks: neither may it halt
// the chain, nor hold up those behind it.
//
// It returns what it cost.
func (k *Keeper) settle(ctx context.Context, before storetypes.Gas, list func(context.Context) ([]due, error)) storetypes.Gas {
	meter := storetypes.NewInfiniteGasMeter()
	ctx = withWork(sdk.UnwrapSDKContext(ctx), work{meter: meter})
	entries, err := list(ctx)
	if err != nil {
		k.logger(ctx).Error("a queue of the end of a block cannot be read; please report this", "err", err)
	}
	for i, e := range entries {
		cost := meter.GasConsumed()
		if i > 0 && cost >= QueueGas && before+cost >= EndBlockGas { // one is always done
			break
		}
		k.settleOne(ctx, e)
	}
	return meter.GasConsumed()
}

func (k *Keeper) settleOne(ctx context.Context, e due) {
	err := k.alone(ctx, func(ctx context.Context) error {
		if err := e.remove(ctx); err != nil {
			return err
		}
		return e.settle(ctx)
	})
	if err == nil {
		return
	}
	until := sdk.UnwrapSDKContext(ctx).BlockHeight() + RetryBlocks
	k.logger(ctx).Error("the end of a block left something undone; please report this", "what", e.name, "again_at", until, "err", err)
	err = k.alone(ctx, func(ctx context.Context) error {
		if err := e.remove(ctx); err != nil {
			return err
		}
		return e.enter(ctx, until)
	})
	if err != nil {
		k.logger(ctx).Error("what was left undone cannot step aside either", "what", e.name, "err", err)
	}
}

// alone runs do in a cache context of its own, which it drops whole if do fails
// or panics: in EndBlock either would halt the chain. A failure of this node's disk does
// halt this node.
func (k *Keeper) alone(ctx context.Context, do func(context.Context) error) (err error) {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	defer func() {
		r := recover()
		if types.LocalFailure(r) {
			k.logger(ctx).Error(types.LocalFailureAdvice, "err", panicError(r))
			panic(r)
		}
		if r != nil {
			k.logger(ctx).Error("a panic was caught; please report this", "stack", string(debug.Stack()))
			err = panicError(r)
		}
	}()
	if err := do(cached); err != nil {
		return err
	}
	write()
	return nil
}
