package relay_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// refusing is a node of this chain that takes no message as long as there is an error.
type refusing struct {
	*l2
	err error
}

func (r *refusing) Send(ctx context.Context, msg sdk.Msg) error {
	return errors.Join(r.l2.Send(ctx, msg), r.err)
}

// Of a signature that takes long this chain may not have been told: it is asked to look, again
// and again, while the offer of before goes on being sent.
func TestSignatureTakesLong(t *testing.T) {
	asks := &types.MsgBumpFee{Operator: "o", TransactionId: 1}
	signing := types.Attempt{Number: 1, SignatureId: types.SignatureID(1, 1), Status: types.ATTEMPT_STATUS_SIGNING}
	for name, c := range map[string]struct {
		change func(*types.Transaction)
		sends  bool
	}{
		"the first":  {func(t *types.Transaction) { t.Attempts[0] = signing }, false},
		"the second": {func(t *types.Transaction) { t.Attempts = append(t.Attempts, signing) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			open := signed(t, 1)
			c.change(&open)
			a, b := &l1{chain: 1, head: 5}, &refusing{l2: &l2{open: []types.Transaction{open}}, err: errors.New("still_signing")}
			var lines []string
			r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
			for ; a.head < 9; a.head++ {
				require.NoError(t, r.Step(t.Context()))
				require.Empty(t, b.sent)
			}
			for range 3 {
				require.NoError(t, r.Step(t.Context()))
			}
			require.Equal(t, []sdk.Msg{asks}, b.sent, "once for so many blocks")
			require.Len(t, lines, 2)
			require.Contains(t, lines[0], "is being signed")
			require.Contains(t, lines[1], "is being signed since block 5: ask for another signature: still_signing")
			require.Equal(t, c.sends, len(a.sent) > 4)

			a.head, b.err = 13, nil
			require.NoError(t, r.Step(t.Context()))
			require.Equal(t, []sdk.Msg{asks, asks}, b.sent)
			require.Contains(t, lines[2], "is being signed since block 5; asked this chain to look for the signature")
			open.Current().Status, open.Current().SignatureId = types.ATTEMPT_STATUS_SIGNING, types.SignatureID(1, 2)
			b.open = []types.Transaction{open}
			a.head = 16
			require.NoError(t, r.Step(t.Context()))
			require.Len(t, b.sent, 2, "the next request is another one")
		})
	}
}

// What is not signed is asked for again after a while each time, however fast it fails; where that
// is refused, too.
func TestNotSigned(t *testing.T) {
	ask := &types.MsgBumpFee{Operator: "o", TransactionId: 1}
	failed := func(number uint32) types.Transaction {
		open := signed(t, 1)
		open.Attempts[0] = types.Attempt{Number: number, SignatureId: types.SignatureID(1, number), Status: types.ATTEMPT_STATUS_FAILED, Reason: "policy_refused"}
		return open
	}
	a, b := &l1{chain: 1, head: 5}, &refusing{l2: &l2{open: []types.Transaction{failed(1)}}}
	var lines []string
	r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4}, func(l string) { lines = append(lines, l) })
	asked := 0
	until := func(head int64, says string) {
		t.Helper()
		for ; a.head < head; a.head++ {
			for range 3 {
				require.NoError(t, r.Step(t.Context()))
			}
			require.Len(t, b.sent, asked)
		}
		require.NoError(t, r.Step(t.Context()))
		asked++
		require.Len(t, b.sent, asked)
		require.Equal(t, ask, b.sent[asked-1])
		require.Contains(t, lines[len(lines)-1], says)
	}
	until(9, "was not signed: policy_refused; asked again")
	require.Contains(t, lines[0], "was not signed: policy_refused; asks again at block 9 of the other chain")
	b.open = []types.Transaction{failed(2)} // at once
	b.err = errors.New("insufficient fee")
	until(13, "was not signed: policy_refused; ask for another signature: insufficient fee")
	b.err = nil
	until(17, "was not signed: policy_refused; asked again")
	require.Len(t, lines, 6)
}

// A chain that makes blocks of transactions only may make none before this one is signed: what
// failed, and what takes long, is not waited for by blocks alone.
func TestNoBlockComes(t *testing.T) {
	ask := &types.MsgBumpFee{Operator: "o", TransactionId: 1}
	for status, says := range map[types.AttemptStatus]string{
		types.ATTEMPT_STATUS_FAILED:  "was not signed: request_expired; asked again",
		types.ATTEMPT_STATUS_SIGNING: "is being signed since block 5; asked this chain to look for the signature",
	} {
		open := signed(t, 1)
		open.Attempts[0] = types.Attempt{Number: 1, SignatureId: types.SignatureID(1, 1), Status: status, Reason: "request_expired"}
		a, b, now := &l1{chain: 1, head: 5}, &l2{open: []types.Transaction{open}}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		var lines []string
		r := relay.New(a, b, relay.Options{Operator: "o", Confirmations: 3, BumpAfter: 4, Clock: func() time.Time { return now }},
			func(l string) { lines = append(lines, l) })
		for asked := range 3 {
			require.NoError(t, r.Step(t.Context()))
			now = now.Add(10*time.Minute - time.Second)
			require.NoError(t, r.Step(t.Context()))
			require.Len(t, b.sent, asked)
			now = now.Add(time.Second)
			require.NoError(t, r.Step(t.Context()))
			require.Len(t, b.sent, asked+1, "not a second later")
			require.Equal(t, ask, b.sent[asked])
			require.Contains(t, lines[len(lines)-1], says)
		}
		if status == types.ATTEMPT_STATUS_FAILED {
			require.Contains(t, lines[0], "asks again at block 9 of the other chain, at 03:14:05 at the latest")
		}
	}
}
