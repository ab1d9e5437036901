package sim

import (
	"bytes"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// lie is one way of being dishonest.
type lie struct {
	name string
	tell func(w *World, from, to *Node, e *wire.Envelope) []*wire.Envelope
}

// lies are told by RandomLiar. Whatever is changed is signed again: what is not
// signed rightly never reaches a session.
var lies = []lie{
	{"withhold", func(*World, *Node, *Node, *wire.Envelope) []*wire.Envelope { return nil }},
	{"another body", func(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		body := append([]byte(nil), e.Body...)
		if len(body) == 0 {
			return nil
		}
		body[w.Rand.IntN(len(body))] ^= byte(1 + w.Rand.IntN(255))
		return []*wire.Envelope{from.Forge(*e.Header, body)}
	}},
	{"both bodies", func(_ *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		return []*wire.Envelope{e, from.Forge(*e.Header, append([]byte{1}, e.Body...))}
	}},
	{"no body", func(_ *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		return []*wire.Envelope{from.Forge(*e.Header, nil)}
	}},
	{"too long", func(_ *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		return []*wire.Envelope{from.Forge(*e.Header, make([]byte, 4096))}
	}},
	{"another round", func(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		h := *e.Header
		h.Round = uint32(w.Rand.IntN(7))
		return []*wire.Envelope{from.Forge(h, e.Body)}
	}},
	{"another kind", func(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		h := *e.Header
		h.Kind, h.Type = wire.Kind(1+w.Rand.IntN(len(wire.Kind_name)-1)), ""
		return []*wire.Envelope{from.Forge(h, e.Body)}
	}},
	{"another type", func(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		h := *e.Header
		h.Kind, h.Type = wire.KIND_ROUND, []string{"k1", "k2p", "k2b", "k3", "s1p", "s1b", "s2", "s3", "s4"}[w.Rand.IntN(9)]
		return []*wire.Envelope{from.Forge(h, e.Body)}
	}},
	{"another request", func(_ *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		h := *e.Header
		h.RequestId = "other"
		return []*wire.Envelope{from.Forge(h, e.Body)}
	}},
	{"another recipient", func(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		h := *e.Header
		if to := w.Nodes[w.Rand.IntN(len(w.Nodes))]; to != from {
			h.To = string(to.Operator)
		}
		return []*wire.Envelope{from.Forge(h, e.Body)}
	}},
	{"replay", func(w *World, from, to *Node, e *wire.Envelope) []*wire.Envelope {
		return []*wire.Envelope{e, w.told.envelope(w.Rand)}
	}},
	{"false complaint", func(w *World, from, to *Node, e *wire.Envelope) []*wire.Envelope {
		h := *e.Header
		if h.Round == 0 {
			return []*wire.Envelope{e}
		}
		var m wire.Missing
		m.Count = uint32(1 + w.Rand.IntN(50))
		for _, n := range w.Nodes {
			if n != from {
				m.Slots = append(m.Slots, &wire.Slot{From: string(n.Operator), Type: h.Type})
			}
		}
		body, err := m.Marshal()
		must(err)
		h.Kind, h.Type, h.To = wire.KIND_MISSING, "", ""
		return []*wire.Envelope{from.Forge(h, body)}
	}},
	{"word of work to one", func(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		if e.Header.Kind < wire.KIND_ROUND {
			return []*wire.Envelope{e}
		}
		return []*wire.Envelope{from.working(*e.Header, w.Rand.IntN(2) == 0)}
	}},
	{"foreign start", func(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		start := w.told.ofKind(wire.KIND_START)
		if start == nil {
			return []*wire.Envelope{e}
		}
		h, body := *start.Header, bytes.Clone(start.Body)
		h.From, h.IdentityVersion = string(from.Operator), e.Header.IdentityVersion
		if w.Rand.IntN(2) == 0 {
			body[w.Rand.IntN(len(body))] ^= 1
		}
		return []*wire.Envelope{e, from.Forge(h, body)}
	}},
	{"late", func(w *World, from, to *Node, e *wire.Envelope) []*wire.Envelope {
		const about = time.Second
		late := w.Timing.Stall - about + time.Duration(w.Rand.Int64N(int64(2*about)))
		w.after(late, func() { w.carry(from, to, envelopes([]*wire.Envelope{e})[0]) })
		return nil
	}},
	{"abort", func(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
		h := *e.Header
		if h.Kind < wire.KIND_READY || h.Kind >= wire.KIND_PING {
			return []*wire.Envelope{e} // it is of no session
		}
		body, err := w.abort(from).Marshal()
		must(err)
		h.Kind, h.Round, h.Type, h.To = wire.KIND_ABORT, 0, "", ""
		if w.Rand.IntN(2) == 0 {
			return []*wire.Envelope{e, from.Forge(h, body)}
		}
		return []*wire.Envelope{from.Forge(h, body)}
	}},
	{"under another identity", underAnotherIdentity},
	{"refusal with a rumour", func(w *World, from, to *Node, e *wire.Envelope) []*wire.Envelope {
		refusal := wire.Refuse{Reason: string(types.ErrAlreadyDecided)}
		if said := w.rumour(from, w.told.gossip(w.Rand)); len(said) > 0 {
			refusal.Result = said[0]
		}
		body, err := refusal.Marshal()
		must(err)
		h := *e.Header
		h.Kind, h.Round, h.Type, h.To = wire.KIND_REFUSE, 0, "", string(to.Operator)
		return []*wire.Envelope{from.Forge(h, body)}
	}},
}

// abort gives no reason that counts, or names somebody who did nothing.
func (w *World) abort(from *Node) *wire.Abort {
	reasons := []types.Reason{types.ErrStalled, types.ErrProtocolFault, types.ErrAborted, types.ErrBusy, types.ErrBroadcastDiffer}
	a := &wire.Abort{Reason: string(reasons[w.Rand.IntN(len(reasons))])}
	if named := w.Nodes[w.Rand.IntN(len(w.Nodes))]; named != from {
		a.Culprits = []string{string(named.Operator)}
	}
	return a
}
