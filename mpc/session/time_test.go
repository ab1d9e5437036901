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

func newOf(t testing.TB, kind types.RequestKind) *network {
	if kind == types.KindSign {
		return newSign(t, 3, 2)
	}
	return newKeygen(t, 3)
}

// TestLate: what was missing comes just before the watchdog would bite.
func TestLate(t *testing.T) {
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign} {
		n := newOf(t, kind)
		b, c := n.players[1], n.players[2]
		n.hold = func(m mail) bool { return m.from == c && m.to == b && m.e.Header.Kind == wire.KIND_ROUND }
		n.open()
		n.settle()
		n.pass(timing.Stall-time.Second, time.Second)
		n.release()
		n.finished(n.players...)
	}
}

// TestDuplicatesFeedNobody: resends and repeats of what is here, Confirms and
// messages alike, of this round and the one before, do not move the watchdog.
func TestDuplicatesFeedNobody(t *testing.T) {
	for _, missing := range []string{"k1", "k2b"} {
		n := newKeygen(t, 3)
		a, b, c := n.players[0], n.players[1], n.players[2]
		n.hold = func(m mail) bool { return m.from == c && m.to == b && m.e.Header.Type == missing }
		n.open()
		n.settle()
		require.NotEmpty(t, n.times(a, b, wire.KIND_CONFIRM))
		at := b.s.LastProgress()
		n.now = epoch.Add(timing.Stall - 1)
		before := b.s.Snapshot()
		for _, m := range slices.Clone(n.sent) {
			if m.to == b && m.e.Header.Type != missing {
				n.deliver(m)
			}
		}
		require.Equal(t, at, b.s.LastProgress())
		require.Equal(t, before, b.s.Snapshot())
		n.now = n.now.Add(1)
		b.tick()
		require.Equal(t, []types.Operator{"op-c"}, b.ended().Culprits)
	}
}

func working(n *network, from *player, round, count uint32) types.Verified {
	context := n.context()
	h := wire.Header{Context: context[:], Kind: wire.KIND_WORKING, Round: round}
	return forge(n.t, from, h, encode(n.t, &wire.Working{Count: count}))
}

// TestWorkingIsBounded: a member that says Working is not named, but only as
// often as any honest one could say it.
func TestWorkingIsBounded(t *testing.T) {
	n := lacking(t)
	b, c := n.players[1], n.players[2]
	count := uint32(0)
	for range session.MaxWorking {
		count++
		n.now = n.now.Add(timing.Stall - 1)
		b.hear(working(n, c, 0, count))
		b.tick()
		require.Equal(t, session.Running, b.s.Phase())
	}
	last := n.now
	n.now = last.Add(timing.Stall - 1)
	b.hear(working(n, c, 0, count+1))
	b.tick()
	require.Equal(t, session.Running, b.s.Phase())
	n.now = last.Add(timing.Stall)
	b.tick()
	require.Equal(t, types.ErrStalled, b.ended().Reason)
	require.Equal(t, []types.Operator{"op-c"}, b.ends[0].Culprits)
}

// TestWorkingIsFresh: neither a replayed Working nor another member's helps.
func TestWorkingIsFresh(t *testing.T) {
	tests := []struct {
		name string
		say  func(n *network) types.Verified
	}{
		{"replay", func(n *network) types.Verified { return working(n, n.players[2], 0, 5) }},
		{"older", func(n *network) types.Verified { return working(n, n.players[2], 0, 4) }},
		{"count 0", func(n *network) types.Verified { return working(n, n.players[2], 0, 0) }},
		{"of another member", func(n *network) types.Verified { return working(n, n.players[0], 0, 6) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := lacking(t)
			b := n.players[1]
			b.hear(working(n, n.players[2], 0, 5))
			n.now = epoch.Add(timing.Stall - 1)
			b.hear(tt.say(n))
			b.tick()
			require.Equal(t, session.Running, b.s.Phase())
			n.now = epoch.Add(timing.Stall)
			b.tick()
			require.Equal(t, []types.Operator{"op-c"}, b.ended().Culprits)
		})
	}
}

// TestOwnWork: while its own party computes, a session names nobody and says
// Working at its interval.
func TestOwnWork(t *testing.T) {
	n := newKeygen(t, 3)
	b, c := n.players[1], n.players[2]
	n.open()
	n.hold = func(m mail) bool {
		b.slow = b.slow || m.to == b && m.e.Header.Round == 1
		return false
	}
	n.settle()
	require.Len(t, b.jobs, 1)
	start := n.now
	n.pass(10*timing.Stall, time.Second)
	require.Equal(t, session.Running, b.s.Phase())
	var want []time.Duration
	for at := time.Second; at <= 10*timing.Stall; at += timing.Working {
		want = append(want, start.Sub(epoch)+at)
	}
	require.Equal(t, want, n.times(b, c, wire.KIND_WORKING))
	require.Equal(t, n.now, b.s.LastProgress(), "its own work is progress")
	require.Equal(t, session.Running, c.s.Phase(), "the others wait for who works")
	b.slow = false
	n.settle()
	n.finished(n.players...)
}

// TestResends: a Ready without an answer goes out again, byte for byte, less and
// less often.
func TestResends(t *testing.T) {
	n := prepared(newKeygen(t, 2))
	a, b := n.players[0], n.players[1]
	a.s = nil // it never answers
	n.pass(40*time.Second, 250*time.Millisecond)
	got := n.times(b, a, wire.KIND_READY)
	var want []time.Duration // the gap grows by half each time, up to 10 s
	for _, ms := range []int{0, 2000, 5000, 9500, 16250, 26250, 36250} {
		want = append(want, time.Duration(ms)*time.Millisecond)
	}
	require.Equal(t, want, got)
	require.Equal(t, len(got)-1, b.s.Resent())
	for _, m := range n.held {
		require.Same(t, n.held[0].e, m.e)
	}
}

// TestFullQueue: what was not queued is tried again soon, and is no resend.
func TestFullQueue(t *testing.T) {
	n := newKeygen(t, 2)
	a, b := n.players[0], n.players[1]
	b.full = true
	n.open()
	n.settle()
	require.Equal(t, session.Waiting, b.s.Phase())
	n.pass(2*timing.Retry, timing.Retry/2)
	b.full = false
	n.pass(timing.Retry, timing.Retry/2)
	require.Equal(t, []time.Duration{3 * timing.Retry}, n.times(b, a, wire.KIND_READY))
	require.Zero(t, b.s.Resent())
	n.finished(a, b)
}

// TestReconnected: what waits for a member goes out at the next tick after it
// came back, and only to it.
func TestReconnected(t *testing.T) {
	n := lacking(t)
	c := n.players[2]
	n.now = epoch.Add(timing.Resend / 2)
	c.tick()
	before := len(n.sent)
	c.s.Reconnected("op-b", n.now)
	c.tick()
	require.Greater(t, len(n.sent), before)
	for _, m := range n.sent[before:] {
		require.Equal(t, types.Operator("op-b"), m.to.op)
	}
	require.Len(t, n.sent[before:], len(c.s.PendingTo("op-b")))
}

// TestLostMessages: each envelope is lost once; the session finishes all the
// same.
func TestLostMessages(t *testing.T) {
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign} {
		n := newOf(t, kind)
		seen := make(map[types.Hash]map[types.Operator]bool)
		n.hold = func(m mail) bool {
			id := types.HeaderHash(m.e.Header)
			if seen[id] == nil {
				seen[id] = make(map[types.Operator]bool)
			}
			first := !seen[id][m.to.op]
			seen[id][m.to.op] = true
			return first
		}
		n.open()
		n.settle()
		n.pass(time.Minute, 500*time.Millisecond)
		n.finished(n.players...)
	}
}

// TestStartIsForwarded: the initiator's Start never reaches op-c; op-b passes it
// on after Resend.
func TestStartIsForwarded(t *testing.T) {
	n := newKeygen(t, 3)
	a, b, c := n.players[0], n.players[1], n.players[2]
	n.hold = func(m mail) bool { return m.is(a, c, wire.KIND_START) }
	n.open()
	n.settle()
	n.pass(timing.Resend-250*time.Millisecond, 250*time.Millisecond)
	require.Equal(t, session.Waiting, c.s.Phase())
	require.Empty(t, n.times(b, c, wire.KIND_START))
	n.pass(3*timing.Resend, 250*time.Millisecond)
	require.Equal(t, []time.Duration{timing.Resend}, n.times(b, c, wire.KIND_START))
	require.Empty(t, n.times(b, a, wire.KIND_START), "it is the initiator's own")
	n.finished(n.players...)
}

// TestResendsStop: a message of the next round, a Confirm or a Working is a sign
// of arrival; at the end only the last Confirms are left, which nothing answers.
func TestResendsStop(t *testing.T) {
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign} {
		n := newOf(t, kind)
		n.open()
		n.settle()
		n.finished(n.players...)
		last := uint32(n.players[0].s.Rounds())
		n.sent, n.sentAt = nil, nil
		n.pass(time.Minute, time.Second)
		require.NotEmpty(t, n.sent)
		for _, m := range n.sent {
			require.Equal(t, wire.KIND_CONFIRM, m.e.Header.Kind)
			require.Equal(t, last, m.e.Header.Round)
		}
	}
}

// TestSignsOfArrival: what op-a still keeps for op-c, by what it heard of it.
func TestSignsOfArrival(t *testing.T) {
	afterK1 := func(h *wire.Header) bool { return h.Kind == wire.KIND_CONFIRM || h.Round == 2 }
	tests := []struct {
		name string
		kind types.RequestKind
		// lost is what of op-c's does not reach op-a.
		lost    func(h *wire.Header) bool
		working bool // of round 1, on top
		kept    []string
	}{
		{"nothing", types.KindKeygen, func(h *wire.Header) bool { return h.Kind != wire.KIND_READY }, false, []string{"start", "k1"}},
		{"its k1", types.KindKeygen, afterK1, false, []string{"k1", "confirm"}},
		{"its confirm", types.KindKeygen, func(h *wire.Header) bool { return h.Round == 2 }, false, []string{"confirm", "k2p", "k2b"}},
		{"half of the next round", types.KindKeygen, func(h *wire.Header) bool { return h.Round == 2 && h.Type != "k2b" }, false, []string{"k2p", "k2b"}},
		{"that it computes", types.KindKeygen, afterK1, true, nil},
		{"a round after one without confirms", types.KindSign, func(h *wire.Header) bool { return h.Round > 2 && h.Type != "s3" }, false, []string{"s3", "confirm"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newOf(t, tt.kind)
			a, c := n.players[0], n.players[2]
			n.hold = func(m mail) bool { return m.from == c && m.to == a && tt.lost(m.e.Header) }
			n.open()
			n.settle()
			if tt.working {
				a.hear(working(n, c, 1, 1))
			}
			var kept []string
			for _, h := range a.s.PendingTo("op-c") {
				switch h.Kind {
				case wire.KIND_START:
					kept = append(kept, "start")
				case wire.KIND_CONFIRM:
					kept = append(kept, "confirm")
				default:
					kept = append(kept, h.Type)
				}
			}
			require.Equal(t, tt.kept, kept)
		})
	}
}

// TestSequence: no two envelopes of one member share a sequence number within a
// session; the number is the nonce of what is sealed.
func TestSequence(t *testing.T) {
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign} {
		n := newOf(t, kind)
		n.players[1].slow = true
		n.open()
		n.settle()
		n.pass(timing.Stall-time.Second, time.Second) // with Workings and resends in between
		n.players[1].slow = false
		n.settle()
		n.finished(n.players...)
		type use struct {
			from     string
			sequence uint64
		}
		used := make(map[use]types.Hash)
		sealed := 0
		for _, m := range n.sent {
			h := m.e.Header
			hash := types.HeaderHash(h)
			if first, again := used[use{h.From, h.Sequence}]; again {
				require.Equal(t, first, hash, "sequence %d of %s was used twice", h.Sequence, h.From)
				continue
			}
			used[use{h.From, h.Sequence}] = hash
			if h.Kind == wire.KIND_ROUND && h.To != "" {
				sealed++
			}
		}
		require.GreaterOrEqual(t, sealed, 6)
	}
}
