package sim

import (
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// replaced is an honest node that has another identity now, whose former one everybody may
// have; nil if there is none.
func (w *World) replaced() *Node {
	for _, n := range w.Nodes {
		if len(n.former) > 0 && !n.liar {
			return n
		}
	}
	return nil
}

// underAnotherIdentity says the same in the name of an honest node, by the identity that it
// replaced, beside what is due; or else by an identity that the liar does not have.
func underAnotherIdentity(w *World, from, _ *Node, e *wire.Envelope) []*wire.Envelope {
	h := *e.Header
	victim := w.replaced()
	if victim == nil {
		h.IdentityVersion++
		return []*wire.Envelope{from.Forge(h, e.Body)}
	}
	h.From, h.IdentityVersion = string(victim.Operator), 1
	return []*wire.Envelope{e, types.SignEnvelope(&h, e.Body, victim.former[0])}
}

// theftRumours are what nobody asked for, in the name of an honest node by the identity that
// it replaced.
var theftRumours = []rumour{
	{"share missing, by a replaced identity", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip {
		return w.steal(types.KindShareMissing)
	}},
	{"deletion, by a replaced identity", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip {
		return w.steal(types.KindDelete)
	}},
}

func (w *World) steal(kind types.RequestKind) []*wire.Gossip {
	victim := w.replaced()
	if victim == nil || len(w.Chain.keys) == 0 {
		return nil
	}
	key, known := w.Chain.Key(w.Chain.keys[w.Rand.IntN(len(w.Chain.keys))])
	if !known {
		return nil
	}
	a := types.Attestation{
		Request: types.RequestID{Kind: kind, ID: string(key.ID)}, Operator: victim.Operator, IdentityVersion: 1,
	}
	if kind == types.KindDelete {
		a.Commitment, a.Payload = key.DeletionCommitment(w.Chain.ID()), types.DeletionPayload(true)
	} else {
		a.Commitment, a.Session = key.EpochCommitment(w.Chain.ID()), key.Session
	}
	a.Sign(w.Chain.ID(), victim.former[0])
	return []*wire.Gossip{{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}}}
}
