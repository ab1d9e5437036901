package sim

import (
	"math/rand/v2"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Lie is what a dishonest node makes of a message that it should send to
// somebody: nothing, another one, several.
type Lie func(to *Node, m *wire.Message) []*wire.Message

// honest: a node says what it should, and nothing else.
func honest(says []*wire.Message, m *wire.Message) bool {
	if len(says) != 1 {
		return false
	}
	e := m.GetEnvelope()
	return says[0] == m || e != nil && says[0].GetEnvelope() == e
}

// Forge signs anything with the node's identity, as a dishonest owner could.
func (n *Node) Forge(h wire.Header, body []byte) *wire.Envelope {
	return types.SignEnvelope(&h, body, n.Identity)
}

// RandomLiar makes a node tell a lie instead of so many of a hundred messages. Of
// its envelopes one in so many is followed by a rumour: most of the time there is no
// gossip to lie in.
func (w *World) RandomLiar(n *Node, percent int) {
	const rumourEvery = 20
	n.liar = true
	w.Lies[n.Operator] = func(to *Node, m *wire.Message) []*wire.Message {
		lie := w.Rand.IntN(100) < percent
		if g := m.GetGossip(); g != nil {
			if !lie {
				return []*wire.Message{m}
			}
			return gossips(w.rumour(n, g))
		}
		out := []*wire.Message{m}
		if lie {
			out = envelopes(w.lie(n, to, m.GetEnvelope()))
		}
		if w.Rand.IntN(rumourEvery) == 0 {
			out = append(out, gossips(w.rumour(n, w.told.gossip(w.Rand)))...)
		}
		return out
	}
}

// lie is any of them, every other time that which only a Consume can be.
func (w *World) lie(from, to *Node, e *wire.Envelope) []*wire.Envelope {
	if use := w.anotherUse(from, e); use != nil && w.Rand.IntN(2) == 0 {
		return []*wire.Envelope{use}
	}
	return lies[w.Rand.IntN(len(lies))].tell(w, from, to, e)
}

func envelopes(list []*wire.Envelope) []*wire.Message {
	var out []*wire.Message
	for _, e := range list {
		out = append(out, &wire.Message{Sum: &wire.Message_Envelope{Envelope: e}})
	}
	return out
}

func gossips(list []*wire.Gossip) []*wire.Message {
	var out []*wire.Message
	for _, g := range list {
		out = append(out, &wire.Message{Sum: &wire.Message_Gossip{Gossip: g}})
	}
	return out
}

// maxTold bounds what a liar remembers of everybody's old messages, of each kind.
const maxTold = 500

// told are old messages.
type told struct {
	envelopes []*wire.Envelope
	gossips   []*wire.Gossip
}

func (t *told) add(m *wire.Message, rand *rand.Rand) {
	if e := m.GetEnvelope(); e != nil {
		t.envelopes = keep(t.envelopes, e, rand)
	}
	if g := m.GetGossip(); g != nil {
		t.gossips = keep(t.gossips, g, rand)
	}
}

func keep[M any](list []M, m M, rand *rand.Rand) []M {
	if len(list) < maxTold {
		return append(list, m)
	}
	list[rand.IntN(maxTold)] = m
	return list
}

// envelope is any old one; somebody must have said one.
func (t *told) envelope(rand *rand.Rand) *wire.Envelope {
	return t.envelopes[rand.IntN(len(t.envelopes))]
}

// ofKind is an old one of a kind; nil if there is none.
func (t *told) ofKind(kind wire.Kind) *wire.Envelope {
	for _, e := range t.envelopes {
		if e.Header.Kind == kind {
			return e
		}
	}
	return nil
}

// gossip is any old one; nil if there is none.
func (t *told) gossip(rand *rand.Rand) *wire.Gossip {
	if len(t.gossips) == 0 {
		return nil
	}
	return t.gossips[rand.IntN(len(t.gossips))]
}
