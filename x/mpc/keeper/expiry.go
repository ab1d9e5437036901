package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// EndBlock calls the hooks that results left for it, fails the requests whose time has
// come, because they expired or because it was decided that they fail, makes DELETED
// the keys whose retire height has come, prunes what was decided long ago, and looks
// whose participants have left, as many as one block may. It touches nothing else. The
// results of the block were applied before it.
//
// Of itself it never returns an error, which would halt the chain.
func (k *Keeper) EndBlock(ctx context.Context) error {
	var cost storetypes.Gas
	for _, queue := range []func(context.Context) ([]due, error){
		k.dueHooks, k.dueRequests, k.dueKeys, k.dueFaults, k.duePrunes, k.dueHealthChecks,
	} {
		cost += k.settle(ctx, cost, queue)
	}
	return nil
}

// dueRequests lists the requests whose time has come, the oldest first, up to the
// limit.
func (k *Keeper) dueRequests(ctx context.Context) (list []due, err error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err = k.requestExpiry.Walk(ctx, collections.NewPrefixUntilTripleRange[int64, uint32, string](height),
		func(at collections.Triple[int64, uint32, string]) (bool, error) {
			id := collections.Join(at.K2(), at.K3())
			list = append(list, due{
				name:   "request " + mpctypes.RequestID{Kind: mpctypes.RequestKind(at.K2()), ID: at.K3()}.String(),
				remove: func(ctx context.Context) error { return k.requestExpiry.Remove(ctx, at) },
				settle: func(ctx context.Context) error { return k.failDue(ctx, id) },
				enter: func(ctx context.Context, height int64) error {
					return k.requestExpiry.Set(ctx, collections.Join3(height, at.K2(), at.K3()))
				},
			})
			return len(list) == MaxExpiriesPerBlock, nil
		})
	if err != nil {
		return list, fmt.Errorf("list requests that are due: %w", err)
	}
	return list, nil
}

// failDue fails a request that was found by its time. Its key may have been
// deleted in the meantime, or it was closed by a hook just now.
func (k *Keeper) failDue(ctx context.Context, id requestKey) error {
	r, open, err := k.request(ctx, id)
	if err != nil || !open {
		return err
	}
	reason, condemned, err := k.condemned(ctx, id)
	if err != nil {
		return err
	}
	if !condemned {
		reason = mpctypes.ErrExpired
	}
	return k.failRequest(ctx, r, reason)
}

// dueKeys lists the DELETING keys that end at this height or before, the oldest
// first, up to the limit.
func (k *Keeper) dueKeys(ctx context.Context) (list []due, err error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err = k.keyRetirements.Walk(ctx, collections.NewPrefixUntilPairRange[int64, string](height),
		func(at collections.Pair[int64, string]) (bool, error) {
			list = append(list, due{
				name:   "key " + at.K2(),
				remove: func(ctx context.Context) error { return k.keyRetirements.Remove(ctx, at) },
				settle: func(ctx context.Context) error { return k.buryKey(ctx, at.K2()) },
				enter: func(ctx context.Context, height int64) error {
					return k.keyRetirements.Set(ctx, collections.Join(height, at.K2()))
				},
			})
			return len(list) == MaxBurialsPerBlock, nil
		})
	if err != nil {
		return list, fmt.Errorf("list keys that are due: %w", err)
	}
	return list, nil
}
