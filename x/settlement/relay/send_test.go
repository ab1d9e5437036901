package relay_test

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// BalanceAt: everybody has an ether.
func (l *l1) BalanceAt(context.Context, common.Address, *big.Int) (*big.Int, error) {
	return big.NewInt(params.Ether), nil
}

// TransactionByHash: it has what it says it has.
func (l *l1) TransactionByHash(_ context.Context, hash common.Hash) (*ethtypes.Transaction, bool, error) {
	if has := (having{}); errors.As(l.refuse, &has) {
		return nil, true, has.err
	}
	return nil, false, ethereum.NotFound
}

// having is what a node says of a transaction of which it says otherwise, or not, that it has it.
type having struct {
	answer
	err error
}

// answer is what a node says, and not that it is away.
type answer string

func (a answer) Error() string { return string(a) }

func (answer) ErrorCode() int { return -32000 }

// poor is a node of a chain on which nobody has anything.
type poor struct {
	*l1
	has int64
}

func (p *poor) BalanceAt(context.Context, common.Address, *big.Int) (*big.Int, error) {
	return big.NewInt(p.has), nil
}

// costing is an open transaction that may take 21,000 wei.
func costing(t *testing.T, id uint64) types.Transaction {
	t.Helper()
	tx := ethtypes.NewTx(&ethtypes.DynamicFeeTx{ChainID: big.NewInt(1), Nonce: id, Gas: 21_000, GasFeeCap: big.NewInt(1), To: &common.Address{}})
	raw, err := tx.MarshalBinary()
	require.NoError(t, err)
	open := signed(t, id)
	open.Attempts[0].Raw, open.Attempts[0].Hash = raw, tx.Hash().Hex()
	return open
}

// What a node does not take for its fee is offered for more when it has waited; what it does not
// take for another reason is not, and has all its time when it is taken.
func TestRefused(t *testing.T) {
	asks := []sdk.Msg{&types.MsgBumpFee{Operator: "o", TransactionId: 1}}
	for name, c := range map[string]struct {
		refuse error
		has    int64
		want   []sdk.Msg
		says   string
	}{
		"underpriced":          {answer("transaction underpriced"), 1 << 60, asks, "not taken by the node"},
		"below the base fee":   {answer("max fee per gas less than block base fee"), 1 << 60, asks, "max fee per gas less than block base fee; waited since block 5"},
		"in words of its own":  {answer("FeeTooLowToCompete"), 1 << 60, asks, "FeeTooLowToCompete"},
		"no funds":             {answer("insufficient funds for gas * price + value"), 0, nil, "insufficient funds"},
		"no funds, other word": {answer("Upfront cost exceeds account balance"), 20_999, nil, "has 20999 wei, this may take 21000; give it funds"},
		"funds for all others": {answer("insufficient funds for gas * price + value: queued cost 2"), 1 << 60, nil, "queued cost 2"},
		"too dear":             {answer("tx fee (2.00 ether) exceeds the configured cap (1.00 ether)"), 1 << 60, nil, "configured cap"},
		"used up meanwhile":    {answer("nonce too low: next nonce 2, tx nonce 1"), 1 << 60, nil, "nonce too low"},
		"away":                 {errors.New("connection refused"), 1 << 60, nil, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := costing(t, 1), costing(t, 2)
			a, b := &poor{l1: &l1{chain: 1, head: 5, refuse: c.refuse}, has: c.has}, &l2{open: []types.Transaction{first, second}}
			var lines []string
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			for ; a.head < 9; a.head++ {
				require.NoError(t, r.Step(t.Context()))
				require.Empty(t, b.sent)
			}
			require.NoError(t, r.Step(t.Context()))
			require.Equal(t, c.want, b.sent)
			require.Len(t, a.sent, 10, "both are tried again and again")
			said := lines[len(lines)-1]
			if c.want == nil {
				said = lines[0]
			}
			require.Contains(t, said, c.says)
			if c.want != nil {
				return
			}
			a.refuse, a.has = nil, 1<<60
			for ; a.head < 13; a.head++ {
				require.NoError(t, r.Step(t.Context()))
				require.Empty(t, b.sent)
			}
			require.NoError(t, r.Step(t.Context()))
			require.Equal(t, asks, b.sent)
		})
	}
}

// What a node has it says in its own words, or answers when it is asked for it; then it waits
// for a block.
func TestKnown(t *testing.T) {
	for name, c := range map[string]struct {
		refuse error
		says   string
	}{
		"geth":             {answer("already known"), "sent: nonce 1"},
		"Besu":             {having{answer: "Known transaction"}, "sent: nonce 1"},
		"Nethermind":       {having{answer: "AlreadyKnown"}, "sent: nonce 1"},
		"answer came late": {having{answer: "request timed out"}, "sent: nonce 1"},
		"cannot be asked":  {having{"Known transaction", errors.New("method not found")}, "not taken by the node"},
		"has it not":       {answer("unknown account type"), "not taken by the node"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := &l1{chain: 1, head: 5, refuse: c.refuse}, &l2{open: []types.Transaction{costing(t, 1)}}
			var lines []string
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			require.NoError(t, r.Step(t.Context()))
			require.Len(t, lines, 1)
			require.Contains(t, lines[0], c.says)
			a.head = 9
			require.NoError(t, r.Step(t.Context()))
			require.Equal(t, []sdk.Msg{&types.MsgBumpFee{Operator: "o", TransactionId: 1}}, b.sent)
		})
	}
}

// What had waited before its account ran out of funds waits anew when there are some.
func TestWaitsAnewWithFunds(t *testing.T) {
	for name, c := range map[string]struct {
		refuse error
		has    int64
	}{
		"said":      {answer("insufficient funds for gas * price + value"), 1 << 60},
		"found out": {answer("Upfront cost exceeds account balance"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := &poor{l1: &l1{chain: 1}, has: 1 << 60}, &l2{open: []types.Transaction{costing(t, 1)}}
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(string) {})
			step := func(head int64, refuse error, has int64) {
				t.Helper()
				a.head, a.refuse, a.has = head, refuse, has
				require.NoError(t, r.Step(t.Context()))
			}
			step(5, nil, 1<<60)
			step(6, c.refuse, c.has)
			step(20, nil, 1<<60)
			step(23, nil, 1<<60)
			require.Empty(t, b.sent)
			step(24, nil, 1<<60)
			require.Len(t, b.sent, 1)
		})
	}
}

// What cannot be offered for more says both why it should be, and why it cannot.
func TestRefusedAtTheLimit(t *testing.T) {
	a, b := &l1{chain: 1, head: 5, refuse: answer("transaction underpriced")}, &refusing{l2: &l2{open: []types.Transaction{costing(t, 1)}}, err: errors.New("fee_limit")}
	var lines []string
	r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
	require.NoError(t, r.Step(t.Context()))
	a.head = 9
	require.NoError(t, r.Step(t.Context()))
	require.Len(t, lines, 2)
	require.Contains(t, lines[1], "transaction underpriced; ask for another signature: fee_limit")
}
