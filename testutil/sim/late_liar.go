package sim

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// LateLiar makes a node say each thing of a session only so long after the one before:
// it draws sessions out and is never silent. It helps nobody who lacks something. Works:
// it lets others know all the time that it computes. It begins with a restart: it waits
// for the others, who wait for it.
func (w *World) LateLiar(n *Node, d time.Duration, works bool) {
	const patience = 100
	n.liar = true
	n.Crash()
	n.timing.Stall *= patience
	n.Start()
	type listener struct {
		context types.Context
		to      *Node
	}
	free := make(map[listener]time.Time)
	said := make(map[types.Hash]map[*Node]bool)
	w.Lies[n.Operator] = func(to *Node, m *wire.Message) []*wire.Message {
		e := m.GetEnvelope()
		if e == nil {
			return []*wire.Message{m}
		}
		switch e.Header.Kind {
		case wire.KIND_ROUND, wire.KIND_CONFIRM:
		case wire.KIND_MISSING, wire.KIND_FORWARD, wire.KIND_WORKING:
			return nil
		default:
			return []*wire.Message{m}
		}
		hash := types.HeaderHash(e.Header)
		if said[hash] == nil {
			said[hash] = make(map[*Node]bool)
		}
		if said[hash][to] {
			return nil
		}
		said[hash][to] = true
		l := listener{types.Context(e.Header.Context), to}
		next := w.now.Add(d)
		if later := free[l].Add(d); later.After(next) {
			next = later
		}
		if e.Header.Kind == wire.KIND_CONFIRM || e.Header.To == "" { // what is sealed goes with the broadcast after it
			free[l] = next
		}
		w.after(next.Sub(w.now), func() { w.carry(n, to, m) })
		for wait := time.Second; works && wait < next.Sub(w.now); wait += 2 * time.Second {
			working := envelopes([]*wire.Envelope{n.working(*e.Header, false)})[0]
			w.after(wait, func() { w.carry(n, to, working) })
		}
		return nil
	}
}

// working says that this node computes on the round of a message, or on none. Its count
// is above that of all that it said before.
func (n *Node) working(h wire.Header, round bool) *wire.Envelope {
	n.works++
	body, err := (&wire.Working{Count: 1<<20 + n.works}).Marshal()
	must(err)
	h.Kind, h.Type, h.To = wire.KIND_WORKING, "", ""
	if !round {
		h.Round = 0
	}
	return n.Forge(h, body)
}
