package mpc

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Judged is a result that Judge found nothing wrong with. Only Judge makes one, so
// that no curve is computed and no state is read on the loop for what anybody may send.
type Judged struct {
	gossip *wire.Gossip
	// proves is the request that a finished signature was verified against; nil for
	// other results, and for a signature of no request that was open.
	proves *types.Request
	// evidence is proof that was verified, and that the chain lacked in the view under;
	// nil for other results, and for proof that nobody needs.
	evidence *types.Evidence
	// attested is an attestation that no request asked for, which was verified, and which
	// the chain lacked in the view under; nil for others.
	attested *types.Attestation
	under    *judging
}

// judging is what Judge goes by: the last view, the requests that are open in it and
// those that were before. Nobody changes it, the next view brings another: it is read
// from any goroutine. What it counts is for all of them.
type judging struct {
	view     *View
	requests map[types.RequestID]*types.Request
	decided  []decidedRequest
	looks    looks
}

// maxLooks at committed state are made between two blocks for what one participant says
// unasked, and one peer brings: a node has no more deletions to acknowledge than it makes in
// that time. What comes beyond is told again. Each peer has its own: old words of somebody,
// which nobody needs any more, can be repeated by whoever has them, and keep none of its new
// ones out that others bring.
const maxLooks = 64

// looks counts them, and has what they found: a word costs one, whoever repeats it.
type looks struct {
	mu    sync.Mutex
	by    map[look]int
	found map[types.Hash]bool
}

// look is for whom one is made: who signed a word, and who brought it.
type look struct {
	signer types.Operator
	peer   string
}

// before is what a look at this word found; known is false if nobody had one.
func (l *looks) before(word types.Hash) (wanted, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wanted, known = l.found[word]
	return wanted, known
}

func (l *looks) take(at look) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = make(map[look]int)
	}
	l.by[at]++
	return l.by[at] <= maxLooks
}

func (l *looks) note(word types.Hash, wanted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found == nil {
		l.found = make(map[types.Hash]bool)
	}
	l.found[word] = wanted
}

// of says whether it was verified against what a request asks for.
func (j Judged) of(r *types.Request) bool {
	return j.proves != nil && bytes.Equal(j.proves.PublicKey, r.PublicKey) && bytes.Equal(j.proves.Digest, r.Digest)
}

// Judge verifies what proves itself: a finished signature against the public key and the
// digest of the request that is open here, proof against the identity of whom it is about,
// and what somebody says of a key unasked. The error is types.ErrBadResult: it is false, and no honest node passes it on,
// because a request has one key and one digest for ever, and a version of an identity
// one key.
//
// It may be called from any goroutine: it takes tenths of a millisecond and may read
// committed state, which the loop cannot spare for what anybody may send. Other results
// are judged by HandleGossip.
func (c *Core) Judge(g *wire.Gossip) (Judged, error) { return c.judgeFrom("", g) }

// judgeFrom judges what a peer delivered; empty: nobody in particular.
func (c *Core) judgeFrom(peer string, g *wire.Gossip) (Judged, error) {
	switch sum := g.Sum.(type) {
	case *wire.Gossip_Signature:
		return c.judgeSignature(g, sum.Signature)
	case *wire.Gossip_Evidence:
		return c.judgeEvidence(g, sum.Evidence)
	case *wire.Gossip_Attestation:
		if unpinned(types.RequestKind(sum.Attestation.RequestKind)) {
			return c.judgeUnpinned(peer, g, sum.Attestation)
		}
	}
	return Judged{gossip: g}, nil
}

func (c *Core) judgeSignature(g *wire.Gossip, w *wire.Signature) (Judged, error) {
	s, err := types.SignatureResultFromWire(w)
	if err != nil {
		return Judged{}, fmt.Errorf("%w: %w", types.ErrBadResult, err)
	}
	r, open := c.judging.Load().requests[types.RequestID{Kind: types.KindSign, ID: s.RequestID}]
	if !open {
		return Judged{gossip: g}, nil
	}
	if err := types.VerifySignature(r.PublicKey, r.Digest, &s); err != nil {
		return Judged{}, fmt.Errorf("%w: %w", types.ErrBadResult, err)
	}
	return Judged{gossip: g, proves: r}, nil
}

// judgeEvidence looks at signatures and state only for proof that the view has a use for.
func (c *Core) judgeEvidence(g *wire.Gossip, w *wire.Evidence) (Judged, error) {
	e, err := types.EvidenceFromWire(w, c.opts.ChainID)
	if err != nil {
		return Judged{}, fmt.Errorf("%w: %w", types.ErrBadResult, err)
	}
	ctx, under, unneeded := context.Background(), c.judging.Load(), Judged{gossip: g}
	if c.pool.tells(&e) {
		return unneeded, nil
	}
	key, wanted := under.evidenceKey(&e, func(id types.KeyID) (types.Key, bool) { return c.keyIn(ctx, under.view, id) })
	if !wanted {
		return unneeded, nil
	}
	if err := e.Verify(c.opts.ChainID, key); err != nil {
		return Judged{}, fmt.Errorf("%w: %w", types.ErrBadResult, err)
	}
	if c.provenBefore(ctx, &e) {
		return unneeded, nil
	}
	return Judged{gossip: g, evidence: &e, under: under}, nil
}

// judgeUnpinned looks at the key, which may be any, after the signature: who makes nodes
// read puts its name to it.
func (c *Core) judgeUnpinned(peer string, g *wire.Gossip, w *wire.Attestation) (Judged, error) {
	a, err := types.AttestationFromWire(w)
	if err != nil {
		return Judged{}, fmt.Errorf("%w: %w", types.ErrBadResult, err)
	}
	under, unneeded := c.judging.Load(), Judged{gossip: g}
	identity, known := under.view.Roster.CurrentKey(a.Operator, a.IdentityVersion)
	if !known || c.pool.tellsAttestation(&a) {
		return unneeded, nil
	}
	if err := a.Verify(c.opts.ChainID, identity); err != nil {
		return Judged{}, fmt.Errorf("%w: %w", types.ErrBadResult, err)
	}
	if !c.lacks(peer, under, &a) {
		return unneeded, nil
	}
	return Judged{gossip: g, attested: &a, under: under}, nil
}

// lacks: the chain has a use for a word that nobody asked for, and does not have it. It is
// read only for a key that the view does not have, and within bounds.
func (c *Core) lacks(peer string, under *judging, a *types.Attestation) bool {
	id := types.KeyID(a.Request.ID)
	if key, known := under.view.Keys[id]; known {
		return c.unpinnedWanted(&key, a)
	}
	word := a.Hash(c.opts.ChainID)
	if wanted, known := under.looks.before(word); known {
		return wanted
	}
	if !under.looks.take(look{a.Operator, peer}) {
		return false
	}
	key, known := c.keyIn(context.Background(), under.view, id)
	wanted := known && c.unpinnedWanted(&key, a)
	under.looks.note(word, wanted)
	return wanted
}

// provenBefore: the chain has proof against the same participant in the same session, or
// does not say now: it comes again. The view has what counts only. Whoever repeats what
// ceased to would make every node hold it again, and the chain refuses it.
func (c *Core) provenBefore(ctx context.Context, e *types.Evidence) bool {
	known, err := c.opts.Chain.Proven(ctx, e.Culprit(), e.Context())
	if err != nil {
		c.opts.Log.Warn("committed state does not say what was proved before; evidence is dropped, and comes again", "against", e.Culprit(), "err", err)
		return true
	}
	return known
}
