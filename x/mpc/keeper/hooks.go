package keeper

import (
	"context"
	"fmt"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// HookGasLimit is what one call of a hook may use: eight calls of KeySign by a key of
// 16 participants (167,000 gas each), or two of KeyGen with 64 (634,000 each), or one
// of KeyReshare with 64 (1,360,000), or KeyDelete of a key with 200 open requests
// (6,100 each).
const HookGasLimit storetypes.Gas = 1_500_000

// MaxNestedHooks bounds how deep hooks may cause each other. Gas alone ends it, too,
// but at a depth that depends on prices, and a stack that overflows cannot be
// recovered. Four is twice what a module needs that replaces a key when it fails
// and deletes the old one.
const MaxNestedHooks = 4

// maxHookErrorBytes bounds what a failed hook may write into an event.
const maxHookErrorBytes = 256

// hookRouter knows whose hooks belong to which module. It is filled and sealed
// at start-up, read afterwards.
type hookRouter struct {
	byModule map[string]types.Hooks
	reshares map[string]types.ReshareHooks
	// faults are told of everything, in the order of the modules' names.
	faults []faultHooks
	sealed bool
}

func newHookRouter() *hookRouter {
	return &hookRouter{byModule: make(map[string]types.Hooks), reshares: make(map[string]types.ReshareHooks)}
}

// AddHooks registers the hooks of a module. It panics if it is called twice for
// a module, without hooks, or after the keeper was sealed: the app is wired
// wrongly then, and its nodes would disagree.
func (k *Keeper) AddHooks(module string, hooks types.Hooks) *Keeper {
	switch _, taken := k.hooks.byModule[module]; {
	case k.hooks.sealed:
		panic("x/mpc: hooks of module " + module + " come too late; add them before the modules register their services")
	case taken:
		panic("x/mpc: hooks of module " + module + " are added twice")
	case module == "" || hooks == nil:
		panic("x/mpc: hooks need the name of a module and an implementation")
	}
	k.hooks.byModule[module] = hooks
	return k
}

// SealHooks ends the time for AddHooks, AddReshareHooks and AddFaultHooks. The module
// calls it when it registers its services.
func (k *Keeper) SealHooks() { k.hooks.sealed = true }

// hookCall is one call of one hook of whatever module asked.
type hookCall struct {
	module string
	name   string
	// id is the key's or the signature's.
	id   string
	call func(context.Context, types.Hooks) error
}

// runHook calls a hook in a cache context of its own. Nothing that the hook does
// can fail the caller: an error, a panic and running out of gas are rolled back
// and reported by an event.
//
// The gas is not charged to a transaction that is the cause: a deletion must not
// become too expensive because of other people's hooks. It counts for the work
// that the call is part of. A hook that a hook causes has only what is left to the
// outer one, and its gas is the outer one's, whether it fails or not; so whatever
// hooks cause each other to do, it costs no more than HookGasLimit together.
func (k *Keeper) runHook(ctx context.Context, h hookCall) {
	if hooks, ok := k.hooks.byModule[h.module]; ok {
		k.runApart(ctx, h, func(ctx context.Context) error { return h.call(ctx, hooks) })
	}
}

// runApart is what runHook promises.
func (k *Keeper) runApart(ctx context.Context, h hookCall, call func(context.Context) error) {
	outer, inWork := workOf(ctx)
	limit := HookGasLimit
	if inWork {
		limit = min(limit, outer.meter.GasRemaining())
	}
	meter := storetypes.NewGasMeter(limit)
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	err := callHook(withWork(cached, work{meter: meter, hooks: outer.hooks + 1}), call)
	if inWork {
		outer.meter.ConsumeGas(meter.GasConsumedToLimit(), "hook")
	}
	if err != nil {
		k.logger(ctx).Error("a module's hook failed and was rolled back", "module_of_hook", h.module, "hook", h.name, "id", h.id, "err", err)
		k.emit(ctx, &types.EventHookFailed{Module: h.module, Hook: h.name, Id: h.id, Error: clip(err.Error(), maxHookErrorBytes)})
		return
	}
	write()
}

func callHook(ctx context.Context, call func(context.Context) error) (err error) {
	if w, _ := workOf(ctx); w.hooks > MaxNestedHooks {
		return fmt.Errorf("%d hooks are inside of each other, the limit", MaxNestedHooks)
	}
	defer func() {
		r := recover()
		if types.LocalFailure(r) {
			panic(r) // whoever executes the block stops there
		}
		if r != nil {
			err = panicError(r)
		}
	}()
	return call(ctx)
}

// panicError describes a recovered value in the same words on every node: a
// pointer's address, which %v would print, differs between them.
func panicError(recovered any) error {
	switch r := recovered.(type) {
	case storetypes.ErrorOutOfGas:
		return fmt.Errorf("out of gas: %s", r.Descriptor)
	case storetypes.ErrorGasOverflow:
		return fmt.Errorf("gas overflow: %s", r.Descriptor)
	case error:
		return fmt.Errorf("panic: %w", r)
	case string:
		return fmt.Errorf("panic: %s", r)
	}
	return fmt.Errorf("panic of type %T", recovered)
}

func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	return s[:max]
}
