package keeper

import (
	"context"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// AddReshareHooks registers a module that is told of reshares of its keys. It panics
// as AddHooks does.
func (k *Keeper) AddReshareHooks(module string, hooks types.ReshareHooks) *Keeper {
	switch _, taken := k.hooks.reshares[module]; {
	case k.hooks.sealed:
		panic("x/mpc: reshare hooks of module " + module + " come too late; add them before the modules register their services")
	case taken:
		panic("x/mpc: reshare hooks of module " + module + " are added twice")
	case module == "" || hooks == nil:
		panic("x/mpc: reshare hooks need the name of a module and an implementation")
	}
	k.hooks.reshares[module] = hooks
	return k
}

// runReshared tells of a switch.
func (k *Keeper) runReshared(ctx context.Context, key types.Key, r types.Reshare) {
	k.runReshareHook(ctx, r, types.HookAfterKeyReshared, func(ctx context.Context, h types.ReshareHooks) error {
		return h.AfterKeyReshared(ctx, key, r)
	})
}

// runReshareHook tells the module of the reshare's key, apart.
func (k *Keeper) runReshareHook(
	ctx context.Context, r types.Reshare, name string, call func(context.Context, types.ReshareHooks) error,
) {
	if hooks, ok := k.hooks.reshares[r.Module]; ok {
		k.runApart(ctx, hookCall{module: r.Module, name: name, id: r.Id},
			func(ctx context.Context) error { return call(ctx, hooks) })
	}
}
