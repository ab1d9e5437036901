package sim

import (
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// SplitLiar makes a node tell one signer of each of its presignatures the truth about what
// it is used for, and the others that it is for another committed request. What they would
// make of it are two signatures with one nonce.
func (w *World) SplitLiar(n *Node) {
	n.liar = true
	first := make(map[types.Context]*Node)
	w.Lies[n.Operator] = func(to *Node, m *wire.Message) []*wire.Message {
		e := m.GetEnvelope()
		if e == nil {
			return []*wire.Message{m}
		}
		use, context := w.anotherUse(n, e), types.Context(e.Header.Context)
		if use == nil {
			return []*wire.Message{m}
		}
		if first[context] == nil {
			first[context] = to
		}
		if to == first[context] {
			return []*wire.Message{m}
		}
		return envelopes([]*wire.Envelope{use})
	}
}

// anotherUse is a Consume for another request that its owner leads an attempt of; nil if
// the envelope is none, or nobody asked for anything else.
func (w *World) anotherUse(owner *Node, e *wire.Envelope) *wire.Envelope {
	var c wire.Consume
	if e.Header.Kind != wire.KIND_ROUND || e.Header.Type != "consume" || c.Unmarshal(e.Body) != nil {
		return nil
	}
	height := w.Chain.Height()
	for _, r := range w.Chain.requestsAt(height) {
		attempt := r.Attempt(height)
		if r.ID.Kind != types.KindSign || r.ID.ID == c.RequestId || r.Initiator(attempt) != owner.Operator {
			continue
		}
		body, err := (&wire.Consume{RequestId: r.ID.ID, Attempt: attempt, Digest: r.Digest}).Marshal()
		must(err)
		return owner.Forge(*e.Header, body)
	}
	return nil
}
