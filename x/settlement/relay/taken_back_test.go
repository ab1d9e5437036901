package relay_test

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// Settled: nothing was.
func (l *l2) Settled(context.Context, string, uint64, uint64) ([]types.Transaction, error) {
	return nil, nil
}

// settling is a node of a chain that has settled something.
type settling struct {
	*l2
	settled []types.Transaction
	asked   []uint64
}

func (s *settling) Settled(_ context.Context, _ string, from, to uint64) ([]types.Transaction, error) {
	s.asked = append(s.asked, from, to)
	return s.settled, nil
}

// What the other chain took back after it was settled is sent again, before anything is done
// for what has to wait for it; what cannot be sent is said.
func TestTakenBack(t *testing.T) {
	settled := func(id uint64, change func(*types.Transaction)) types.Transaction {
		s := costing(t, id)
		s.Status = types.TRANSACTION_STATUS_SUCCEEDED
		change(&s)
		return s
	}
	as := func(*types.Transaction) {}
	for name, c := range map[string]struct {
		settled []types.Transaction
		refuse  error
		sends   int
		says    string
	}{
		"all":         {[]types.Transaction{settled(2, as), settled(3, as)}, nil, 2, "waits for nonce 2 of its key, which the other chain took back; it was sent again"},
		"reverted":    {[]types.Transaction{settled(2, func(t *types.Transaction) { t.Status = types.TRANSACTION_STATUS_REVERTED }), settled(3, as)}, nil, 2, "it was sent again"},
		"has them":    {[]types.Transaction{settled(2, as), settled(3, as)}, answer("already known"), 2, "it was sent again"},
		"underpriced": {[]types.Transaction{settled(2, as), settled(3, as)}, answer("transaction underpriced"), 1, "transaction underpriced"},
		"pruned":      {[]types.Transaction{settled(3, as)}, nil, 1, "1 of their transactions are not kept any more"},
		"abandoned":   {[]types.Transaction{settled(2, func(t *types.Transaction) { t.Status = types.TRANSACTION_STATUS_ABANDONED })}, nil, 0, "transaction 2: it is TRANSACTION_STATUS_ABANDONED"},
		"never signed": {[]types.Transaction{settled(2, func(t *types.Transaction) {
			t.Attempts = []types.Attempt{{Number: 1, Status: types.ATTEMPT_STATUS_FAILED}}
		})}, nil, 0, "transaction 2: this chain has no signature of it"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &l1{chain: 1, head: 50, nonces: []int64{1, 2}, refuse: c.refuse}
			b := &settling{l2: &l2{open: []types.Transaction{costing(t, 4)}, address: common.Address{1}.Hex()}, settled: c.settled}
			var lines []string
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			require.NoError(t, r.Step(t.Context()))
			require.Equal(t, []uint64{2, 4}, b.asked)
			require.Len(t, a.sent, c.sends)
			for i, hash := range a.sent {
				require.Equal(t, c.settled[i].Attempts[0].Hash, hash.Hex())
			}
			require.Len(t, lines, 1)
			require.Contains(t, lines[0], c.says)
			require.Empty(t, b.l2.sent, "no more is offered for what has to wait")
			if c.refuse != nil {
				return
			}
			a.nonces, a.sent = []int64{1, 2, 51, 51}, nil
			require.NoError(t, r.Step(t.Context()))
			require.Equal(t, []common.Hash{common.HexToHash(b.open[0].Attempts[0].Hash)}, a.sent, "it goes on")
		})
	}
}
