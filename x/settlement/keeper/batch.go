package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// proposeBatch notes what a validator takes for the next batch of a purpose; what it said
// before is forgotten. With more than two thirds of the power behind it, the batch is
// accepted.
func (k *Keeper) proposeBatch(ctx context.Context, msg *types.MsgProposeBatch) (*types.MsgProposeBatchResponse, error) {
	operator, power, err := k.voter(ctx, msg.Operator)
	if err != nil {
		return nil, err
	}
	line, err := k.line(ctx, msg.Purpose)
	if err != nil {
		return nil, err
	}
	if line.KeyId == "" {
		return nil, types.ErrNotConfigured.Wrapf("%s has no key", msg.Purpose)
	}
	if err := line.Follows(msg.Range()); err != nil {
		return nil, err
	}
	p := types.Proposal{Purpose: msg.Purpose, Batch: line.NextBatch, Operator: operator, Range: msg.Range()}
	if err := k.proposals.Set(ctx, collections.Join(uint32(p.Purpose), operator), p); err != nil {
		return nil, fmt.Errorf("store the proposal of %s: %w", operator, err)
	}
	k.emit(ctx, &types.EventBatchProposed{Proposal: p})
	agree, err := k.agreeing(ctx, p, power)
	if err != nil {
		return nil, err
	}
	answer := &types.MsgProposeBatchResponse{Batch: line.NextBatch}
	if power.Decides(agree) {
		answer.TransactionId, err = k.acceptBatch(ctx, line, p.Range)
	}
	return answer, err
}

// agreeing are the operators who propose the same. Proposals of validators that are not
// bonded any more are removed on the way.
func (k *Keeper) agreeing(ctx context.Context, p types.Proposal, power types.Power) (agree []string, err error) {
	var gone []string
	err = k.proposals.Walk(ctx, collections.NewPrefixedPairRange[uint32, string](uint32(p.Purpose)),
		func(key collections.Pair[uint32, string], other types.Proposal) (bool, error) {
			switch {
			case !power.Bonded(key.K2()):
				gone = append(gone, key.K2())
			case other.Range.Equal(p.Range):
				agree = append(agree, key.K2())
			}
			return false, nil
		})
	if err != nil {
		return nil, fmt.Errorf("read the proposals of %s: %w", p.Purpose, err)
	}
	for _, operator := range gone {
		if err := k.proposals.Remove(ctx, collections.Join(uint32(p.Purpose), operator)); err != nil {
			return nil, fmt.Errorf("remove the proposal of %s: %w", operator, err)
		}
	}
	return agree, nil
}

// acceptBatch makes a range the next batch of its line, with the transaction that settles
// it. Where that is not possible the message fails, and is sent again later.
func (k *Keeper) acceptBatch(ctx context.Context, line types.Line, r types.Range) (uint64, error) {
	id, err := k.newTransaction(ctx, line, line.NextBatch, r)
	if err != nil {
		return 0, err
	}
	batch, err := line.Accept(r, id, sdk.UnwrapSDKContext(ctx).BlockHeight())
	if err != nil {
		return 0, err
	}
	if err := k.proposals.Clear(ctx, collections.NewPrefixedPairRange[uint32, string](uint32(line.Purpose))); err != nil {
		return 0, fmt.Errorf("remove the proposals of %s: %w", line.Purpose, err)
	}
	if err := k.setLine(ctx, line); err != nil {
		return 0, err
	}
	if err := k.setBatch(ctx, batch); err != nil {
		return 0, err
	}
	return id, k.prune(ctx)
}

// resubmitBatch makes another transaction of a batch that the last one did not settle and
// never will, by the key and the parameters of today.
func (k *Keeper) resubmitBatch(ctx context.Context, purpose types.Purpose, number uint64) (uint64, error) {
	batch, err := k.Batch(ctx, purpose, number)
	if err != nil {
		return 0, err
	}
	if err := k.giveUp(ctx, batch.TransactionId); err != nil {
		return 0, err
	}
	line, err := k.line(ctx, purpose)
	if err != nil {
		return 0, err
	}
	if batch.TransactionId, err = k.newTransaction(ctx, line, number, batch.Range); err != nil {
		return 0, err
	}
	return batch.TransactionId, k.setBatch(ctx, batch)
}

// Batch returns a batch of a purpose; types.ErrUnknownBatch if there was none,
// types.ErrPruned if it is not kept.
func (k *Keeper) Batch(ctx context.Context, purpose types.Purpose, number uint64) (types.Batch, error) {
	b, err := k.batches.Get(ctx, collections.Join(uint32(purpose), number))
	switch {
	case errors.Is(err, collections.ErrNotFound):
		if line, err := k.line(ctx, purpose); err != nil {
			return b, err
		} else if number > 0 && number < line.NextBatch {
			return b, types.ErrPruned.Wrapf("batch %d of %s", number, purpose)
		}
		return b, types.ErrUnknownBatch.Wrapf("%s %d", purpose, number)
	case err != nil:
		return b, fmt.Errorf("load batch %d of %s: %w", number, purpose, err)
	}
	return b, nil
}

func (k *Keeper) setBatch(ctx context.Context, b types.Batch) error {
	if err := k.batches.Set(ctx, collections.Join(uint32(b.Purpose), b.Number), b); err != nil {
		return fmt.Errorf("store batch %d of %s: %w", b.Number, b.Purpose, err)
	}
	k.emit(ctx, &types.EventBatchAccepted{Batch: b})
	return nil
}
