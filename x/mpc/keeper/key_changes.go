package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// MaxKeyChanges is how many of the last writes of keys are remembered, so that a
// reader that looks at every block reads what changed instead of all its keys.
const MaxKeyChanges = 1024

// noteKeyChange remembers that a key is written.
func (k *Keeper) noteKeyChange(ctx context.Context, id string) error {
	count, err := k.keyChangeCount(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(k.keyChanges.Set(ctx, count, id), k.keyChangesMade.Set(ctx, count+1))
	if err == nil && count >= MaxKeyChanges {
		err = k.keyChanges.Remove(ctx, count-MaxKeyChanges)
	}
	if err != nil {
		return fmt.Errorf("remember that key %s changed: %w", id, err)
	}
	return nil
}

func (k *Keeper) keyChangeCount(ctx context.Context) (uint64, error) {
	count, err := k.keyChangesMade.Get(ctx)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, fmt.Errorf("load the number of key changes: %w", err)
	}
	return count, nil
}

// EngineKeyChanges counts the writes of keys so far, and lists the keys of those after
// the first since ones, in their order, repetitions included. It is false if some of
// those are forgotten, or the chain never had that many.
func (k *Keeper) EngineKeyChanges(ctx context.Context, since uint64) (count uint64, ids []mpctypes.KeyID, known bool, err error) {
	if count, err = k.keyChangeCount(ctx); err != nil {
		return 0, nil, false, err
	}
	if since > count || count-since > MaxKeyChanges {
		return count, nil, false, nil
	}
	rng := new(collections.Range[uint64]).StartInclusive(since)
	err = k.keyChanges.Walk(ctx, rng, func(_ uint64, id string) (bool, error) {
		ids = append(ids, mpctypes.KeyID(id))
		return false, nil
	})
	if err != nil {
		return 0, nil, false, fmt.Errorf("list key changes: %w", err)
	}
	return count, ids, true, nil
}
