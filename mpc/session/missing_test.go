package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// withheld is what does not come from op-c to op-b.
type withheld struct {
	name   string
	kind   types.RequestKind
	what   wire.Kind
	round  uint32
	typ    string
	sealed bool
}

func allWithheld() []withheld {
	list := []withheld{
		{typ: "k1", kind: types.KindKeygen, round: 1},
		{typ: "k2p", kind: types.KindKeygen, round: 2, sealed: true},
		{typ: "k2b", kind: types.KindKeygen, round: 2},
		{typ: "k3", kind: types.KindKeygen, round: 3},
		{typ: "s1p", kind: types.KindSign, round: 1, sealed: true},
		{typ: "s1b", kind: types.KindSign, round: 1},
		{typ: "s2", kind: types.KindSign, round: 2, sealed: true},
		{typ: "s3", kind: types.KindSign, round: 3},
		{typ: "s4", kind: types.KindSign, round: 4},
	}
	for i := range list {
		list[i].name, list[i].what = list[i].typ, wire.KIND_ROUND
	}
	for _, round := range []uint32{1, 2, 3} {
		list = append(list, withheld{name: "keygen confirm", kind: types.KindKeygen, what: wire.KIND_CONFIRM, round: round})
	}
	for _, round := range []uint32{1, 3, 4} {
		list = append(list, withheld{name: "sign confirm", kind: types.KindSign, what: wire.KIND_CONFIRM, round: round})
	}
	return list
}

// stops says whether a mail is what op-c withholds from op-b.
func (w withheld) stops(m mail) bool {
	h := m.e.Header
	return m.from.op == "op-c" && m.to.op == "op-b" && h.Kind == w.what && h.Round == w.round && h.Type == w.typ
}

// TestDetour: whatever is lost between two members on every try arrives by way
// of a third before the watchdog bites.
func TestDetour(t *testing.T) {
	for _, w := range allWithheld() {
		t.Run(w.name, func(t *testing.T) {
			n := newOf(t, w.kind)
			n.hold = w.stops
			n.open()
			n.settle()
			require.Equal(t, session.Running, n.players[1].s.Phase())
			n.pass(timing.Stall-time.Second, time.Second)
			require.Greater(t, len(n.held), 1, "op-c resends")
			n.finished(n.players...)
		})
	}
}

// TestWithheldFromOne: who withholds a sealed message from one member, and does
// not show it to the others either, is named by everybody at Stall and not
// before. Broadcasts and Confirms that anybody has cannot be withheld.
func TestWithheldFromOne(t *testing.T) {
	for _, w := range allWithheld() {
		t.Run(w.name, func(t *testing.T) {
			n := newOf(t, w.kind)
			n.hold = func(m mail) bool { return w.stops(m) || m.from.op == "op-c" && m.e.Header.Kind == wire.KIND_FORWARD }
			n.open()
			n.settle()
			a, b := n.players[0], n.players[1]
			n.pass(timing.Stall-time.Second, time.Second)
			if !w.sealed {
				n.finished(n.players...)
				return
			}
			for _, p := range []*player{a, b} {
				require.Empty(t, p.ends)
			}
			n.pass(time.Second, time.Second)
			for _, p := range []*player{a, b} {
				end := p.ended()
				require.Equal(t, types.ErrStalled, end.Reason)
				require.Equal(t, []types.Operator{"op-c"}, end.Culprits, "by %s", p.op)
			}
		})
	}
}

// TestWithheldByOneThatWorks: nor does it help to tell the one, and nobody else, that
// it computes: the others would have taken that one for silent.
func TestWithheldByOneThatWorks(t *testing.T) {
	for _, w := range allWithheld() {
		t.Run(w.name, func(t *testing.T) {
			n := newOf(t, w.kind)
			n.hold = func(m mail) bool { return w.stops(m) || m.from.op == "op-c" && m.e.Header.Kind == wire.KIND_FORWARD }
			n.open()
			n.settle()
			a, b, c := n.players[0], n.players[1], n.players[2]
			for count := range uint32(timing.Stall / timing.Working) {
				if b.s.Phase() == session.Running {
					b.hear(working(n, c, w.round-1, count+1))
				}
				n.pass(timing.Working, time.Second)
			}
			if !w.sealed {
				n.finished(n.players...)
				return
			}
			require.Equal(t, types.ErrStalled, a.ended().Reason)
			require.Equal(t, []types.Operator{"op-c"}, a.ended().Culprits)
			for _, end := range b.ends {
				require.NotContains(t, end.Culprits, types.Operator("op-a"))
			}
		})
	}
}

// TestShownTooLate: who shows a sealed message to the others when there is no time
// left to answer withheld it.
func TestShownTooLate(t *testing.T) {
	for _, w := range allWithheld() {
		if !w.sealed {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			n := newOf(t, w.kind)
			late := false
			n.hold = func(m mail) bool {
				return w.stops(m) || !late && m.from.op == "op-c" && m.e.Header.Kind == wire.KIND_FORWARD || late && m.to.op == "op-b"
			}
			n.open()
			n.settle()
			a := n.players[0]
			n.pass(timing.Stall-time.Second, time.Second)
			require.Empty(t, a.ends)
			late = true // op-b's answer is under way when time is up
			shown := 0
			for _, m := range n.held {
				if m.from.op == "op-c" && m.to.op == "op-a" && m.e.Header.Kind == wire.KIND_FORWARD {
					a.hear(forge(t, n.players[2], *m.e.Header, m.e.Body))
					shown++
				}
			}
			require.Positive(t, shown)
			n.pass(time.Second, time.Second)
			require.Equal(t, types.ErrStalled, a.ended().Reason)
			require.Equal(t, []types.Operator{"op-c"}, a.ended().Culprits)
		})
	}
}

// TestWithheldFromAll: what nobody has is missed by everybody.
func TestWithheldFromAll(t *testing.T) {
	for _, w := range allWithheld() {
		t.Run(w.name, func(t *testing.T) {
			n := newOf(t, w.kind)
			n.hold = func(m mail) bool {
				h := m.e.Header
				return m.from.op == "op-c" && (h.Kind == w.what && h.Round == w.round && h.Type == w.typ || h.Kind == wire.KIND_FORWARD)
			}
			n.open()
			n.settle()
			n.pass(timing.Stall, time.Second)
			for _, p := range n.players[:2] {
				require.Equal(t, types.ErrStalled, p.ended().Reason)
				require.Equal(t, []types.Operator{"op-c"}, p.ended().Culprits, "by %s", p.op)
			}
		})
	}
}

// silent is op-b that falls silent in a round, while op-a waits for it.
func silent(t *testing.T, kind types.RequestKind, round uint32) *network {
	n := newOf(t, kind)
	n.hold = func(m mail) bool {
		return m.from.op == "op-b" && m.e.Header.Round >= round && m.e.Header.Kind >= wire.KIND_ROUND
	}
	n.open()
	n.settle()
	return n
}

// complain is a Missing by op-b.
func complain(n *network, round, count uint32, slots ...*wire.Slot) types.Verified {
	context := n.context()
	h := wire.Header{Context: context[:], Kind: wire.KIND_MISSING, Round: round}
	return forge(n.t, n.players[1], h, encode(n.t, &wire.Missing{Count: count, Slots: slots}))
}

// TestFalseComplaint: whoever says that it lacks what everybody passed on to it
// is named itself; nobody else is.
func TestFalseComplaint(t *testing.T) {
	for name, tt := range map[string]struct {
		kind  types.RequestKind
		round uint32
		slots []*wire.Slot
	}{
		"a broadcast":        {types.KindKeygen, 1, []*wire.Slot{{From: "op-c", Type: "k1"}}},
		"a share":            {types.KindKeygen, 2, []*wire.Slot{{From: "op-c", Type: "k2p"}}},
		"a share of ours":    {types.KindKeygen, 2, []*wire.Slot{{From: "op-a", Type: "k2p"}}},
		"everything":         {types.KindKeygen, 2, []*wire.Slot{{From: "op-a", Type: "k2b"}, {From: "op-a", Type: "k2p"}, {From: "op-c", Type: "k2b"}, {From: "op-c", Type: "k2p"}}},
		"what does not come": {types.KindKeygen, 2, []*wire.Slot{{From: "op-b", Type: "k2p"}, {From: "op-c", Type: "s2"}, {From: "op-x", Type: "k2p"}}},
		"a product":          {types.KindSign, 2, []*wire.Slot{{From: "op-c", Type: "s2"}}},
	} {
		t.Run(name, func(t *testing.T) {
			n := silent(t, tt.kind, tt.round)
			a, b, c := n.players[0], n.players[1], n.players[2]
			for count := uint32(1); n.now.Before(epoch.Add(timing.Stall)); count++ {
				v := complain(n, tt.round, count, tt.slots...)
				a.hear(v)
				c.hear(v)
				n.settle()
				n.pass(time.Second, time.Second)
			}
			for _, p := range []*player{a, c} {
				require.Equal(t, types.ErrStalled, p.ended().Reason)
				require.Equal(t, []types.Operator{"op-b"}, p.ended().Culprits, "by %s", p.op)
				require.LessOrEqual(t, len(n.times(p, b, wire.KIND_FORWARD)), 3*2*len(tt.slots), "a complaint moves a bounded amount")
			}
		})
	}
}

// TestLateComplaint: one that leaves no time to answer it accuses nobody.
func TestLateComplaint(t *testing.T) {
	n := silent(t, types.KindSign, 2)
	n.hold = func(m mail) bool { return m.from.op != "op-a" }
	a := n.players[0]
	n.pass(timing.Stall-time.Second, time.Second)
	a.hear(complain(n, 2, 1, &wire.Slot{From: "op-c", Type: "s2"}))
	n.pass(time.Second, time.Second)
	require.Equal(t, []types.Operator{"op-b"}, a.ended().Culprits)
}

// TestMalformedMissing names its sender; what is out of place changes nothing.
func TestMalformedMissing(t *testing.T) {
	hash := make([]byte, 32)
	slots := make([]*wire.Slot, 100)
	for i := range slots {
		slots[i] = &wire.Slot{From: "op-c", Type: "k1"}
	}
	for name, tt := range map[string]struct {
		h    wire.Header
		body []byte
		want string
	}{
		"missing of nothing": {wire.Header{Kind: wire.KIND_MISSING, Round: 1}, []byte{0xff}, "malformed"},
		"missing too much":   {wire.Header{Kind: wire.KIND_MISSING, Round: 1}, encode(t, &wire.Missing{Count: 1, Slots: slots}), "malformed"},
		"missing twice": {wire.Header{Kind: wire.KIND_MISSING, Round: 2}, encode(t, &wire.Missing{
			Count: 1, Slots: []*wire.Slot{{From: "op-c", Type: "k2p"}, {From: "op-c", Type: "k2p"}},
		}), "malformed"},
		"missing out of order": {wire.Header{Kind: wire.KIND_MISSING, Round: 2}, encode(t, &wire.Missing{
			Count: 1, Slots: []*wire.Slot{{From: "op-c", Type: "k2p"}, {From: "op-c", Type: "k2b"}},
		}), "malformed"},
		"missing of round 0":   {wire.Header{Kind: wire.KIND_MISSING}, hash, ""},
		"missing of round 9":   {wire.Header{Kind: wire.KIND_MISSING, Round: 9}, hash, ""},
		"missing for one":      {wire.Header{Kind: wire.KIND_MISSING, Round: 1, To: "op-b"}, hash, ""},
		"forward of nothing":   {wire.Header{Kind: wire.KIND_FORWARD, Round: 1}, []byte{0xff}, "malformed"},
		"forward of no header": {wire.Header{Kind: wire.KIND_FORWARD, Round: 1}, encode(t, &wire.Forward{Envelope: &wire.Envelope{}}), "without a header"},
		"dispute of nothing":   {wire.Header{Kind: wire.KIND_DISPUTE, Round: 1}, []byte{0xff}, "malformed"},
		"dispute of round 3":   {wire.Header{Kind: wire.KIND_DISPUTE, Round: 3}, hash, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := lacking(t)
			a, b := n.players[0], n.players[1]
			context := n.context()
			tt.h.Context = context[:]
			b.hear(forge(t, a, tt.h, tt.body))
			if tt.want == "" {
				n.release()
				n.finished(n.players...)
				return
			}
			require.Equal(t, []types.Operator{"op-a"}, b.ended().Culprits)
			require.ErrorContains(t, b.ended().Err, tt.want)
		})
	}
}

// TestForwardOfAForgery: what was never signed by whom it names is the fault of
// who passes it on.
func TestForwardOfAForgery(t *testing.T) {
	n := lacking(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	context := n.context()
	inner := *n.held[0].e.Header
	inner.Kind, inner.Round, inner.Type, inner.Context = wire.KIND_ROUND, 1, "k1", context[:]
	forged := forge(t, a, inner, []byte("invented")).Envelope()
	forged.Header.From = string(c.op)
	h := wire.Header{Kind: wire.KIND_FORWARD, Round: 1, Context: context[:]}
	b.hear(forge(t, a, h, encode(t, &wire.Forward{Envelope: forged})))
	require.Equal(t, []types.Operator{"op-a"}, b.ended().Culprits)
}
