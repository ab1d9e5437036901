package relay_test

import (
	"context"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// l1 is a node of the other chain that says what a test wants.
type l1 struct {
	chain, head  int64
	receipts     map[common.Hash]*ethtypes.Receipt
	sent         []common.Hash
	refuse, away error
	// nonces are the blocks that used up each nonce of everybody; asked is how often they were
	// asked for. Of blocks before the oldest it forgot them.
	nonces []int64
	asked  int
	oldest int64
	forgot error
	// block is every block.
	block *ethtypes.Block
}

func (l *l1) ChainID(context.Context) (*big.Int, error) { return big.NewInt(l.chain), l.away }

func (l *l1) BlockNumber(context.Context) (uint64, error) { return uint64(l.head), nil }

func (l *l1) SendTransaction(_ context.Context, tx *ethtypes.Transaction) error {
	l.sent = append(l.sent, tx.Hash())
	return l.refuse
}

func (l *l1) TransactionReceipt(_ context.Context, hash common.Hash) (*ethtypes.Receipt, error) {
	if r, ok := l.receipts[hash]; ok {
		return r, nil
	}
	return nil, ethereum.NotFound
}

func (l *l1) NonceAt(_ context.Context, _ common.Address, block *big.Int) (used uint64, err error) {
	l.asked++
	if len(l.nonces) == 0 {
		return 1, nil // all before that of transaction 1
	}
	if block != nil && block.Int64() < l.oldest {
		return 0, l.forgot
	}
	for _, in := range l.nonces {
		if block == nil || in <= block.Int64() {
			used++
		}
	}
	return used, nil
}

func (l *l1) BlockByNumber(_ context.Context, number *big.Int) (*ethtypes.Block, error) {
	if l.block.Number().Cmp(number) != 0 {
		return nil, ethereum.NotFound
	}
	return l.block, nil
}

// l2 is a node of this chain that does.
type l2 struct {
	address  string
	gasLimit uint64
	open     []types.Transaction
	reported *types.Receipt
	sent     []sdk.Msg
}

func (l *l2) Open(context.Context) ([]types.Transaction, error) { return l.open, nil }

func (l *l2) Address(context.Context, string) (string, error) { return l.address, nil }

func (l *l2) GasLimit(context.Context) (uint64, error) { return l.gasLimit, nil }

func (l *l2) Reported(context.Context, uint64, string) (*types.Receipt, error) {
	return l.reported, nil
}

func (l *l2) Send(_ context.Context, msg sdk.Msg) error {
	l.sent = append(l.sent, msg)
	return nil
}

// signed is an open transaction with a signed attempt.
func signed(t *testing.T, id uint64) types.Transaction {
	t.Helper()
	tx := ethtypes.NewTx(&ethtypes.DynamicFeeTx{ChainID: big.NewInt(1), Nonce: id, Gas: 21000, To: &common.Address{}})
	raw, err := tx.MarshalBinary()
	require.NoError(t, err)
	return types.Transaction{
		Id: id, KeyId: "settlement:k", Nonce: id, ChainId: 1, Status: types.TRANSACTION_STATUS_OPEN,
		Attempts: []types.Attempt{{Number: 1, Status: types.ATTEMPT_STATUS_SIGNED, Raw: raw, Hash: hexutil.Encode(tx.Hash().Bytes())}},
	}
}

// TestLook has each thing that a relay can find, and what it does about it.
func TestLook(t *testing.T) {
	hash := common.HexToHash(signed(t, 1).Attempts[0].Hash)
	receipt := &ethtypes.Receipt{TxHash: hash, BlockHash: common.Hash{7}, BlockNumber: big.NewInt(9), Status: 1, GasUsed: 3}
	report := types.Receipt{Hash: hash.Hex(), BlockHash: common.Hash{7}.Hex(), BlockNumber: 9, Success: true, GasUsed: 3}
	for name, c := range map[string]struct {
		change   func(*l1, *l2)
		messages []sdk.Msg
		sends    bool
		says     string
	}{
		"signed":        {func(*l1, *l2) {}, nil, true, "sent: nonce 1"},
		"already known": {func(a *l1, _ *l2) { a.refuse = errors.New("already known") }, nil, true, "sent: nonce 1"},
		"no funds":      {func(a *l1, _ *l2) { a.refuse = errors.New("insufficient funds") }, nil, true, "insufficient funds"},
		"a URL with a key": {func(a *l1, _ *l2) {
			a.refuse = &url.Error{Op: "Post", URL: "https://x/KEY", Err: errors.New("refused")}
		}, nil, true, "refused"},
		"another chain": {func(a *l1, _ *l2) { a.chain = 5 }, nil, false, "is for chain 1, but the node of --rpc is of chain 5"},
		"being signed": {func(_ *l1, b *l2) {
			b.open[0].Attempts[0] = types.Attempt{Number: 1, Status: types.ATTEMPT_STATUS_SIGNING}
		}, nil, false, "is being signed"},
		"signed before": {func(_ *l1, b *l2) {
			b.open[0].Attempts = append(b.open[0].Attempts, types.Attempt{Number: 2, Status: types.ATTEMPT_STATUS_SIGNING})
		}, nil, true, "sent: nonce 1"},
		"not signed": {func(_ *l1, b *l2) {
			b.open[0].Attempts[0] = types.Attempt{Number: 1, Status: types.ATTEMPT_STATUS_FAILED, Reason: "request_expired"}
		}, nil, false, "was not signed: request_expired; asks again at block 9 of the other chain"},
		"not deep enough": {func(a *l1, _ *l2) {
			a.head, a.receipts = 10, map[common.Hash]*ethtypes.Receipt{hash: receipt}
		}, nil, false, "waits for 3 confirmations"},
		"included": {func(a *l1, _ *l2) {
			a.head, a.receipts = 11, map[common.Hash]*ethtypes.Receipt{hash: receipt}
		}, []sdk.Msg{&types.MsgReportReceipt{Operator: "o", TransactionId: 1, Receipt: report}}, false, "reported"},
		"reported": {func(a *l1, b *l2) {
			a.head, a.receipts, b.reported = 11, map[common.Hash]*ethtypes.Receipt{hash: receipt}, &report
		}, nil, false, "reported"},
		"reported of another block": {func(a *l1, b *l2) {
			a.head, a.receipts, b.reported = 11, map[common.Hash]*ethtypes.Receipt{hash: receipt}, &types.Receipt{}
		}, []sdk.Msg{&types.MsgReportReceipt{Operator: "o", TransactionId: 1, Receipt: report}}, false, "reported"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := &l1{chain: 1, head: 5}, &l2{open: []types.Transaction{signed(t, 1)}}
			c.change(a, b)
			var lines []string
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			require.NoError(t, r.Step(t.Context()))
			require.Equal(t, c.messages, b.sent)
			require.Equal(t, c.sends, len(a.sent) == 1)
			require.Contains(t, strings.Join(lines, "\n"), c.says)
			require.NotContains(t, strings.Join(lines, "\n"), "KEY")
		})
	}
}

// Of the transactions of a key more is offered for the first one only, and not before it
// waited.
func TestFirstOneIsBumped(t *testing.T) {
	a, b := &l1{chain: 1, head: 5}, &l2{open: []types.Transaction{signed(t, 1), signed(t, 2)}}
	r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(string) {})
	for ; a.head < 9; a.head++ {
		require.NoError(t, r.Step(t.Context()))
		require.Empty(t, b.sent)
	}
	require.NoError(t, r.Step(t.Context()))
	require.Equal(t, []sdk.Msg{&types.MsgBumpFee{Operator: "o", TransactionId: 1}}, b.sent)
}

// A node that is away is waited for, and said once.
func TestNodeIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &l1{chain: 1, away: &url.Error{Op: "Post", URL: "https://x/KEY", Err: errors.New("connection refused")}}, &l2{}
		var lines []string
		r := relay.New(a, b, relay.Options{Interval: time.Second}, func(l string) { lines = append(lines, l) })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"ask the other chain's node for its chain: connection refused"}, lines)
		a.away = nil
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, "goes on", lines[1])
		cancel()
		require.NoError(t, <-ended)
	})
}
