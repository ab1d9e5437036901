package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// reportReceipt notes what a validator saw of a transaction's inclusion; what it said
// before is forgotten. The chain cannot look at the other one, so it believes what more
// than two thirds of the power saw alike. It believes them that a transaction was included
// whose hash it does not know, too: of an attempt that failed here a member may have the
// signature.
func (k *Keeper) reportReceipt(ctx context.Context, msg *types.MsgReportReceipt) (decided bool, err error) {
	operator, power, err := k.voter(ctx, msg.Operator)
	if err != nil {
		return false, err
	}
	t, err := k.Transaction(ctx, msg.TransactionId)
	if err != nil {
		return false, err
	}
	if t.Status != types.TRANSACTION_STATUS_OPEN {
		return false, types.ErrAlreadyIncluded.Wrapf("transaction %d", t.Id)
	}
	if err := msg.Receipt.Validate(); err != nil {
		return false, err
	}
	r := types.Report{TransactionId: t.Id, Operator: operator, Receipt: msg.Receipt}
	if err := k.reports.Set(ctx, collections.Join(t.Id, operator), r); err != nil {
		return false, fmt.Errorf("store the report of %s: %w", operator, err)
	}
	k.emit(ctx, &types.EventReceiptReported{Report: r})
	agree, err := k.alikeReports(ctx, r)
	if err != nil || !power.Decides(agree) {
		return false, err
	}
	t.Include(r.Receipt)
	if t.Status == types.TRANSACTION_STATUS_SUCCEEDED {
		if err := k.setDone(ctx, &t); err != nil {
			return false, err
		}
	}
	k.emit(ctx, &types.EventTransactionIncluded{
		TransactionId: t.Id, Purpose: t.Purpose, Batch: t.Batch, Status: t.Status, Receipt: r.Receipt,
	})
	return true, k.closeTransaction(ctx, t)
}

// alikeReports are the operators who report the same; those that are not bonded have no
// power.
func (k *Keeper) alikeReports(ctx context.Context, r types.Report) (agree []string, err error) {
	all, err := k.reportsOf(ctx, r.TransactionId)
	for _, other := range all {
		if other.Receipt.Equal(r.Receipt) {
			agree = append(agree, other.Operator)
		}
	}
	return agree, err
}

func (k *Keeper) reportsOf(ctx context.Context, id uint64) (all []types.Report, err error) {
	err = k.reports.Walk(ctx, collections.NewPrefixedPairRange[uint64, string](id), func(_ collections.Pair[uint64, string], r types.Report) (bool, error) {
		all = append(all, r)
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the reports of transaction %d: %w", id, err)
	}
	return all, nil
}
