package relay_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// forgetful is a node of this chain that says nothing of what is done.
type forgetful struct {
	*l2
	err error
}

func (f *forgetful) Settled(context.Context, string, uint64, uint64) ([]types.Transaction, error) {
	return nil, f.err
}

// Of what is not open any more the relay says what became of it, and what to do.
func TestOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*types.Transaction)
		says   string
	}{
		"included": {func(t *types.Transaction) { t.Status = types.TRANSACTION_STATUS_SUCCEEDED }, "transaction 1: SUCCEEDED: it was included, batch 7 of state is settled"},
		"reverted": {
			func(t *types.Transaction) { t.Receipt.GasUsed = 30_000 },
			"transaction 1: REVERTED: it was included, and batch 7 of state is not settled: the contract 0xcc refused it in block 9, with 30000 gas used. " +
				"When what it failed for is mended, have it submitted again: ",
		},
		"out of gas":  {func(t *types.Transaction) { t.Receipt.GasUsed = 90_000 }, "is not settled: it used all of its 90000 gas, and may have needed more (gas_limit)"},
		"the command": {func(*types.Transaction) {}, "tx settlement resubmit-proposal state 7"},
		"submitted":   {func(t *types.Transaction) { t.DoneHeight = 3 }, "transaction 1: REVERTED: the contract refused batch 7 of state, another transaction is to settle it"},
		"abandoned":   {func(t *types.Transaction) { t.Status = types.TRANSACTION_STATUS_ABANDONED }, "transaction 1: ABANDONED: its key settlement:k was deleted, another transaction is to settle batch 7 of state"},
	} {
		t.Run(name, func(t *testing.T) {
			open := signed(t, 1)
			open.Purpose, open.Batch = types.PURPOSE_STATE, 7
			done := open
			done.Status, done.Contract = types.TRANSACTION_STATUS_REVERTED, "0xcc"
			done.Attempts = []types.Attempt{{Hash: "0x1", GasLimit: 90_000}}
			done.Receipt = &types.Receipt{Hash: "0x1", BlockNumber: 9}
			c.change(&done)
			b := &settling{l2: &l2{open: []types.Transaction{open}}, settled: []types.Transaction{done}}
			var lines []string
			r := relay.New(&l1{chain: 1, head: 5}, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			require.NoError(t, r.Step(t.Context()))
			b.open, lines = nil, nil
			require.NoError(t, r.Step(t.Context()))
			require.Len(t, lines, 1)
			require.Contains(t, lines[0], c.says)
			require.Equal(t, []uint64{1, 2}, b.asked)
			require.NoError(t, r.Step(t.Context()))
			require.Len(t, lines, 1, "it is said once")
		})
	}
}

// A node that does not say is asked again; what it does not keep is said to be so.
func TestOutcomeIsAskedAgain(t *testing.T) {
	open := signed(t, 1)
	b := &forgetful{l2: &l2{open: []types.Transaction{open}}, err: errors.New("away")}
	var lines []string
	r := relay.New(&l1{chain: 1, head: 5}, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
	require.NoError(t, r.Step(t.Context()))
	b.open, lines = nil, nil
	require.EqualError(t, r.Step(t.Context()), "ask what became of transaction 1: away")
	require.Empty(t, lines)
	b.err = nil
	require.NoError(t, r.Step(t.Context()))
	require.Equal(t, []string{"transaction 1: it was done so long ago that it is not kept (pruned)"}, lines)
}
