package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestLateness: the engine hears of what is beyond a resend time of each wait, and of nothing
// else.
func TestLateness(t *testing.T) {
	const waits = 7 // four rounds, three of them with a Confirm
	tick := 250 * time.Millisecond
	for _, tt := range []struct{ delay, each time.Duration }{
		{timing.Resend - tick, 0},
		{timing.Resend + time.Second, time.Second},
		{timing.Stall/2 - 500*time.Millisecond, timing.Stall/2 - 500*time.Millisecond - timing.Resend},
	} {
		n := newSign(t, 3, 2)
		late(n, tt.delay, "op-a", "op-b")
		for _, p := range n.players[:2] {
			require.InDelta(t, (waits * tt.each).Seconds(), p.late["op-c"].Seconds(), (2 * waits * tick).Seconds(), "%s each", tt.delay)
			delete(p.late, "op-c")
			require.Less(t, sum(p.late), timing.Resend, "%v", p.late)
		}
	}
}

// TestLateTogether: who is late together with others shares that with them.
func TestLateTogether(t *testing.T) {
	n := newSign(t, 3, 2)
	n.hold = func(m mail) bool { return m.from.op != "op-a" && m.e.Header.Kind == wire.KIND_ROUND }
	n.open()
	n.settle()
	n.pass(timing.Resend+time.Second, time.Second) // before anybody says that something is missing
	n.release()
	n.pass(time.Second, time.Second)
	a := n.players[0]
	require.Equal(t, map[types.Operator]time.Duration{"op-b": time.Second / 2, "op-c": time.Second / 2}, a.late)
}

// TestLateForLackOfSomething: who withholds something from a member until that one says so
// to all, for that one to seem late, seems as late itself.
func TestLateForLackOfSomething(t *testing.T) {
	n := newOf(t, types.KindSign)
	w := withheld{kind: types.KindSign, what: wire.KIND_ROUND, round: 2, typ: "s2", sealed: true}
	n.hold = func(m mail) bool { return w.stops(m) || m.from.op == "op-c" && m.e.Header.Kind == wire.KIND_FORWARD }
	n.open()
	n.settle()
	n.pass(timing.Stall/2, 250*time.Millisecond)
	a := n.players[0]
	require.Equal(t, []types.Operator{"op-b"}, a.s.AwaitedFor())
	n.release()
	n.pass(time.Second, time.Second)
	require.InDelta(t, (timing.Stall/2 - timing.Resend).Seconds(), sum(a.late).Seconds(), 1)
	require.Equal(t, a.late["op-b"], a.late["op-c"])
}

// TestLateForAnother: who serves an earlier request first is not late with this one, and
// what this node was asleep for is nobody's fault.
func TestLateForAnother(t *testing.T) {
	n := lacking(t)
	b := n.players[1]
	b.ahead = func(types.Operator) bool { return true }
	n.pass(timing.Stall/2, 250*time.Millisecond)
	n.release()
	require.Empty(t, b.late)

	n = lacking(t)
	b = n.players[1]
	n.now = n.now.Add(timing.Stall - 1)
	b.tick()
	n.release()
	b.tick()
	require.Equal(t, map[types.Operator]time.Duration{"op-c": timing.Resend}, b.late)
}

// TestLateToTheEnd: the engine hears of a wait that the end of the session cuts short.
func TestLateToTheEnd(t *testing.T) {
	n := lacking(t)
	b := n.players[1]
	n.pass(timing.Resend+time.Second, time.Second)
	require.Empty(t, b.late)
	b.s.Stop(types.ErrExpired)
	require.Equal(t, map[types.Operator]time.Duration{"op-c": time.Second}, b.late)
}

func sum(of map[types.Operator]time.Duration) (all time.Duration) {
	for _, d := range of {
		all += d
	}
	return all
}
