package session_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// twoConfirms is a keygen in which op-c tells op-a what it received in a round,
// and op-b something else.
func twoConfirms(t *testing.T, number uint32) (n *network, other types.Verified) {
	n = newKeygen(t, 3)
	n.hold = func(m mail) bool {
		h := m.e.Header
		return m.from.op == "op-c" && m.to.op == "op-b" && h.Kind == wire.KIND_CONFIRM && h.Round == number
	}
	n.open()
	n.settle()
	context := n.context()
	h := confirm(number)
	h.Context = context[:]
	return n, forge(t, n.players[2], h, encode(t, &wire.Confirm{Digest: make([]byte, 32)}))
}

// TestSplitConfirm: op-a went on to the next round by the right Confirm. What
// op-b shows it proves that there are two.
func TestSplitConfirm(t *testing.T) {
	for number := uint32(1); number < 3; number++ {
		n, other := twoConfirms(t, number)
		a, b, c := n.players[0], n.players[1], n.players[2]
		require.Equal(t, []uint32{number + 1, number}, []uint32{a.s.Round(), b.s.Round()})
		b.hear(other)
		n.settle()
		proves(t, a.ended(), c, "")
		require.Equal(t, wire.KIND_CONFIRM, a.ended().Evidence.First.Header.Kind)
		require.Equal(t, types.ErrAborted, b.ended().Reason)
	}
}

// TestSplitLastConfirm: op-a is done, but shows op-b what it was told.
func TestSplitLastConfirm(t *testing.T) {
	n, other := twoConfirms(t, 3)
	a, b, c := n.players[0], n.players[1], n.players[2]
	b.hear(other)
	n.settle()
	require.Equal(t, session.Lingering, a.s.Phase())
	proves(t, b.ended(), c, "")
}

// TestSecondConfirm: two of one member prove it where both arrive, in its round
// and in the next.
func TestSecondConfirm(t *testing.T) {
	n, other := twoConfirms(t, 1)
	a, b, c := n.players[0], n.players[1], n.players[2]
	a.hear(other)
	proves(t, a.ended(), c, "")
	b.hear(other)
	require.Empty(t, b.ends)
	n.deliver(n.held[0])
	proves(t, b.ended(), c, "")
}

// TestFedByTheNextRound: what a member sends ahead is no excuse for a Confirm
// that does not come.
func TestFedByTheNextRound(t *testing.T) {
	n := newKeygen(t, 2)
	a := n.players[0]
	n.hold = func(m mail) bool {
		h := m.e.Header
		return m.from.op == "op-b" && (h.Kind == wire.KIND_CONFIRM || h.Kind == wire.KIND_ROUND && h.Round == 2)
	}
	n.open()
	n.settle()
	ahead := slices.DeleteFunc(slices.Clone(n.held), func(m mail) bool { return m.e.Header.Kind != wire.KIND_ROUND })
	require.Len(t, ahead, 2)
	for _, m := range ahead {
		n.now = n.now.Add(timing.Stall / 3)
		n.deliver(m)
		a.tick()
	}
	n.now = epoch.Add(timing.Stall)
	a.tick()
	require.Equal(t, []types.Operator{"op-b"}, a.ended().Culprits)
}

// TestFedByHalf: one of two messages of a round is no excuse for the other.
func TestFedByHalf(t *testing.T) {
	n := newKeygen(t, 3)
	b := n.players[1]
	n.hold = func(m mail) bool {
		return m.from.op == "op-c" && m.e.Header.Kind >= wire.KIND_ROUND && m.e.Header.Round == 2
	}
	n.open()
	n.settle()
	half := n.held[slices.IndexFunc(n.held, func(m mail) bool { return m.to == b && m.e.Header.Type == "k2p" })]
	n.pass(timing.Stall-time.Second, time.Second)
	n.deliver(half)
	require.Empty(t, b.ends)
	n.pass(time.Second, time.Second)
	require.Equal(t, []types.Operator{"op-c"}, b.ended().Culprits)
}
