package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

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
// attestations made for it. One that was condemned may not be found by its key or a
// member any more.
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
	if err := k.condemnedRequests.Remove(ctx, keyOf(r)); err != nil {
		return fmt.Errorf("remove request %s from those that fail: %w", r.RequestID(), err)
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

// failRequest closes a request and makes its key, signature or reshare ERROR.
func (k *Keeper) failRequest(ctx context.Context, r types.Request, reason mpctypes.Reason) error {
	absent, err := k.absentFrom(ctx, r, reason) // before what the others attested goes
	if err != nil {
		return err
	}
	if err := k.closeRequest(ctx, r); err != nil {
		return err
	}
	switch r.Kind {
	case types.REQUEST_KIND_KEYGEN:
		return k.failKey(ctx, r.Id, reason)
	case types.REQUEST_KIND_SIGN:
		return k.failSignature(ctx, r.Id, reason, absent)
	case types.REQUEST_KIND_RESHARE:
		return k.failReshare(ctx, r.Id, reason, absent)
	}
	return fmt.Errorf("request %s is of a kind that cannot fail", r.RequestID())
}
