package keeper

import (
	"context"
	"fmt"
	"runtime/debug"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Limits of one block's end; what is beyond follows in the next blocks, in the
// same order on all nodes.
const (
	// MaxExpiriesPerBlock bounds the requests that fail in one block. One of 16
	// members touches about 40 entries of the store, so 500 touch 20,000: some
	// tenths of a second. The default max_pending (1000) is done in two blocks, the
	// greatest (10,000) in 20.
	MaxExpiriesPerBlock = 500
	// MaxBurialsPerBlock bounds the keys that become DELETED in one block. One
	// touches two entries of the store; what counts is the hook of its module.
	// With those of the requests, 1000 hooks run at most in one block.
	MaxBurialsPerBlock = 500
)

// EndBlock fails the requests whose expiry height has come, and makes DELETED the
// keys whose retire height has come, as many as one block may. It touches nothing
// else. The results of the block were applied before it.
//
// Each entry is done in a cache context of its own. One that fails or panics is
// logged and left for the next block: it is not worth the chain.
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
	if err := k.caught(cached, what, do); err != nil {
		k.logger(ctx).Error("the end of a block left something undone", "what", what, "err", err)
		return
	}
	write()
}

// caught makes an error of a panic, running out of gas included: in EndBlock it
// would halt the chain.
func (k *Keeper) caught(ctx context.Context, what string, do func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			k.logger(ctx).Error("a panic was caught; please report this", "what", what, "stack", string(debug.Stack()))
			err = panicError(r)
		}
	}()
	return do(ctx)
}

// dueRequests lists the requests that expire at this height or before, the oldest
// first, up to the limit.
func (k *Keeper) dueRequests(ctx context.Context) ([]requestKey, error) {
	var due []requestKey
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err := k.requestExpiry.Walk(ctx, collections.NewPrefixUntilTripleRange[int64, uint32, string](height),
		func(t collections.Triple[int64, uint32, string]) (bool, error) {
			due = append(due, collections.Join(t.K2(), t.K3()))
			return len(due) == MaxExpiriesPerBlock, nil
		})
	if err != nil {
		return nil, fmt.Errorf("list expired requests: %w", err)
	}
	return due, nil
}

// dueKeys lists the DELETING keys that end at this height or before, the oldest
// first, up to the limit.
func (k *Keeper) dueKeys(ctx context.Context) ([]string, error) {
	var due []string
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err := k.keyRetirements.Walk(ctx, collections.NewPrefixUntilPairRange[int64, string](height),
		func(p collections.Pair[int64, string]) (bool, error) {
			due = append(due, p.K2())
			return len(due) == MaxBurialsPerBlock, nil
		})
	if err != nil {
		return nil, fmt.Errorf("list keys to end: %w", err)
	}
	return due, nil
}
