package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func keyOf(r types.Request) requestKey { return collections.Join(uint32(r.Kind), r.Id) }

// openRequest stores a request and everything by which it is found.
func (k *Keeper) openRequest(ctx context.Context, r types.Request) error {
	kind := uint32(r.Kind)
	if err := k.requests.Set(ctx, keyOf(r), r); err != nil {
		return fmt.Errorf("store request %s: %w", r.RequestID(), err)
	}
	if err := k.requestExpiry.Set(ctx, collections.Join3(r.ExpiryHeight, kind, r.Id)); err != nil {
		return fmt.Errorf("index request %s by expiry: %w", r.RequestID(), err)
	}
	if err := k.requestsByKey.Set(ctx, collections.Join3(r.KeyId, kind, r.Id)); err != nil {
		return fmt.Errorf("index request %s by key: %w", r.RequestID(), err)
	}
	for _, m := range r.Members {
		if err := k.requestsByMember.Set(ctx, collections.Join3(m.Operator, kind, r.Id)); err != nil {
			return fmt.Errorf("index request %s by member: %w", r.RequestID(), err)
		}
	}
	return k.countPending(ctx, r.Owner, true)
}

// closeRequest removes a request, everything by which it is found, and the
// attestations made for it.
func (k *Keeper) closeRequest(ctx context.Context, r types.Request) error {
	kind := uint32(r.Kind)
	if err := k.requests.Remove(ctx, keyOf(r)); err != nil {
		return fmt.Errorf("remove request %s: %w", r.RequestID(), err)
	}
	if err := k.requestExpiry.Remove(ctx, collections.Join3(r.ExpiryHeight, kind, r.Id)); err != nil {
		return fmt.Errorf("remove request %s from the expiries: %w", r.RequestID(), err)
	}
	if err := k.requestsByKey.Remove(ctx, collections.Join3(r.KeyId, kind, r.Id)); err != nil {
		return fmt.Errorf("remove request %s from its key: %w", r.RequestID(), err)
	}
	for _, m := range r.Members {
		if err := k.requestsByMember.Remove(ctx, collections.Join3(m.Operator, kind, r.Id)); err != nil {
			return fmt.Errorf("remove request %s from its members: %w", r.RequestID(), err)
		}
	}
	if err := k.dropAttestations(ctx, r); err != nil {
		return err
	}
	return k.countPending(ctx, r.Owner, false)
}

// request loads an open request; false if there is none.
func (k *Keeper) request(ctx context.Context, id requestKey) (types.Request, bool, error) {
	r, err := k.requests.Get(ctx, id)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		return types.Request{}, false, nil
	case err != nil:
		return types.Request{}, false, fmt.Errorf("load request: %w", err)
	}
	return r, true, nil
}

// failRequests fails those of the requests that are still open when their turn
// comes: a hook that is told of one may end others.
//
// It is not charged to whoever causes it. The requests' owners paid for them, and
// a revocation must not become too expensive because many are open.
func (k *Keeper) failRequests(ctx context.Context, ids []requestKey, reason mpctypes.Reason) error {
	free := sdk.UnwrapSDKContext(ctx).WithGasMeter(storetypes.NewInfiniteGasMeter())
	for _, id := range ids {
		r, open, err := k.request(free, id)
		if err != nil {
			return err
		}
		if !open {
			continue
		}
		if err := k.failRequest(free, r, reason); err != nil {
			return err
		}
	}
	return nil
}

// failRequest closes a request and makes its key or signature ERROR.
func (k *Keeper) failRequest(ctx context.Context, r types.Request, reason mpctypes.Reason) error {
	if err := k.closeRequest(ctx, r); err != nil {
		return err
	}
	switch r.Kind {
	case types.REQUEST_KIND_KEYGEN:
		return k.failKey(ctx, r.Id, reason)
	case types.REQUEST_KIND_SIGN:
		return k.failSignature(ctx, r.Id, reason)
	}
	return fmt.Errorf("request %s is of a kind that cannot fail", r.RequestID())
}

// requestsOf lists the open requests under a name in one of the indexes by
// member and by key.
func (k *Keeper) requestsOf(
	ctx context.Context, index collections.KeySet[collections.Triple[string, uint32, string]], name string,
) ([]requestKey, error) {
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
