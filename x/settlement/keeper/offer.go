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

// offered is what the newest transaction before the open ones of a key was included with; nothing
// if none is known among the newest. What open ones ask for does not count: each validator can have
// it raised, also of one that is included and not reported yet, and the other chain took none of it.
func (k *Keeper) offered(ctx context.Context, keyID string) (last types.Offer, err error) {
	end, err := k.firstOpen(ctx, keyID)
	if err != nil {
		return last, err
	}
	if end == 0 {
		newest, err := k.lastID(ctx)
		if err != nil {
			return last, err
		}
		end = newest + 1
	}
	looked := 0
	err = k.transactions.Walk(ctx, new(collections.Range[uint64]).EndExclusive(end).Descending(), func(_ uint64, t types.Transaction) (found bool, _ error) {
		looked++
		if t.KeyId == keyID {
			last, found = t.Included()
		}
		return found || looked == maxLookBack, nil
	})
	if err != nil {
		return last, fmt.Errorf("look for what key %s had included last: %w", keyID, err)
	}
	return last, nil
}
