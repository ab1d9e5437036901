package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// requestIndex finds open requests by a name: of a member or of a key.
type requestIndex = collections.KeySet[collections.Triple[string, uint32, string]]

// condemnRequests decides which of the open requests under a name fail, and for which
// reason, and takes all of them out of the index of such names: those that go on, for which
// why gives no reason, are not looked at again. From now
// on no result of those that fail counts and nobody works on them. They become ERROR, and
// whoever asked hears of it, at the end of the block; if they are many, at the end of the
// next ones: one transaction may condemn all open requests of the chain, and a block must
// not become slow by it.
//
// It is not charged to whoever causes it, so what can be done again and again, as
// registering and revoking, or deleting and taking that back, must not repeat the walk.
// An import puts them back, for one walk more. One that is spoiled does not protect the
// others.
func (k *Keeper) condemnRequests(
	ctx context.Context, index requestIndex, name string, why func(context.Context, requestKey) mpctypes.Reason,
) error {
	ctx = unpaid(ctx)
	ids, err := requestsOf(ctx, index, name)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if reason := why(ctx, id); reason != "" {
			if err := k.condemnRequest(ctx, id, reason); err != nil {
				return err
			}
		}
		if err := index.Remove(ctx, collections.Join3(name, id.K1(), id.K2())); err != nil {
			return fmt.Errorf("remove request %s from those of %s: %w", id.K2(), name, err)
		}
	}
	return nil
}

// keyDeleted is for condemnRequests of a key that is deleted: none goes on.
func keyDeleted(context.Context, requestKey) mpctypes.Reason { return mpctypes.ErrKeyDeleted }

// condemnRequest marks a request and makes it due. The first reason stays.
func (k *Keeper) condemnRequest(ctx context.Context, id requestKey, reason mpctypes.Reason) error {
	if _, before, err := k.condemned(ctx, id); err != nil || before {
		return err
	}
	if err := k.condemnedRequests.Set(ctx, id, string(reason)); err != nil {
		return fmt.Errorf("condemn request %s: %w", id.K2(), err)
	}
	now := collections.Join3(sdk.UnwrapSDKContext(ctx).BlockHeight(), id.K1(), id.K2())
	if err := k.requestExpiry.Set(ctx, now); err != nil {
		return fmt.Errorf("index request %s by its end: %w", id.K2(), err)
	}
	return nil
}

// condemned says whether an open request is going to fail, and why.
func (k *Keeper) condemned(ctx context.Context, id requestKey) (mpctypes.Reason, bool, error) {
	reason, err := k.condemnedRequests.Get(ctx, id)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("look up whether request %s fails: %w", id.K2(), err)
	}
	return mpctypes.Reason(reason), true, nil
}

// waiting loads a request that still takes results; false if there is none.
func (k *Keeper) waiting(ctx context.Context, id requestKey) (types.Request, bool, error) {
	r, open, err := k.request(ctx, id)
	if err != nil || !open {
		return r, false, err
	}
	_, condemned, err := k.condemned(ctx, id)
	return r, !condemned, err
}

// requestsOf lists the open requests under a name.
func requestsOf(ctx context.Context, index requestIndex, name string) ([]requestKey, error) {
	var ids []requestKey
	err := index.Walk(ctx, collections.NewPrefixedTripleRange[string, uint32, string](name),
		func(t collections.Triple[string, uint32, string]) (bool, error) {
			ids = append(ids, collections.Join(t.K2(), t.K3()))
			return false, nil
		})
	if err != nil {
		return nil, fmt.Errorf("list open requests of %s: %w", name, err)
	}
	return ids, nil
}
