package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// EndBlock fails the requests whose expiry height has come, and makes DELETED the
// keys whose retire height has come. It touches nothing else. The results of the
// block were applied before it.
//
// Each entry is done in a cache context of its own. One that fails is logged and
// left for the next block: it is not worth the chain.
func (k *Keeper) EndBlock(ctx context.Context) error {
	requests, err := k.dueRequests(ctx)
	if err != nil {
		return err
	}
	for _, id := range requests {
		k.alone(ctx, "expire request "+id.K2(), func(ctx context.Context) error {
			return k.failRequests(ctx, []requestKey{id}, mpctypes.ErrExpired)
		})
	}
	keys, err := k.dueKeys(ctx)
	if err != nil {
		return err
	}
	for _, id := range keys {
		k.alone(ctx, "end key "+id, func(ctx context.Context) error { return k.buryKey(ctx, id) })
	}
	return nil
}

func (k *Keeper) alone(ctx context.Context, what string, do func(context.Context) error) {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	if err := do(cached); err != nil {
		k.logger(ctx).Error("the end of a block left something undone", "what", what, "err", err)
		return
	}
	write()
}

// dueRequests lists the requests that expire at this height or before.
func (k *Keeper) dueRequests(ctx context.Context) ([]requestKey, error) {
	var due []requestKey
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err := k.requestExpiry.Walk(ctx, collections.NewPrefixUntilTripleRange[int64, uint32, string](height),
		func(t collections.Triple[int64, uint32, string]) (bool, error) {
			due = append(due, collections.Join(t.K2(), t.K3()))
			return false, nil
		})
	if err != nil {
		return nil, fmt.Errorf("list expired requests: %w", err)
	}
	return due, nil
}

// dueKeys lists the DELETING keys that end at this height or before.
func (k *Keeper) dueKeys(ctx context.Context) ([]string, error) {
	var due []string
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err := k.keyRetirements.Walk(ctx, collections.NewPrefixUntilPairRange[int64, string](height),
		func(p collections.Pair[int64, string]) (bool, error) {
			due = append(due, p.K2())
			return false, nil
		})
	if err != nil {
		return nil, fmt.Errorf("list keys to end: %w", err)
	}
	return due, nil
}
