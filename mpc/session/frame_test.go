package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// framing are four of which op-c says nothing more from a round on, and what it
// says in the rounds before is the test's.
func framing(t *testing.T, kind types.RequestKind, from uint32) *network {
	n := newKeygen(t, 4)
	if kind == types.KindSign {
		n = newSign(t, 4, 3)
	}
	n.hold = func(m mail) bool {
		return m.from.op == "op-c" && m.e.Header.Kind >= wire.KIND_ROUND && m.e.Header.Round >= from
	}
	n.open()
	n.settle()
	require.Equal(t, from, n.players[0].s.Round())
	return n
}

// framed is a Missing by op-c that says so of a message of each of these.
func framed(n *network, round, count uint32, typ string, of ...string) types.Verified {
	context := n.context()
	m := wire.Missing{Count: count}
	for _, op := range of {
		m.Slots = append(m.Slots, &wire.Slot{From: op, Type: typ})
	}
	return forge(n.t, n.players[2], wire.Header{Context: context[:], Kind: wire.KIND_MISSING, Round: round}, encode(n.t, &m))
}

// onlyBlames: all but op-c name it at the stall time and nobody else.
func (n *network) onlyBlames(t *testing.T) {
	t.Helper()
	n.pass(epoch.Add(timing.Stall).Sub(n.now), time.Second)
	for _, p := range n.players {
		if p.op != "op-c" {
			require.Equal(t, types.ErrStalled, p.ended().Reason, "%s: %v", p.op, p.ended().Err)
			require.Equal(t, []types.Operator{"op-c"}, p.ended().Culprits, "by %s", p.op)
		}
	}
}

// TestComplaintAgainstConfirm: whoever says that it lacks what it confirmed is
// named itself.
func TestComplaintAgainstConfirm(t *testing.T) {
	for _, tt := range []struct {
		kind  types.RequestKind
		round uint32
		typ   string
	}{
		{types.KindKeygen, 1, "k1"}, {types.KindKeygen, 2, "k2p"}, {types.KindKeygen, 2, "k2b"},
		{types.KindSign, 1, "s1p"}, {types.KindSign, 3, "s3"},
	} {
		t.Run(tt.typ, func(t *testing.T) {
			n := framing(t, tt.kind, tt.round+1)
			for _, p := range n.players {
				if p.op != "op-c" {
					p.hear(framed(n, tt.round, 1, tt.typ, "op-a", "op-b", "op-d"))
				}
			}
			n.onlyBlames(t)
		})
	}
}

// TestFramed: in a round that nobody confirms, no way of telling some members
// something and others nothing makes op-a look as if it withheld a message.
func TestFramed(t *testing.T) {
	for name, tell := range map[string]func(n *network, a, b, d *player){
		"tells op-a alone that it arrived": func(n *network, a, b, d *player) {
			a.hear(working(n, n.players[2], 2, 1))
			for _, p := range []*player{a, b, d} {
				p.hear(framed(n, 2, 1, "s2", "op-a"))
			}
		},
		"uses up op-a's patience": func(n *network, a, b, d *player) {
			for count := range uint32(3) {
				a.hear(framed(n, 2, count+1, "s2", "op-a"))
				n.settle()
				n.pass(2*time.Second, time.Second)
			}
			for _, p := range []*player{a, b, d} {
				p.hear(framed(n, 2, 4, "s2", "op-a"))
			}
		},
		"tells all but op-a": func(n *network, _, b, d *player) {
			b.hear(framed(n, 2, 1, "s2", "op-a"))
			d.hear(framed(n, 2, 1, "s2", "op-a"))
		},
		"tells op-a something later first": func(n *network, a, b, d *player) {
			a.hear(framed(n, 2, 100, "s2", "op-b"))
			b.hear(framed(n, 2, 1, "s2", "op-a"))
			d.hear(framed(n, 2, 1, "s2", "op-a"))
		},
		"has complained before": func(n *network, _, b, d *player) {
			b.hear(framed(n, 2, 1, "s2", "op-d"))
			d.hear(framed(n, 2, 1, "s2", "op-b"))
			n.pass(timing.Stall-time.Second, time.Second)
			b.hear(framed(n, 2, 2, "s2", "op-a", "op-d"))
			d.hear(framed(n, 2, 2, "s2", "op-a", "op-b"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := framing(t, types.KindSign, 3)
			n.settle()
			tell(n, n.players[0], n.players[1], n.players[3])
			n.settle()
			n.onlyBlames(t)
		})
	}
}

// TestComplaintsAreCounted: each message goes to a member a few times, however
// often it says that it lacks it, and not twice in the same moment.
func TestComplaintsAreCounted(t *testing.T) {
	n := framing(t, types.KindSign, 3)
	a, b, c := n.players[0], n.players[1], n.players[2]
	a.hear(working(n, c, 2, 1)) // the outbox does not resend it
	before := len(n.times(a, c, wire.KIND_ROUND))
	say := func(count uint32) {
		a.hear(framed(n, 2, count, "s2", "op-a"))
	}
	for count := range uint32(10) {
		say(count + 1)
	}
	require.Len(t, n.times(a, c, wire.KIND_ROUND), before+1)
	for count := range uint32(10) {
		n.now = n.now.Add(timing.Resend)
		say(count + 11)
	}
	require.Len(t, n.times(a, c, wire.KIND_ROUND), before+3)
	require.Len(t, n.times(a, b, wire.KIND_FORWARD), 3)
}

// TestOnlyWhatPasses: what is no sealed message of a round goes no detour.
func TestOnlyWhatPasses(t *testing.T) {
	n := framing(t, types.KindSign, 3)
	a, b, d := n.players[0], n.players[1], n.players[3]
	context := n.context()
	forwarded := func(h wire.Header, body []byte) {
		h.Context = context[:]
		inner := forge(t, d, h, body)
		a.hear(forge(t, d, wire.Header{Kind: wire.KIND_FORWARD, Round: 2, Context: context[:]},
			encode(t, &wire.Forward{Envelope: inner.Envelope()})))
	}
	for _, h := range []wire.Header{
		round(0, "s2", "op-b"), round(5, "s5", "op-b"), round(2, "s1p", "op-b"), round(3, "s3", "op-b"), round(2, "s2", "op-z"),
	} {
		forwarded(h, make([]byte, 48))
	}
	forwarded(round(2, "s2", "op-b"), make([]byte, 32+session.SealOverhead+1))
	require.Empty(t, n.times(a, b, wire.KIND_FORWARD))
	for range 10 {
		forwarded(round(2, "s2", "op-b"), make([]byte, 32+session.SealOverhead))
		n.now = n.now.Add(timing.Resend)
	}
	require.Len(t, n.times(a, b, wire.KIND_FORWARD), 3)
}
