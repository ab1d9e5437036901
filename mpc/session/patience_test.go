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

// late lets op-c say each thing to somebody only when that one has waited for it for so
// long. It reports whom the two others find that they were kept waiting by, and how
// long it took.
func late(n *network, d time.Duration, to ...types.Operator) (drawn map[types.Operator]map[types.Operator]bool, took time.Duration) {
	n.t.Helper()
	under := make(map[types.Operator][]mail)
	waits := make(map[types.Operator]time.Time)
	n.hold = func(m mail) bool {
		if m.from.op != "op-c" || m.e.Header.Kind < wire.KIND_ROUND {
			return false
		}
		if slices.Contains(to, m.to.op) {
			under[m.to.op] = append(under[m.to.op], m)
			return true
		}
		return m.e.Header.Kind == wire.KIND_FORWARD
	}
	drawn = map[types.Operator]map[types.Operator]bool{"op-a": {}, "op-b": {}}
	n.open()
	for _, op := range to {
		waits[op] = n.now
	}
	n.settle()
	for begun := n.now; n.now.Sub(begun) < 10*time.Minute; n.pass(250*time.Millisecond, 250*time.Millisecond) {
		for _, op := range to {
			p := n.player(op)
			if !slices.Contains(p.s.AwaitedFor(), "op-c") {
				waits[op] = n.now
				continue
			}
			if n.now.Sub(waits[op]) < d {
				continue
			}
			waits[op] = n.now
			round, what := p.s.Round(), wire.KIND_CONFIRM
			for _, kind := range []wire.Kind{wire.KIND_CONFIRM, wire.KIND_ROUND} {
				if slices.ContainsFunc(under[op], func(m mail) bool { return m.e.Header.Kind == kind && m.e.Header.Round == round }) {
					what = kind
				}
			}
			rest := under[op][:0]
			for _, m := range under[op] {
				if h := m.e.Header; h.Kind == what && h.Round == round {
					n.deliver(m)
				} else {
					rest = append(rest, m)
				}
			}
			under[op] = rest
		}
		n.settle()
		for _, p := range n.players[:2] {
			for _, op := range p.s.DrawnOutBy() {
				drawn[p.op][op] = true
			}
			require.Empty(n.t, p.ends)
		}
		if n.players[0].s.Phase() == session.Lingering && n.players[1].s.Phase() == session.Lingering {
			return drawn, n.now.Sub(begun)
		}
	}
	n.t.Fatal("it never ends")
	return nil, 0
}

// TestDrawnOut: who says each thing just before it would be taken for silent is found
// to draw a signature out, by both who wait for it; who says it before half of that is
// not, and nobody else ever.
func TestDrawnOut(t *testing.T) {
	for _, tt := range []struct {
		delay time.Duration
		drawn bool
	}{
		{timing.Stall/2 - 500*time.Millisecond, false},
		{timing.Stall/2 + 3*time.Second, false}, // seven waits, 21 s above what is free
		{timing.Stall/2 + 5*time.Second, true},
		{timing.Stall - 500*time.Millisecond, true},
	} {
		n := newSign(t, 3, 2)
		drawn, took := late(n, tt.delay, "op-a", "op-b")
		t.Logf("with %s each it takes %s", tt.delay, took)
		for _, of := range drawn {
			require.Equal(t, tt.drawn, of["op-c"], "%s each", tt.delay)
			delete(of, "op-c")
			require.Empty(t, of)
		}
	}
}

// TestDrawnOutThroughOne: who delays what it says to one member only does not make
// that one look guilty.
func TestDrawnOutThroughOne(t *testing.T) {
	n := newSign(t, 3, 2)
	drawn, took := late(n, timing.Stall-500*time.Millisecond, "op-b")
	t.Logf("it takes %s", took)
	require.Empty(t, drawn["op-a"]["op-b"])
	require.NotContains(t, drawn["op-b"], types.Operator("op-a"))
	a := n.players[0]
	require.Less(t, a.s.Drawn("op-b"), timing.Resend, "who waits itself is charged for what was withheld from it")
	require.Greater(t, a.s.Drawn("op-c"), timing.Resend, "nobody is charged")
}

// TestSlowMember: who computes for four times as long as this node is believed, however
// long that is; who says that it computes while this node does not is not believed for
// ever, unless it has something earlier to compute.
func TestSlowMember(t *testing.T) {
	for name, tt := range map[string]struct {
		own, its time.Duration
		ahead    bool
		believed bool
	}{
		"everybody is slow": {time.Minute, time.Minute, false, true},
		"a slower one":      {time.Minute, 4 * time.Minute, false, true},
		"a quick one waits": {0, 2*timing.Stall - time.Second, false, true},
		"serves an earlier": {time.Second, 2 * time.Minute, true, true},
		"too slow":          {time.Second, 2 * time.Minute, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newKeygen(t, 3)
			a, c := n.players[0], n.players[2]
			a.ahead = func(types.Operator) bool { return tt.ahead }
			n.open()
			for _, p := range n.players {
				p.slow = true
			}
			n.settle()
			n.pass(tt.own, time.Second)
			n.players[0].slow, n.players[1].slow = false, false
			n.settle()
			begun := n.now
			for n.now.Sub(begun) < tt.its-tt.own {
				n.pass(time.Second, time.Second)
				require.Equal(t, session.Running, a.s.Phase())
			}
			require.Equal(t, tt.believed, len(a.s.Disbelieved()) == 0, "%v", a.s.Disbelieved())
			require.Empty(t, a.s.DrawnOutBy(), "it may compute for others")
			c.slow = false
			n.settle()
			n.finished(n.players...)
		})
	}
}

// TestSleeper: what a node was asleep for itself it does not hold against others.
func TestSleeper(t *testing.T) {
	n := lacking(t)
	b := n.players[1]
	n.now = n.now.Add(timing.Stall - 1)
	b.tick()
	require.Equal(t, session.Running, b.s.Phase())
	require.Equal(t, timing.Resend, b.s.Drawn("op-c"))
}

// TestBlamed: whom somebody waits for is not to blame for what was withheld from it.
func TestBlamed(t *testing.T) {
	n := newOf(t, types.KindSign)
	w := withheld{kind: types.KindSign, what: wire.KIND_ROUND, round: 2, typ: "s2", sealed: true}
	n.hold = func(m mail) bool { return w.stops(m) || m.from.op == "op-c" && m.e.Header.Kind == wire.KIND_FORWARD }
	n.open()
	n.settle()
	n.pass(timing.Stall-time.Second, time.Second)
	a := n.players[0]
	require.Equal(t, []types.Operator{"op-b"}, a.s.AwaitedFor())
	require.Equal(t, []types.Operator{"op-c"}, a.s.Blamed(n.now))
	require.Zero(t, a.s.Drawn("op-b"), "nor is it charged with what it lacks")
	require.InDelta(t, (timing.Stall/2 - time.Second).Seconds(), a.s.Drawn("op-c").Seconds(), 1)
}
