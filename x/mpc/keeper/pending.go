package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cosmossdk.io/collections"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// modulesPart of max_pending is kept for modules: accounts cannot use up all of it.
const modulesPart = 4

// mayAsk says whether someone may open one more request: modules in the process
// always may, accounts if they are the authority or in the parameter requesters,
// and all within the limits of open requests.
func (k *Keeper) mayAsk(ctx context.Context, p types.Params, owner, module string) error {
	if module == "" && !slices.Contains(p.Requesters, owner) && !k.isAuthority(ctx, owner) {
		return types.ErrNotRequester.Wrap(owner)
	}
	total, err := k.pending(ctx)
	if err != nil {
		return err
	}
	limit := uint64(p.MaxPending)
	if module == "" {
		limit -= limit / modulesPart
	}
	if total >= limit {
		return types.ErrTooManyPending.Wrapf("%d requests are open in all, the limit", total)
	}
	own, err := k.pendingOf(ctx, owner)
	if err != nil {
		return err
	}
	if own >= uint64(p.MaxPendingPerRequester) {
		return types.ErrTooManyPending.Wrapf("%d requests of %s are open, the limit", own, owner)
	}
	return nil
}

// mayName keeps the ids of modules apart: what stands before a colon is the name of the
// module that asks. Else an account could take the next id of a module for ever.
func mayName(id, module string) error {
	if name, _, ok := strings.Cut(id, ":"); ok && name != module {
		return types.ErrBadID.Wrapf("%q: ids that begin with %q are those of the module of that name; accounts use none with a colon", id, name+":")
	}
	return nil
}

// pending is the number of open requests.
func (k *Keeper) pending(ctx context.Context) (uint64, error) {
	n, err := k.pendingTotal.Get(ctx)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, fmt.Errorf("load the number of open requests: %w", err)
	}
	return n, nil
}

// pendingOf is the number of open requests of an owner.
func (k *Keeper) pendingOf(ctx context.Context, owner string) (uint64, error) {
	n, err := k.pendingByOwner.Get(ctx, owner)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, fmt.Errorf("load the number of open requests of %s: %w", owner, err)
	}
	return n, nil
}

// countPending adds to the counters of open requests, or takes away. A counter
// of 0 is not stored.
func (k *Keeper) countPending(ctx context.Context, owner string, opened bool) error {
	total, err := k.pending(ctx)
	if err != nil {
		return err
	}
	own, err := k.pendingOf(ctx, owner)
	if err != nil {
		return err
	}
	if !opened && (total == 0 || own == 0) {
		return fmt.Errorf("a request of %s is closed that was not counted", owner)
	}
	if opened {
		total, own = total+1, own+1
	} else {
		total, own = total-1, own-1
	}
	if err := k.pendingTotal.Set(ctx, total); err != nil {
		return fmt.Errorf("store the number of open requests: %w", err)
	}
	if own == 0 {
		return k.pendingByOwner.Remove(ctx, owner)
	}
	return k.pendingByOwner.Set(ctx, owner, own)
}
