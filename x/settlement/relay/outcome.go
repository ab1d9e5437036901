package relay

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// closed says what became of the transactions that are not open any more, and drops them from what
// was said. Of what this chain's node does not know yet it is asked again.
func (r *Relay) closed(ctx context.Context, open map[uint64]bool) error {
	for _, id := range slices.Sorted(maps.Keys(r.waiting)) {
		if open[id] {
			continue
		}
		t := r.waiting[id]
		found, err := r.sequencer.Settled(ctx, t.KeyId, t.Nonce, t.Nonce+1)
		switch {
		case err != nil:
			return fmt.Errorf("ask what became of transaction %d: %w", id, err)
		case len(found) == 0:
			r.say(fmt.Sprintf("transaction %d: it was done so long ago that it is not kept (pruned)", id))
		case found[0].Status == types.TRANSACTION_STATUS_OPEN: // of a node that is behind
			continue
		default:
			r.say(fmt.Sprintf("transaction %d: %s", id, became(found[0])))
		}
		delete(r.waiting, id)
		delete(r.said, id)
	}
	return nil
}

// became is what became of a transaction, and what to do about it.
func became(t types.Transaction) string {
	batch := fmt.Sprintf("batch %d of %s", t.Batch, purposeOf(t))
	switch {
	case t.Status == types.TRANSACTION_STATUS_SUCCEEDED:
		return fmt.Sprintf("SUCCEEDED: it was included, %s is settled", batch)
	case t.Status == types.TRANSACTION_STATUS_ABANDONED:
		return fmt.Sprintf("ABANDONED: its key %s was deleted, another transaction is to settle %s", t.KeyId, batch)
	case t.Status == types.TRANSACTION_STATUS_REVERTED && t.DoneHeight > 0:
		return fmt.Sprintf("REVERTED: the contract refused %s, another transaction is to settle it", batch)
	case t.Status == types.TRANSACTION_STATUS_REVERTED:
		return fmt.Sprintf("REVERTED: it was included, and %s is not settled%s. When what it failed for is mended, have it submitted again: %s",
			batch, refusedBy(t), resubmit(t))
	}
	return t.Status.String()
}

// refusedBy says for what a transaction reverted: what has no gas left ran out of it.
func refusedBy(t types.Transaction) string {
	r := t.Receipt
	if r == nil {
		return ""
	}
	for _, a := range t.Attempts {
		if a.Hash == r.Hash && r.GasUsed >= a.GasLimit {
			return fmt.Sprintf(": it used all of its %d gas, and may have needed more (gas_limit)", a.GasLimit)
		}
	}
	return fmt.Sprintf(": the contract %s refused it in block %d, with %d gas used", t.Contract, r.BlockNumber, r.GasUsed)
}
