package sim

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// words are what engines said, before any lie. Two different messages for one place
// of a session are proof against a member, and two sealed with one nonce give both
// away: no engine may ever make either, not even one that crashed. Nor does one pass
// on what is false, or attest a share that it does not have on disk. Two signatures with one R
// give the key away.
type words struct {
	places map[place]types.Hash
	nonces map[nonce]types.Hash
	// signatures are the S of each R.
	signatures map[string]string
	// results are those that were looked at.
	results map[*wire.Gossip]bool
	// inOrder are the same, the oldest first.
	inOrder []*wire.Gossip
	broken  []string
}

// place is where a member says one thing.
type place struct {
	context  types.Hash
	kind     wire.Kind
	round    uint32
	typ      string
	from, to string
}

// nonce is what a message is sealed with, under a key of each session and direction.
type nonce struct {
	context  types.Hash
	from, to string
	sequence uint64
}

func newWords() words {
	return words{
		places: make(map[place]types.Hash), nonces: make(map[nonce]types.Hash), signatures: make(map[string]string),
		results: make(map[*wire.Gossip]bool),
	}
}

// said notes an envelope that an engine sends.
func (w *words) said(e *wire.Envelope) {
	h := e.Header
	context, body := types.Hash(h.Context), types.Hash(h.BodyHash)
	switch h.Kind {
	case wire.KIND_ROUND, wire.KIND_CONFIRM, wire.KIND_START:
	default:
		return
	}
	p := place{context, h.Kind, h.Round, h.Type, h.From, h.To}
	if before, said := w.places[p]; said && before != body {
		w.broken = append(w.broken, fmt.Sprintf("%s said two things as %s %s of round %d to %q", h.From, h.Kind, h.Type, h.Round, h.To))
	}
	w.places[p] = body
	if h.Kind != wire.KIND_ROUND || h.To == "" {
		return
	}
	n := nonce{context, h.From, h.To, h.Sequence}
	if before, used := w.nonces[n]; used && before != body {
		w.broken = append(w.broken, fmt.Sprintf("%s sealed two messages to %s with nonce %d", h.From, h.To, h.Sequence))
	}
	w.nonces[n] = body
}

// told notes a result that an engine tells.
func (w *words) told(n *Node, g *wire.Gossip) {
	if w.results[g] {
		return
	}
	w.results[g] = true
	w.inOrder = append(w.inOrder, g)
	if err := n.judge(g); err != nil {
		w.broken = append(w.broken, fmt.Sprintf("%s told %T: %v", n.Operator, g.Sum, err))
	}
	if s := g.GetSignature(); s != nil {
		w.signed(s.RequestId, s.R, s.S)
	}
}

// signed notes a signature that an engine tells, or that the chain has. Whoever signs two digests
// with one nonce makes two of one R: all sessions of a network are looked at, also those whose
// signature nobody needed.
func (w *words) signed(request string, r, s []byte) {
	if before, used := w.signatures[string(r)]; used && before != string(s) {
		w.broken = append(w.broken, fmt.Sprintf("a nonce was used twice, the second time for %s: R is %x", request, r))
	}
	w.signatures[string(r)] = string(s)
}

// Nonces counts the different R of all signatures that were made.
func (w *World) Nonces() int { return len(w.words.signatures) }

// judge says what is wrong with a result that this node's engine tells.
func (n *Node) judge(g *wire.Gossip) error {
	roster, chainID := n.world.Chain.Roster(), n.world.Chain.ID()
	switch sum := g.Sum.(type) {
	case *wire.Gossip_Attestation:
		a, err := types.AttestationFromWire(sum.Attestation)
		if err != nil {
			return err
		}
		if a.Operator == n.Operator && !n.liar {
			if err := n.means(&a); err != nil {
				return err
			}
		}
		key, _ := roster.Key(a.Operator, a.IdentityVersion)
		return n.world.right(g, key, func() error { return a.Verify(chainID, key) })
	case *wire.Gossip_Signature:
		s, err := types.SignatureResultFromWire(sum.Signature)
		if err != nil {
			return err
		}
		for _, r := range n.world.Chain.requestsAt(n.seen) {
			if r.ID == (types.RequestID{Kind: types.KindSign, ID: s.RequestID}) {
				return n.world.right(g, append(r.Digest[:len(r.Digest):len(r.Digest)], r.PublicKey...), func() error { return types.VerifySignature(r.PublicKey, r.Digest, &s) })
			}
		}
		return fmt.Errorf("nobody asked for it")
	case *wire.Gossip_Evidence:
		e, err := types.EvidenceFromWire(sum.Evidence, chainID)
		if err != nil {
			return err
		}
		key, _ := roster.Key(e.Culprit(), e.IdentityVersion())
		return e.Verify(chainID, key)
	case *wire.Gossip_Accusation:
		a, err := types.AccusationFromWire(sum.Accusation)
		if err != nil {
			return err
		}
		key, _ := roster.Key(a.Operator, a.IdentityVersion)
		return n.world.right(g, key, func() error { return a.Verify(chainID, key) })
	}
	return fmt.Errorf("it says nothing")
}

// right verifies a result against a key unless the same was right before: all nodes tell
// it, in all worlds that begin alike.
func (w *World) right(g *wire.Gossip, key []byte, verify func() error) error {
	bz, err := g.Marshal()
	must(err)
	same := types.Hash(sha256.Sum256(fmt.Appendf(nil, "result|%s|%x|%x", w.Chain.ID(), key, bz)))
	if _, known := w.Verified[same]; known {
		return nil
	}
	if err := verify(); err != nil {
		return err
	}
	w.Verified[same] = types.Verified{}
	return nil
}

// means says what is wrong with what this node attests of its own store.
func (n *Node) means(a *types.Attestation) error {
	records, err := n.Store.Records()
	must(err)
	held := slices.IndexFunc(records, func(r types.Record) bool { return r.HasData && r.Context == a.Session })
	switch {
	case a.Request.Kind == types.KindDelete:
		return nil
	case a.Request.Kind == types.KindShareMissing && held >= 0:
		return fmt.Errorf("it says that it has no share, and holds it")
	case a.Request.Kind == types.KindShareFound && held < 0:
		return fmt.Errorf("it says that it has its share again, and does not")
	case a.Request.Kind == types.KindShareMissing, a.Request.Kind == types.KindShareFound:
		return nil
	case held < 0 || !bytes.Equal(records[held].Payload, a.Payload):
		return fmt.Errorf("it attests a share that it does not hold")
	}
	return nil
}

// Broken lists what engines should never have said.
func (w *World) Broken() []string { return w.words.broken }
