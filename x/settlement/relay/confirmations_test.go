package relay_test

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec/address"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// HeaderByNumber: it knows no final block.
func (l *l1) HeaderByNumber(context.Context, *big.Int) (*ethtypes.Header, error) {
	return nil, errors.New("finalized block not found")
}

// finalizing is a node of a chain that calls blocks final.
type finalizing struct {
	*l1
	final int64
}

func (f *finalizing) HeaderByNumber(_ context.Context, number *big.Int) (*ethtypes.Header, error) {
	if number.Int64() != rpc.FinalizedBlockNumber.Int64() {
		return nil, errors.New("another block")
	}
	return &ethtypes.Header{Number: big.NewInt(f.final)}, nil
}

// Without a number of confirmations a receipt is reported when its block is final, however deep
// it is.
func TestFinal(t *testing.T) {
	open := signed(t, 1)
	hash := common.HexToHash(open.Attempts[0].Hash)
	a := &finalizing{l1: &l1{chain: 1, head: 1000, receipts: map[common.Hash]*ethtypes.Receipt{
		hash: {TxHash: hash, BlockHash: common.Hash{7}, BlockNumber: big.NewInt(900), Status: 1},
	}}, final: 899}
	b := &l2{open: []types.Transaction{open}}
	var lines []string
	say := func(l string) { lines = append(lines, l) }
	r := relay.New(a, b, relay.Options{Operator: "o"}, say)
	require.NoError(t, r.Step(t.Context()))
	require.Empty(t, b.sent)
	a.final = 900
	require.NoError(t, r.Step(t.Context()))
	require.Len(t, b.sent, 1)
	require.Equal(t, "transaction 1: included in block 900, waits until that is final", lines[0])
	require.Equal(t, "transaction 1: included in block 900, success true: reported", lines[1])

	// On a chain that calls none final nothing is reported.
	r, b.sent, lines = relay.New(a.l1, b, relay.Options{Operator: "o"}, say), nil, nil
	require.NoError(t, r.Step(t.Context()))
	require.Empty(t, b.sent)
	require.Len(t, lines, 1)
	require.Contains(t, lines[0], "finalized block not found; where the other chain's nodes know of none, say how many confirmations")
}

// The flag is a number or the word, which it is if nothing is said.
func TestConfirmationsFlag(t *testing.T) {
	for text, want := range map[string]string{
		"finalized": "finalized", "1": "1", "64": "64",
		"0": "", "-1": "", "": "", "final": "", "1.5": "", "18446744073709551615": "",
	} {
		cmd, _, err := relay.Command(address.NewBech32Codec("seqvaloper")).Find([]string{"relay"})
		require.NoError(t, err)
		flag := cmd.Flag("confirmations")
		require.Equal(t, "finalized", flag.Value.String())
		err = cmd.ParseFlags([]string{"--confirmations=" + text})
		if want == "" {
			require.ErrorContains(t, err, "it is a number of blocks above 0, or finalized", text)
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, want, flag.Value.String())
	}
}

// Blocks to wait are added to heights: a number that would wrap is none.
func TestBumpAfterFlag(t *testing.T) {
	for text, good := range map[string]bool{"0": true, "20": true, "4294967295": true, "4294967296": false, "18446744073709551615": false, "-1": false} {
		cmd, _, err := relay.Command(address.NewBech32Codec("seqvaloper")).Find([]string{"relay"})
		require.NoError(t, err)
		require.Equal(t, good, cmd.ParseFlags([]string{"--bump-after=" + text}) == nil, text)
	}
}
