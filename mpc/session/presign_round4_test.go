package session_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// fakeRound4 is what a member's party would say in round 4.
func fakeRound4(t testing.TB, n *network, from *player, r *types.Request) types.Verified {
	t.Helper()
	body := sha256.Sum256(fmt.Appendf(nil, "%s|4|s4|%s||%x", n.context(), from.op, r.Digest))
	return forge(t, from, wire.Header{Context: n.contextBytes(), Kind: wire.KIND_ROUND, Round: 4, Type: "s4"}, body[:])
}

// A member that begins without its owner's word: whoever hears that asks for the word, and
// shows the owner what came. The owner knows that it said nothing, so the member lied.
func TestRound4WithoutConsume(t *testing.T) {
	for name, hear := range map[string]func(n *network, said types.Verified){
		"to another member": func(n *network, said types.Verified) { n.players[1].hear(said) },
		"to the owner":      func(n *network, said types.Verified) { n.players[0].hear(said) },
	} {
		t.Run(name, func(t *testing.T) {
			n, asked := parked(t)
			a, b, c := n.players[0], n.players[1], n.players[2]
			hear(n, fakeRound4(t, n, c, asked))
			n.pass(2*timing.Resend, time.Second)
			require.Equal(t, types.ErrProtocolFault, a.ended().Reason)
			require.Equal(t, []types.Operator{c.op}, a.ended().Culprits)
			require.Equal(t, a.op, b.ended().Left)
			require.Equal(t, types.ErrProtocolFault, b.ended().LeftFor)
			require.Equal(t, []types.Operator{c.op}, b.ended().LeftOver)
			for _, m := range n.sent {
				require.False(t, m.e.Header.Kind == wire.KIND_ROUND && m.e.Header.Round > 3)
			}
		})
	}
}

// It may come before the owner parked.
func TestRound4BeforeTheOwnerParked(t *testing.T) {
	n, asked := newPresign(t, 4, 2)
	a, c := n.players[0], n.players[2]
	n.hold = func(m mail) bool { return m.to == a && m.from == c && m.e.Header.Round == 3 }
	n.open()
	n.settle()
	require.Equal(t, session.Running, a.s.Phase())
	a.hear(fakeRound4(t, n, c, asked))
	require.Equal(t, []types.Operator{c.op}, a.ended().Culprits)
}

// If the owner says nothing to that, it or who began is to blame, and nobody else can tell:
// whoever leaves it names both.
func TestRound4WithoutItsOwner(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	n.hold = func(m mail) bool { return m.from == a || m.to == a }
	b.hear(fakeRound4(t, n, c, asked))
	n.pass(timing.Stall+time.Second, time.Second)
	end := b.ended()
	require.Equal(t, types.ErrPresignLost, end.Reason)
	require.Empty(t, end.Culprits)
	require.Equal(t, []types.Operator{a.op, c.op}, end.Awaited)
	require.Equal(t, b.op, c.ended().Left)
	require.Equal(t, types.ErrPresignLost, c.ended().LeftFor)
	require.Equal(t, []types.Operator{a.op}, c.ended().LeftOver)
}
