package relay_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// What has too little gas for a node is never offered for more as it is: the relay says what the
// authority can do, and has it signed again as soon as gas_limit helps.
func TestGasIsNotTaken(t *testing.T) {
	asks := []sdk.Msg{&types.MsgBumpFee{Operator: "o", TransactionId: 1}}
	for name, c := range map[string]struct {
		refuse   string
		gasLimit uint64
	}{
		"too little":          {"intrinsic gas too low: gas 21000, minimum needed 23416", 50_000},
		"too little for data": {"insufficient gas for floor data gas cost: gas 21000", 21_001},
		"Besu, too little":    {"Intrinsic gas exceeds gas limit", 50_000},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := costing(t, 1), costing(t, 2)
			first.Attempts[0].GasLimit, second.Attempts[0].GasLimit = 21_000, 21_000
			a := &l1{chain: 1, head: 5, refuse: answer(c.refuse)}
			b := &l2{open: []types.Transaction{first, second}, gasLimit: 21_000}
			var lines []string
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			step := func() {
				t.Helper()
				require.NoError(t, r.Step(t.Context()))
			}
			for ; a.head < 50; a.head++ {
				step()
			}
			require.Empty(t, b.sent, "no more is offered for what is not taken")
			require.Len(t, lines, 2, "what did not change is not said again")
			require.Contains(t, lines[0], c.refuse)
			require.Contains(t, lines[0], "it has 21000 gas, and gas_limit is 21000: the authority must set a higher one")

			b.gasLimit = 21_000 - 1000
			step()
			require.Empty(t, b.sent, "that does not help")
			b.gasLimit = c.gasLimit
			step()
			require.Equal(t, asks, b.sent, "of a key the first one, as soon as it helps")
			require.Contains(t, lines[len(lines)-2], "it has 21000 gas, asked for a signature with ")
			require.Contains(t, lines[len(lines)-1], "transaction 2: not taken by the node")
			require.Contains(t, lines[len(lines)-1], "waits for those before it")

			b.open[0].Attempts = append(b.open[0].Attempts, types.Attempt{
				Number: 2, SignatureId: types.SignatureID(1, 2), Status: types.ATTEMPT_STATUS_SIGNING, GasLimit: c.gasLimit,
			})
			step()
			require.Equal(t, asks, b.sent)
			require.Contains(t, lines[len(lines)-1], "another attempt is being signed")

			a.refuse = nil
			b.open[0] = first
			step()
			a.head += 3
			step()
			require.Equal(t, asks, b.sent, "its time begins when it is taken")
			a.head++
			step()
			require.Equal(t, append(asks, asks...), b.sent)
		})
	}
}

// Against too much gas there is no other attempt: nothing is asked for, whatever gas_limit is, and
// the relay says what the authority can do.
func TestTooMuchGas(t *testing.T) {
	for name, refuse := range map[string]string{
		"more than a block":  "exceeds block gas limit",
		"more than EIP-7825": "transaction gas limit too high (cap: 16777216, tx: 21000)",
		"Nethermind":         "GasLimitExceeded, Gas limit: 1",
		"the node's cap":     "tx fee (2.00 ether) exceeds the configured cap (1.00 ether)",
	} {
		t.Run(name, func(t *testing.T) {
			open := costing(t, 1)
			open.Attempts[0].GasLimit, open.Purpose, open.Batch = 21_000, types.PURPOSE_STATE, 7
			a, b := &l1{chain: 1, head: 5, refuse: answer(refuse)}, &l2{open: []types.Transaction{open}}
			var lines []string
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			for i, gas := range []uint64{20_000, 21_000, 50_000} {
				b.gasLimit = gas
				for range 5 {
					a.head++
					require.NoError(t, r.Step(t.Context()))
				}
				require.Empty(t, b.sent, "it cannot help")
				require.Len(t, lines, i+1)
				require.Contains(t, lines[i], refuse)
				require.Contains(t, lines[i], fmt.Sprintf("it has 21000 gas, and gas_limit is %d: nothing is signed for its nonce with less", gas))
				require.Contains(t, lines[i], "moves state to another key, deletes key settlement:k and has its batches submitted again")
				require.Contains(t, lines[i], "tx settlement resubmit-proposal state 7")
				require.Contains(t, lines[i], "its operator may raise that instead")
			}
		})
	}
}
