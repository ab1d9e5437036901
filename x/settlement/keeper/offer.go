package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// maxLookBack bounds how many transactions are read to find the one of a key that was included
// last: those of other keys are among them, and whoever asks pays for each.
const maxLookBack = 32

// offered is the most that the open transactions of a key offer, and the one before them, which was
// included last, if it is among the newest.
func (k *Keeper) offered(ctx context.Context, keyID string) (most types.Offer, err error) {
	var open []uint64
	err = k.open.Walk(ctx, collections.NewPrefixedPairRange[string, uint64](keyID), func(_ collections.Pair[string, uint64], id uint64) (bool, error) {
		open = append(open, id)
		return false, nil
	})
	if err != nil {
		return most, fmt.Errorf("look for the open transactions of key %s: %w", keyID, err)
	}
	for _, id := range open {
		t, err := k.Transaction(ctx, id)
		if err != nil {
			return most, err
		}
		most = most.Max(t.Offer())
	}
	newest, err := k.lastID(ctx)
	if err != nil {
		return most, err
	}
	end := newest + 1
	if len(open) > 0 {
		end = open[0]
	}
	looked := 0
	err = k.transactions.Walk(ctx, new(collections.Range[uint64]).EndExclusive(end).Descending(), func(_ uint64, t types.Transaction) (bool, error) {
		looked++
		if t.KeyId == keyID && t.Receipt != nil {
			most = most.Max(t.Offer())
			return true, nil
		}
		return looked == maxLookBack, nil
	})
	if err != nil {
		return most, fmt.Errorf("look for what key %s had included last: %w", keyID, err)
	}
	return most, nil
}
