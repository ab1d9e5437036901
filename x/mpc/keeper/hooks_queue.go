package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Limits of the hooks that results cause. No result waits for them.
const (
	// BundleGas is what the application of one bundle, store and hooks, may have cost
	// when it calls one more hook: 33 hooks that use up HookGasLimit. A million of gas
	// is about ten milliseconds, so that is half a second; without it, 1024 results
	// (MaxBundleEntries) with such hooks would be fifteen seconds. The results after it
	// are applied all the same, their hooks are called at the end of the block, or of
	// the next ones.
	BundleGas storetypes.Gas = 50_000_000
	// MaxQueuedHooksPerBlock bounds the queued hooks of one block's end. What counts is
	// EndBlockGas; this bounds the list.
	MaxQueuedHooksPerBlock = 500
)

// queuedHook names a hook that waits for the end of a block: since which height, the
// hook, the id of its key, signature or reshare, or the participant, and of a fault its place.
type queuedHook = collections.Quad[int64, string, string, string]

// ForBundle is the context in which the results of one bundle are applied: together
// they call hooks at once up to BundleGas.
func (k *Keeper) ForBundle(ctx sdk.Context) sdk.Context {
	return withWork(ctx, work{meter: storetypes.NewInfiniteGasMeter(), enough: BundleGas})
}

// runResultHook calls the hook of a result, or queues it if its bundle cost enough.
func (k *Keeper) runResultHook(ctx context.Context, h hookCall) error {
	if w, _ := workOf(ctx); !w.spent() {
		k.runHook(ctx, h)
		return nil
	}
	if _, ok := k.hooks.byModule[h.module]; !ok {
		return nil // nobody to tell
	}
	return k.queueHook(ctx, h.name, h.id, "")
}

// runResultReshareHook is the same for who is told of a switch.
func (k *Keeper) runResultReshareHook(ctx context.Context, key types.Key, r types.Reshare) error {
	if w, _ := workOf(ctx); !w.spent() {
		k.runReshared(ctx, key, r)
		return nil
	}
	if _, ok := k.hooks.reshares[r.Module]; !ok {
		return nil
	}
	return k.queueHook(ctx, types.HookAfterKeyReshared, r.Id, "")
}

// runResultFaultHooks is the same for those who are told of faults.
func (k *Keeper) runResultFaultHooks(ctx context.Context, f types.Fault) error {
	if w, _ := workOf(ctx); !w.spent() {
		k.runFaultHooks(ctx, f)
		return nil
	}
	if len(k.hooks.faults) == 0 {
		return nil
	}
	return k.queueHook(ctx, types.HookAfterFault, f.Participant, f.Place())
}

func (k *Keeper) queueHook(ctx context.Context, hook, id, place string) error {
	q := collections.Join4(sdk.UnwrapSDKContext(ctx).BlockHeight(), hook, id, place)
	if err := k.queuedHooks.Set(ctx, q); err != nil {
		return fmt.Errorf("queue %s of %s: %w", hook, id, err)
	}
	return nil
}

// dueHooks lists the queued hooks, the oldest first, up to the limit.
func (k *Keeper) dueHooks(ctx context.Context) (list []due, err error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err = k.queuedHooks.Walk(ctx, collections.NewPrefixUntilQuadRange[int64, string, string, string](height),
		func(q queuedHook) (bool, error) {
			list = append(list, due{
				name:   q.K2() + " of " + q.K3(),
				remove: func(ctx context.Context) error { return k.queuedHooks.Remove(ctx, q) },
				settle: func(ctx context.Context) error { return k.callQueued(ctx, q) },
				enter: func(ctx context.Context, height int64) error {
					return k.queuedHooks.Set(ctx, collections.Join4(height, q.K2(), q.K3(), q.K4()))
				},
			})
			return len(list) == MaxQueuedHooksPerBlock, nil
		})
	if err != nil {
		return list, fmt.Errorf("list queued hooks: %w", err)
	}
	return list, nil
}

// oldestQueuedHook is the height since which a hook waits.
func (k *Keeper) oldestQueuedHook(ctx context.Context) (height int64, is bool, err error) {
	err = k.queuedHooks.Walk(ctx, nil, func(q queuedHook) (bool, error) {
		height, is = q.K1(), true
		return true, nil
	})
	if err != nil {
		err = fmt.Errorf("find the oldest queued hook: %w", err)
	}
	return height, is, err
}

// callQueued calls a hook that waited, with what it is about as that is now: the key
// may have been deleted in the meantime. An accusation that lapsed before its turn says
// nothing any more, nor does a signature or a reshare that was pruned.
func (k *Keeper) callQueued(ctx context.Context, q queuedHook) error {
	switch q.K2() {
	case types.HookAfterKeyReady:
		key, err := k.Key(ctx, q.K3())
		if err != nil {
			return err
		}
		k.runHook(ctx, keyReadyHook(key))
	case types.HookAfterSignatureReady:
		s, err := k.Signature(ctx, q.K3())
		switch {
		case errors.Is(err, types.ErrPruned):
			return nil
		case err != nil:
			return err
		}
		k.runHook(ctx, signatureReadyHook(s))
	case types.HookAfterKeyReshared:
		r, err := k.Reshare(ctx, q.K3())
		switch {
		case errors.Is(err, types.ErrPruned):
			return nil
		case err != nil:
			return err
		}
		key, err := k.Key(ctx, r.KeyId)
		if err != nil {
			return err
		}
		k.runReshared(ctx, key, r)
	case types.HookAfterFault:
		f, err := k.faults.Get(ctx, collections.Join(q.K3(), q.K4()))
		switch {
		case errors.Is(err, collections.ErrNotFound):
			return nil
		case err != nil:
			return fmt.Errorf("load fault: %w", err)
		}
		k.runFaultHooks(ctx, f)
	default:
		return fmt.Errorf("%s is no hook of a result", q.K2())
	}
	return nil
}

func keyReadyHook(key types.Key) hookCall {
	return hookCall{key.Module, types.HookAfterKeyReady, key.Id, func(ctx context.Context, h types.Hooks) error {
		return h.AfterKeyReady(ctx, key)
	}}
}

func signatureReadyHook(s types.Signature) hookCall {
	return hookCall{s.Module, types.HookAfterSignatureReady, s.Id, func(ctx context.Context, h types.Hooks) error {
		return h.AfterSignatureReady(ctx, s)
	}}
}
