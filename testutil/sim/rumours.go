package sim

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
)

// rumour is one way of lying about what travels outside sessions: instead of passing
// on a result, or without any occasion. There is a result unless nobody ever had one.
type rumour struct {
	name string
	tell func(w *World, from *Node, g *wire.Gossip) []*wire.Gossip
}

// rumour makes up one of any kind out of what was said; nothing before anybody said
// anything.
func (w *World) rumour(from *Node, g *wire.Gossip) []*wire.Gossip {
	if len(w.told.envelopes) == 0 {
		return nil
	}
	return rumours[w.Rand.IntN(len(rumours))].tell(w, from, g)
}

// rumours are told by RandomLiar. Every identity of a liar is its first.
var rumours = slices.Concat(oldRumours, signatureRumours, attestationRumours, accusationRumours, evidenceRumours, theftRumours)

// oldRumours are made of what others said.
var oldRumours = []rumour{
	{"withhold", func(*World, *Node, *wire.Gossip) []*wire.Gossip { return nil }},
	{"old", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip {
		if old := w.told.gossip(w.Rand); old != nil {
			return []*wire.Gossip{old}
		}
		return nil
	}},
	{"spoiled on its way", func(w *World, _ *Node, g *wire.Gossip) []*wire.Gossip {
		if g == nil {
			return nil
		}
		bz, err := g.Marshal()
		must(err)
		bz[w.Rand.IntN(len(bz))] ^= byte(1 + w.Rand.IntN(255))
		var spoiled wire.Gossip
		if spoiled.Unmarshal(bz) != nil {
			return nil
		}
		return []*wire.Gossip{&spoiled}
	}},
	{"altered on its way", func(w *World, from *Node, g *wire.Gossip) []*wire.Gossip { return w.alter(from, g) }},
}

// alter changes what somebody said and keeps its signature.
func (w *World) alter(from *Node, g *wire.Gossip) []*wire.Gossip {
	if g == nil {
		return nil
	}
	bz, err := g.Marshal()
	must(err)
	var altered wire.Gossip
	must(altered.Unmarshal(bz))
	switch sum := altered.Sum.(type) {
	case *wire.Gossip_Attestation:
		sum.Attestation.Payload = falsePayload(len(w.Nodes))
	case *wire.Gossip_Signature:
		sum.Signature.V ^= 1
	case *wire.Gossip_Accusation:
		sum.Accusation.Accused = string(w.honest(from).Operator)
	case *wire.Gossip_Evidence:
		culprit := string(w.honest(from).Operator)
		sum.Evidence.First.Header.From, sum.Evidence.Second.Header.From = culprit, culprit
	}
	return []*wire.Gossip{&altered}
}

// signatureRumours are signatures of open requests that nobody made.
var signatureRumours = []rumour{
	{"false signature", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip { return w.falseSignatures(1) }},
	{"many false signatures", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip { return w.falseSignatures(20) }},
	{"signature by another key", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip {
		r, open := w.openRequest(types.KindSign)
		if !open {
			return nil
		}
		s := chain.NewSecret("of the liar").Sign(r.ID.ID, r.Digest)
		return []*wire.Gossip{{Sum: &wire.Gossip_Signature{Signature: s.ToWire()}}}
	}},
	{"signature of another request", func(w *World, _ *Node, g *wire.Gossip) []*wire.Gossip {
		r, open := w.openRequest(types.KindSign)
		if g.GetSignature() == nil || !open {
			return nil
		}
		s := *g.GetSignature()
		s.RequestId = r.ID.ID
		return []*wire.Gossip{{Sum: &wire.Gossip_Signature{Signature: &s}}}
	}},
}

func (w *World) falseSignatures(count int) []*wire.Gossip {
	r, open := w.openRequest(types.KindSign)
	if !open {
		return nil
	}
	var said []*wire.Gossip
	for range count {
		s := types.SignatureResult{RequestID: r.ID.ID, R: w.random(32), S: w.random(32), V: uint32(w.Rand.IntN(2))}
		s.S[0] &= 0x3f // low
		said = append(said, &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: s.ToWire()}})
	}
	return said
}

// attestationRumours: the liar's own name under what is not so, others' names under
// what they did not say.
var attestationRumours = []rumour{
	{"false payload", func(w *World, from *Node, g *wire.Gossip) []*wire.Gossip {
		return w.reattest(from, g, func(a *types.Attestation) { a.Payload = falsePayload(len(w.Nodes)) })
	}},
	{"false session", func(w *World, from *Node, g *wire.Gossip) []*wire.Gossip {
		return w.reattest(from, g, func(a *types.Attestation) { a.Session = types.Context(w.random(32)) })
	}},
	{"another attempt", func(w *World, from *Node, g *wire.Gossip) []*wire.Gossip {
		return w.reattest(from, g, func(a *types.Attestation) { a.Attempt = uint32(w.Rand.IntN(8)) })
	}},
	{"what another one attested", func(w *World, from *Node, g *wire.Gossip) []*wire.Gossip {
		return w.reattest(from, g, func(*types.Attestation) {})
	}},
	{"out of nothing", func(w *World, from *Node, _ *wire.Gossip) []*wire.Gossip {
		r, open := w.openRequest(types.KindKeygen)
		if !open {
			return nil
		}
		return []*wire.Gossip{from.attestation(types.Attestation{
			Request: r.ID, Commitment: r.Commitment(ChainID), Attempt: r.Attempt(w.Chain.Height()), Session: types.Context(w.random(32)),
			Payload: falsePayload(len(w.Nodes)), Operator: from.Operator, IdentityVersion: 1,
		})}
	}},
	{"in another one's name", func(w *World, from *Node, _ *wire.Gossip) []*wire.Gossip {
		r, open := w.openRequest(types.KindKeygen)
		if !open {
			return nil
		}
		return []*wire.Gossip{from.attestation(types.Attestation{
			Request: r.ID, Commitment: r.Commitment(ChainID), Attempt: r.Attempt(w.Chain.Height()), Session: types.Context(w.random(32)),
			Payload: falsePayload(len(w.Nodes)), Operator: w.honest(from).Operator, IdentityVersion: 1,
		})}
	}},
	{"deletion of what is not deleted", func(w *World, from *Node, _ *wire.Gossip) []*wire.Gossip {
		if len(w.Chain.keys) == 0 {
			return nil
		}
		return []*wire.Gossip{from.attestation(types.Attestation{
			Request:  types.RequestID{Kind: types.KindDelete, ID: string(w.Chain.keys[w.Rand.IntN(len(w.Chain.keys))])},
			Operator: from.Operator, IdentityVersion: 1,
		})}
	}},
}

// reattest puts the liar's name and signature under what an attestation says.
func (w *World) reattest(from *Node, g *wire.Gossip, change func(*types.Attestation)) []*wire.Gossip {
	if g.GetAttestation() == nil {
		return nil
	}
	a, err := types.AttestationFromWire(g.GetAttestation())
	must(err)
	a.Operator, a.IdentityVersion = from.Operator, 1
	change(&a)
	return []*wire.Gossip{from.attestation(a)}
}

// attestation signs with this node's identity, whoever is named.
func (n *Node) attestation(a types.Attestation) *wire.Gossip {
	a.Sign(ChainID, n.Identity)
	return &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}}
}

// accusationRumours accuse the honest.
var accusationRumours = []rumour{
	{"false accusation", func(w *World, from *Node, _ *wire.Gossip) []*wire.Gossip {
		return w.accuse(from, from.Operator, w.honest(from).Operator)
	}},
	{"false accusation of everybody", func(w *World, from *Node, _ *wire.Gossip) []*wire.Gossip {
		var said []*wire.Gossip
		for _, n := range w.Nodes {
			if n != from {
				said = append(said, w.accuse(from, from.Operator, n.Operator)...)
			}
		}
		return said
	}},
	{"accusation in another one's name", func(w *World, from *Node, _ *wire.Gossip) []*wire.Gossip {
		by, of := w.honest(from).Operator, w.Nodes[w.Rand.IntN(len(w.Nodes))].Operator
		if by == of {
			return nil
		}
		return w.accuse(from, by, of)
	}},
}

func (w *World) accuse(from *Node, by, of types.Operator) []*wire.Gossip {
	r, open := w.openRequest(0)
	if !open {
		return nil
	}
	reasons := []types.Reason{types.ErrStalled, types.ErrProtocolFault, types.ErrBroadcastDiffer, types.ErrStartTimeout}
	a := types.Accusation{
		Request: r.ID, Attempt: r.Attempt(w.Chain.Height()) + uint32(w.Rand.IntN(3)), Session: types.Context(w.random(32)),
		Accused: of, Reason: reasons[w.Rand.IntN(len(reasons))], Operator: by, IdentityVersion: 1,
	}
	a.Sign(ChainID, from.Identity)
	return []*wire.Gossip{{Sum: &wire.Gossip_Accusation{Accusation: a.ToWire()}}}
}

// evidenceRumours prove nothing against the honest.
var evidenceRumours = []rumour{
	{"evidence of one thing said once", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip {
		e := w.told.envelope(w.Rand)
		return evidence(e, e)
	}},
	{"evidence of two places", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip {
		e := w.told.envelope(w.Rand)
		for _, other := range w.told.envelopes {
			if other.Header.From == e.Header.From && !bytes.Equal(other.Header.BodyHash, e.Header.BodyHash) {
				return evidence(e, other)
			}
		}
		return nil
	}},
	{"evidence with a forged half", func(w *World, from *Node, _ *wire.Gossip) []*wire.Gossip {
		e := w.told.envelope(w.Rand)
		return evidence(e, from.Forge(*e.Header, w.random(8)))
	}},
	{"evidence with a half that is altered", func(w *World, _ *Node, _ *wire.Gossip) []*wire.Gossip {
		e := w.told.envelope(w.Rand)
		h := *e.Header
		h.BodyHash = w.random(sha256.Size)
		return evidence(e, &wire.Envelope{Header: &h, Signature: e.Signature})
	}},
}

func evidence(a, b *wire.Envelope) []*wire.Gossip {
	return []*wire.Gossip{{Sum: &wire.Gossip_Evidence{Evidence: types.NewEvidence(a, b).ToWire()}}}
}

// honest is any node but the liar.
func (w *World) honest(liar *Node) *Node {
	for {
		if n := w.Nodes[w.Rand.IntN(len(w.Nodes))]; n != liar {
			return n
		}
	}
}

// openRequest is any open one, of a kind, or of any.
func (w *World) openRequest(kind types.RequestKind) (types.Request, bool) {
	open := slices.DeleteFunc(slices.Clone(w.Chain.last().requests), func(r types.Request) bool { return kind != 0 && r.ID.Kind != kind })
	if len(open) == 0 {
		return types.Request{}, false
	}
	return open[w.Rand.IntN(len(open))], true
}

func (w *World) random(n int) []byte {
	bz := make([]byte, n)
	for i := range bz {
		bz[i] = byte(w.Rand.IntN(256))
	}
	return bz
}

// falsePayload is what nobody's share belongs to.
func falsePayload(members int) []byte { return chain.NewSecret("of the liar").Payload(members) }
