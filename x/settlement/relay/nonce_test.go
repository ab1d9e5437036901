package relay_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// What somebody sent with a signature that this chain never saw is found by its nonce, in
// whichever block it is, and reported; what does something else is not.
func TestUnknownHash(t *testing.T) {
	key, err := crypto.ToECDSA(common.LeftPadBytes([]byte{7}, 32))
	require.NoError(t, err)
	from := crypto.PubkeyToAddress(key.PublicKey)
	sign := func(nonce uint64, data byte) *ethtypes.Transaction {
		tx, err := ethtypes.SignNewTx(key, ethtypes.LatestSignerForChainID(big.NewInt(1)), &ethtypes.DynamicFeeTx{
			ChainID: big.NewInt(1), Nonce: nonce, Gas: 30_000, To: &common.Address{9}, Data: []byte{data},
		})
		require.NoError(t, err)
		return tx
	}
	for name, c := range map[string]struct {
		block, head int64
		data        byte
		status      types.AttemptStatus
		says        string
		reports     bool
	}{
		"failed here":           {13, 40, 5, types.ATTEMPT_STATUS_FAILED, "which this chain did not get the signature of", true},
		"signed otherwise":      {39, 41, 5, types.ATTEMPT_STATUS_SIGNED, "which this chain did not get the signature of", true},
		"being signed":          {1, 300, 5, types.ATTEMPT_STATUS_SIGNING, "which this chain did not get the signature of", true},
		"in the newest":         {40, 40, 5, types.ATTEMPT_STATUS_SIGNING, "waits for 3 confirmations", false},
		"does something else":   {13, 40, 6, types.ATTEMPT_STATUS_SIGNING, "which does something else", false},
		"in one that just came": {41, 40, 5, types.ATTEMPT_STATUS_SIGNING, "looking again", false},
	} {
		t.Run(name, func(t *testing.T) {
			tx := sign(1, c.data)
			other := sign(0, 5)
			a := &l1{chain: 1, head: c.head, receipts: map[common.Hash]*ethtypes.Receipt{
				tx.Hash(): {TxHash: tx.Hash(), BlockHash: common.Hash{7}, BlockNumber: big.NewInt(c.block), Status: 1, GasUsed: 3},
			}}
			a.nonces = []int64{0, c.block} // nonce 0 was used at the beginning
			a.block = ethtypes.NewBlockWithHeader(&ethtypes.Header{Number: big.NewInt(c.block)}).WithBody(ethtypes.Body{Transactions: []*ethtypes.Transaction{other, tx}})
			open := signed(t, 1)
			open.Contract, open.Data = common.Address{9}.Hex(), []byte{5}
			open.Attempts[0].Status = c.status
			b := &l2{open: []types.Transaction{open}, address: from.Hex()}
			var lines []string
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			require.NoError(t, r.Step(t.Context()))
			require.Len(t, lines, 1)
			require.Contains(t, lines[0], c.says)
			require.Empty(t, a.sent)
			if !c.reports {
				require.Empty(t, b.sent)
				return
			}
			report := types.Receipt{Hash: tx.Hash().Hex(), BlockHash: common.Hash{7}.Hex(), BlockNumber: uint64(c.block), Success: true, GasUsed: 3}
			require.Equal(t, []sdk.Msg{&types.MsgReportReceipt{Operator: "o", TransactionId: 1, Receipt: report}}, b.sent)
			asked := a.asked
			require.NoError(t, r.Step(t.Context()))
			require.Equal(t, asked, a.asked, "it is not looked for again")
			require.Less(t, asked, 20, "blocks are not looked at one by one")
		})
	}
}

// A node that forgot old states says so, and nothing is reported.
func TestUnknownHashWithoutOldStates(t *testing.T) {
	a := &l1{chain: 1, head: 1000, nonces: []int64{0, 3}, oldest: 900, forgot: errors.New("missing trie node")}
	open := signed(t, 1)
	open.Attempts[0].Status = types.ATTEMPT_STATUS_FAILED
	b := &l2{open: []types.Transaction{open}, address: common.Address{1}.Hex()}
	var lines []string
	r := relay.New(a, b, relay.Options{Operator: "o"}, func(l string) { lines = append(lines, l) })
	require.NoError(t, r.Step(t.Context()))
	require.Len(t, lines, 1)
	require.Contains(t, lines[0], "look for what used nonce 1 of 0x0100000000000000000000000000000000000000: missing trie node")
	require.Empty(t, b.sent)
}
