package keeper

import (
	"context"
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// faultHooks are those of one module.
type faultHooks struct {
	module string
	hooks  types.FaultHooks
}

// AddFaultHooks registers a module that is told of every fault. It panics as
// AddHooks does.
func (k *Keeper) AddFaultHooks(module string, hooks types.FaultHooks) *Keeper {
	i, taken := slices.BinarySearchFunc(k.hooks.faults, module, func(f faultHooks, name string) int {
		return strings.Compare(f.module, name)
	})
	switch {
	case k.hooks.sealed:
		panic("x/mpc: fault hooks of module " + module + " come too late; add them before the modules register their services")
	case taken:
		panic("x/mpc: fault hooks of module " + module + " are added twice")
	case module == "" || hooks == nil:
		panic("x/mpc: fault hooks need the name of a module and an implementation")
	}
	k.hooks.faults = slices.Insert(k.hooks.faults, i, faultHooks{module, hooks})
	return k
}

// runFaultHooks tells all of them, each apart.
func (k *Keeper) runFaultHooks(ctx context.Context, f types.Fault) {
	for _, to := range k.hooks.faults {
		k.runApart(ctx, hookCall{module: to.module, name: "AfterFault", id: f.Participant},
			func(ctx context.Context) error { return to.hooks.AfterFault(ctx, f) })
	}
}
