package relay_test

import (
	"context"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// noting is a node of this chain that knows what was reported.
type noting struct{ *l2 }

func (n noting) Send(ctx context.Context, msg sdk.Msg) error {
	if m, ok := msg.(*types.MsgReportReceipt); ok {
		n.reported = &m.Receipt
	}
	return n.l2.Send(ctx, msg)
}

// What was reported, by this process or one before, and did not decide is reported again, not
// too often: others may have lost their power since.
func TestReportsAgain(t *testing.T) {
	open := signed(t, 1)
	hash := common.HexToHash(open.Attempts[0].Hash)
	a := &l1{chain: 1, head: 20, receipts: map[common.Hash]*ethtypes.Receipt{
		hash: {TxHash: hash, BlockHash: common.Hash{7}, BlockNumber: big.NewInt(9), Status: 1, GasUsed: 3},
	}}
	b := noting{&l2{open: []types.Transaction{open}}}
	report := &types.MsgReportReceipt{Operator: "o", TransactionId: 1, Receipt: types.Receipt{
		Hash: hash.Hex(), BlockHash: common.Hash{7}.Hex(), BlockNumber: 9, Success: true, GasUsed: 3,
	}}
	steps := func(r *relay.Relay, heads ...int64) {
		t.Helper()
		for _, head := range heads {
			a.head = head
			require.NoError(t, r.Step(t.Context()))
		}
	}
	options := relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}
	r := relay.New(a, b, options, func(string) {})
	steps(r, 20, 21, 69)
	require.Equal(t, []sdk.Msg{report}, b.sent)
	steps(r, 70, 71, 119)
	require.Equal(t, []sdk.Msg{report, report}, b.sent)

	r = relay.New(a, b, options, func(string) {})
	steps(r, 120, 169)
	require.Len(t, b.sent, 2, "it was reported before this process")
	steps(r, 170)
	require.Equal(t, []sdk.Msg{report, report, report}, b.sent)
}
