package keeper

import (
	"context"
	"fmt"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// HookGasLimit is what one call of a hook may use: nine calls of KeySign by a key of
// 16 participants (165,000 gas each), or two of KeyGen with 64 (634,000 each).
const HookGasLimit storetypes.Gas = 1_500_000

// maxHookErrorBytes bounds what a failed hook may write into an event.
const maxHookErrorBytes = 256

// hookRouter knows whose hooks belong to which module. It is filled and sealed
// at start-up, read afterwards.
type hookRouter struct {
	byModule map[string]types.Hooks
	sealed   bool
}

func newHookRouter() *hookRouter { return &hookRouter{byModule: make(map[string]types.Hooks)} }

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

// SealHooks ends the time for AddHooks. The module calls it when it registers its
// services.
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
// The gas is not charged to the caller: a result or an expiry has no payer, and a
// revocation must not become too expensive because of other people's hooks.
func (k *Keeper) runHook(ctx context.Context, h hookCall) {
	hooks, ok := k.hooks.byModule[h.module]
	if !ok {
		return
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	cached, write := sdkCtx.CacheContext()
	cached = cached.WithGasMeter(storetypes.NewGasMeter(HookGasLimit))
	if err := callHook(cached, hooks, h); err != nil {
		k.logger(ctx).Error("a module's hook failed and was rolled back", "module_of_hook", h.module, "hook", h.name, "id", h.id, "err", err)
		k.emit(ctx, &types.EventHookFailed{Module: h.module, Hook: h.name, Id: h.id, Error: clip(err.Error(), maxHookErrorBytes)})
		return
	}
	write()
}

func callHook(ctx context.Context, hooks types.Hooks, h hookCall) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicError(r)
		}
	}()
	return h.call(ctx, hooks)
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
