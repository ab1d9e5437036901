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

// Who restarted has no part of a presignature any more. It tells those that ask; its owner
// gives it up and says for whom, no other signer does: what one member is told means nothing to
// the others.
func TestDisowned(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	lost := func(to *player) types.Verified {
		h := wire.Header{Context: n.contextBytes(), Kind: wire.KIND_REFUSE, To: string(to.op)}
		return forge(t, b, h, encode(t, &wire.Refuse{Reason: string(types.ErrPresignLost)}))
	}
	c.hear(lost(a))
	n.hold = func(m mail) bool { return m.from == b }
	c.s.Probe(b.op, n.now)
	require.Len(t, c.s.PendingTo(b.op), 1)
	c.hear(lost(c))
	require.Empty(t, c.s.PendingTo(b.op), "it asks no more")
	require.Empty(t, c.ends)
	n.hold = nil
	a.hear(lost(a))
	n.settle()
	require.Equal(t, types.ErrPresignLost, a.ended().Reason)
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.Empty(t, a.ended().Culprits)
	require.Equal(t, a.op, c.ended().Left)
	require.Equal(t, types.ErrPresignLost, c.ended().LeftFor)
	require.Equal(t, []types.Operator{b.op}, c.ended().LeftOver)

	n, asked := parked(t)
	a, b = n.players[0], n.players[1]
	know(asked, n.players...)
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	a.hear(lost(a))
	require.Equal(t, types.ErrPresignLost, a.ended().Reason, "it never heard what for")
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)

	n, asked = parked(t)
	a, b, c = n.players[0], n.players[1], n.players[2]
	know(asked, n.players...)
	n.hold = func(m mail) bool { return m.from == c }
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	n.settle()
	a.hear(lost(a))
	require.Empty(t, a.ends, "once it began, only its end counts")
	n.release()
	signed(t, asked, a, b, c)
}

// An owner that restarted says so to its signers, each of which leaves for it. What it says of
// a presignature that is used counts for nothing.
func TestDisownedByItsOwner(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	lost := func(to *player) types.Verified {
		h := wire.Header{Context: n.contextBytes(), Kind: wire.KIND_REFUSE, To: string(to.op)}
		return forge(t, a, h, encode(t, &wire.Refuse{Reason: string(types.ErrPresignLost)}))
	}
	b.hear(lost(c))
	require.Empty(t, b.ends, "said to somebody else")
	n.hold = func(m mail) bool { return m.to == a } // it has nothing to hear it with
	b.hear(lost(b))
	n.settle()
	require.Equal(t, types.ErrPresignLost, b.ended().Reason)
	require.Equal(t, []types.Operator{a.op}, b.ended().Awaited)
	require.Equal(t, []types.Operator{a.op}, c.ended().LeftOver)

	n, asked := parked(t)
	a, b, c = n.players[0], n.players[1], n.players[2]
	know(asked, n.players...)
	n.hold = func(m mail) bool { return m.from == c }
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	n.settle()
	b.hear(lost(b))
	require.Empty(t, b.ends)
	n.release()
	signed(t, asked, a, b, c)
}

// A signer that came back is asked until it says that it still has its part; the owner
// uses nothing before, and lets go when it never does.
func TestProbe(t *testing.T) {
	n, _ := parked(t)
	a, b := n.players[0], n.players[1]
	lose := 1
	n.hold = func(m mail) bool {
		if m.from == b && lose > 0 {
			lose--
			return true
		}
		return false
	}
	a.s.Probe(b.op, n.now)
	require.False(t, a.s.Usable())
	n.settle()
	require.False(t, a.s.Usable())
	n.pass(5*time.Second, time.Second)
	require.True(t, a.s.Usable())

	n.hold = func(m mail) bool { return m.from == b }
	a.s.Probe(b.op, n.now)
	n.pass(timing.Stall+time.Second, time.Second)
	require.Equal(t, types.ErrPresignLost, a.ended().Reason)
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.Empty(t, a.ended().Culprits)
}

// A signer whose owner is out of reach keeps its part for as long as the owner would wait
// for it, and once more; it says for whom it leaves. An owner that answers loses nothing.
func TestOwnerIsOutOfReach(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	for range 5 {
		n.hold = func(m mail) bool { return m.from == a }
		b.s.Probe(a.op, n.now)
		n.pass(2*timing.Stall-time.Second, time.Second)
		n.release()
		require.Equal(t, session.Parked, b.s.Phase())
		n.pass(time.Second, time.Second)
	}
	n.hold = func(m mail) bool { return m.from == a }
	b.s.Probe(a.op, n.now)
	n.pass(2*timing.Stall, time.Second)
	require.Equal(t, types.ErrPresignLost, b.ended().Reason)
	require.Equal(t, []types.Operator{a.op}, b.ended().Awaited)
	require.Empty(t, b.ended().Culprits)
	require.Equal(t, []types.Operator{a.op}, c.ended().LeftOver)
}

// A signer that comes and goes is asked, and makes this node sign, once in a resend time. It
// is given up when it does not answer for as long as any other.
func TestProbeOfWhoFlaps(t *testing.T) {
	n, _ := parked(t)
	a, b := n.players[0], n.players[1]
	n.hold = func(m mail) bool { return m.from == b }
	before, begun := len(n.times(a, b, wire.KIND_PARKED)), n.now
	for range 1000 {
		a.s.Probe(b.op, n.now)
		a.s.Reconnected(b.op, n.now)
	}
	require.Len(t, n.times(a, b, wire.KIND_PARKED), before+1)
	for range 200 {
		if len(a.ends) > 0 {
			break
		}
		a.s.Probe(b.op, n.now)
		n.pass(250*time.Millisecond, 250*time.Millisecond)
	}
	require.Equal(t, timing.Stall, n.now.Sub(begun))
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.LessOrEqual(t, len(n.times(a, b, wire.KIND_PARKED)), before+1+int(timing.Stall/timing.Resend))
}

// What a signer said before it was asked, and what it answered to something else, is no answer,
// whoever says it again: it may have lost its part since.
func TestOldWordsAnswerNoProbe(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	fromB := func(m mail) bool { return m.from == b }
	replay := func() {
		old := slices.Clone(n.sent)
		for _, m := range old {
			if m.from == b && m.e.Header.Kind == wire.KIND_PARKED {
				m.to = a
				n.deliver(m)
			}
		}
	}
	for range 3 {
		n.pass(timing.Resend, time.Second)
		c.s.Probe(b.op, n.now) // it has an answer, too
		n.settle()
		n.hold = fromB
		replay()
		require.True(t, a.s.Usable())
		a.s.Probe(b.op, n.now)
		replay()
		require.False(t, a.s.Usable())
		n.settle()
		require.False(t, a.s.Usable())
		n.release()
		require.True(t, a.s.Usable())
		n.hold = fromB
		a.s.Probe(b.op, n.now)
		replay()
		require.False(t, a.s.Usable(), "it is to be asked again")
		n.pass(timing.Resend, time.Second)
		n.release()
		require.True(t, a.s.Usable())
	}
}

// Two that find each other back ask each other at once, and both are answered.
func TestProbeOfEachOther(t *testing.T) {
	n, _ := parked(t)
	a, b := n.players[0], n.players[1]
	a.s.Probe(b.op, n.now)
	b.s.Probe(a.op, n.now)
	require.False(t, a.s.Usable() || b.s.Usable())
	n.settle()
	require.True(t, a.s.Usable() && b.s.Usable())
	before := len(n.sent)
	n.pass(time.Hour, time.Second)
	require.Len(t, n.sent, before)
}

// Who is asked before it parked answers when it did.
func TestProbeOfWhoParksLate(t *testing.T) {
	n, _ := newPresign(t, 4, 2)
	a, b := n.players[0], n.players[1]
	n.hold = func(m mail) bool {
		b.slow = b.slow || m.from == b && m.e.Header.Round == 3 // what it computes after that is the last
		return false
	}
	n.open()
	n.settle()
	require.Equal(t, session.Parked, a.s.Phase())
	require.Equal(t, session.Running, b.s.Phase())
	a.s.Probe(b.op, n.now)
	n.settle()
	n.hold, b.slow = nil, false
	n.settle()
	require.Equal(t, session.Parked, b.s.Phase())
	n.pass(2*timing.Resend, time.Second)
	require.True(t, a.s.Usable())
}

// A signer that comes back again and again, and answers just before it would be given up,
// keeps the presignature from being used: its owner gives it up for that, and says so. One
// that answers at once may come as often as it likes.
func TestProbeOfWhoAnswersLate(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	for range 1000 {
		a.s.Probe(b.op, n.now)
		n.settle()
		n.pass(3*time.Second, time.Second)
		require.True(t, a.s.Usable())
	}
	begun := n.now
	for range 3 {
		a.s.Probe(b.op, n.now)
		n.hold = func(m mail) bool { return m.from == b && m.to == a }
		n.pass(timing.Stall-time.Second, time.Second)
		if len(a.ends) > 0 {
			break
		}
		n.release()
		require.True(t, a.s.Usable())
	}
	require.LessOrEqual(t, n.now.Sub(begun), 3*timing.Stall)
	require.Equal(t, types.ErrPresignLost, a.ended().Reason)
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.Equal(t, []types.Operator{b.op}, c.ended().LeftOver)
}
