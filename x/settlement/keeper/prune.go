package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// maxPruned transactions at most are removed by one message. A batch makes one, and one more
// each time that it is submitted again: what is old goes faster than it comes.
const maxPruned = 4

// setDone notes that nothing needs a transaction any more. The caller stores it.
func (k *Keeper) setDone(ctx context.Context, t *types.Transaction) error {
	t.DoneHeight = sdk.UnwrapSDKContext(ctx).BlockHeight()
	return k.indexDone(ctx, *t)
}

func (k *Keeper) indexDone(ctx context.Context, t types.Transaction) error {
	if err := k.done.Set(ctx, collections.Join(uint64(t.DoneHeight), t.Id)); err != nil {
		return fmt.Errorf("index transaction %d, which is done: %w", t.Id, err)
	}
	return nil
}

// prune removes the oldest of what nothing has needed for retention_blocks. The message that
// has a batch accepted does it, and pays for it.
func (k *Keeper) prune(ctx context.Context) error {
	params, err := k.Params(ctx)
	if err != nil || params.RetentionBlocks == 0 {
		return err
	}
	limit := sdk.UnwrapSDKContext(ctx).BlockHeight() - int64(params.RetentionBlocks)
	if limit <= 0 {
		return nil
	}
	old, err := k.prunable(ctx, uint64(limit))
	if err != nil {
		return err
	}
	for _, t := range old {
		if err := k.remove(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// prunable are some transactions that were done at a height or before, the oldest first. What
// belongs to the newest batch of a line is not among them: it says where the line goes on.
func (k *Keeper) prunable(ctx context.Context, limit uint64) (old []types.Transaction, err error) {
	err = k.done.Walk(ctx, nil, func(at collections.Pair[uint64, uint64]) (bool, error) {
		if at.K1() > limit {
			return true, nil
		}
		t, err := k.Transaction(ctx, at.K2())
		if err != nil {
			return true, err
		}
		line, err := k.line(ctx, t.Purpose)
		if err != nil {
			return true, err
		}
		if t.Batch+1 < line.NextBatch {
			old = append(old, t)
		}
		return len(old) == maxPruned, nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for old transactions: %w", err)
	}
	return old, nil
}

// remove forgets a transaction, and the batch that it settled. One of a batch that is gone
// keeps nothing from going on.
func (k *Keeper) remove(ctx context.Context, t types.Transaction) error {
	batch, err := k.Batch(ctx, t.Purpose, t.Batch)
	if err != nil && !errors.Is(err, types.ErrPruned) {
		return err
	}
	if err == nil && batch.TransactionId == t.Id {
		if err := k.batches.Remove(ctx, collections.Join(uint32(t.Purpose), t.Batch)); err != nil {
			return fmt.Errorf("remove batch %d of %s: %w", t.Batch, t.Purpose, err)
		}
	}
	if err := k.done.Remove(ctx, collections.Join(uint64(t.DoneHeight), t.Id)); err != nil {
		return fmt.Errorf("remove transaction %d from those that are done: %w", t.Id, err)
	}
	if err := k.transactions.Remove(ctx, t.Id); err != nil {
		return fmt.Errorf("remove transaction %d: %w", t.Id, err)
	}
	return nil
}
