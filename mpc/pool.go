package mpc

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Results are told again until the chain shows them, less and less often: the
// proposer of the next block may not have heard of them.
const (
	gossipFirst = 2 * time.Second
	gossipMax   = 30 * time.Second
)

// attestationID: one attestation of each participant for each attempt.
type attestationID struct {
	request  types.RequestID
	operator types.Operator
	attempt  uint32
	// version of the identity: a new one may replace a word that is worth
	// nothing since the old one was revoked.
	version uint32
	// commitment: what answers another request under the same id does not stand in the
	// way of what answers this one.
	commitment types.Hash
}

func attestationIDOf(a *types.Attestation) attestationID {
	return attestationID{a.Request, a.Operator, a.Attempt, a.IdentityVersion, a.Commitment}
}

// accusationID: one accusation of the same two, whatever the request, as on
// chain. Of refusals, one for each request.
type accusationID struct {
	accused, accuser types.Operator
	refused          types.RequestID
}

func accusationIDOf(a *types.Accusation) accusationID {
	id := accusationID{accused: a.Accused, accuser: a.Operator}
	if a.IsRefusal() {
		id.refused = a.Request
	}
	return id
}

// pool holds results that the chain does not have yet: our own and others'.
type pool struct {
	attestations shelf[attestationID, types.Attestation]
	signatures   shelf[string, types.SignatureResult]
	evidence     shelf[types.EvidencePlace, types.Evidence]
	accusations  shelf[accusationID, types.Accusation]
	snapshot     atomic.Pointer[types.Results]
}

func newPool() *pool {
	p := &pool{
		attestations: newShelf(
			attestationIDOf,
			byLess((*types.Attestation).Less),
			func(a *types.Attestation) *wire.Gossip {
				return &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}}
			}),
		signatures: newShelf(
			func(s *types.SignatureResult) string { return s.RequestID },
			func(a, b *types.SignatureResult) int { return cmp.Compare(a.RequestID, b.RequestID) },
			func(s *types.SignatureResult) *wire.Gossip {
				return &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: s.ToWire()}}
			}),
		evidence: newShelf(
			func(e *types.Evidence) types.EvidencePlace { return e.Place() },
			byLess(func(a, b *types.Evidence) bool { return a.Less(*b) }),
			func(e *types.Evidence) *wire.Gossip {
				return &wire.Gossip{Sum: &wire.Gossip_Evidence{Evidence: e.ToWire()}}
			}),
		accusations: newShelf(
			accusationIDOf,
			byLess((*types.Accusation).Less),
			func(a *types.Accusation) *wire.Gossip {
				return &wire.Gossip{Sum: &wire.Gossip_Accusation{Accusation: a.ToWire()}}
			}),
	}
	p.publish()
	return p
}

func byLess[V any](less func(a, b *V) bool) func(a, b *V) int {
	return func(a, b *V) int {
		switch {
		case less(a, b):
			return -1
		case less(b, a):
			return 1
		}
		return 0
	}
}

func (p *pool) hasAttestation(a *types.Attestation) bool { return p.attestations.has(a) }

func (p *pool) hasSignature(id string) bool {
	return p.signatures.has(&types.SignatureResult{RequestID: id})
}

// evidenceAt is what there is of a place.
func (p *pool) evidenceAt(place types.EvidencePlace) (types.Evidence, bool) {
	e, ok := p.evidence.items[place]
	if !ok {
		return types.Evidence{}, false
	}
	return e.value, true
}

// tells: results has evidence of the same place, and of the same: a session is named by one
// for its Start, and by another one for what comes after that. It may be called from any
// goroutine.
func (p *pool) tells(e *types.Evidence) bool {
	return slices.ContainsFunc(p.snapshot.Load().Evidence, func(told types.Evidence) bool {
		return told.Place() == e.Place() && told.OfStarts() == e.OfStarts()
	})
}

// tellsAttestation: results has one of the same place. It may be called from any goroutine.
func (p *pool) tellsAttestation(a *types.Attestation) bool {
	id, all := attestationIDOf(a), p.snapshot.Load().Attestations
	for i := range all {
		if attestationIDOf(&all[i]) == id {
			return true
		}
	}
	return false
}

// presigned lists the keys of presignatures that evidence is of.
func (p *pool) presigned() []types.KeyID {
	var ids []types.KeyID
	for _, e := range p.evidence.items {
		if e.value.KeyID != "" {
			ids = append(ids, e.value.KeyID)
		}
	}
	return ids
}

// proofsOf counts the proofs against somebody.
func (p *pool) proofsOf(culprit types.Operator) (n int) {
	for place := range p.evidence.items {
		if place.Culprit == culprit {
			n++
		}
	}
	return n
}

func (p *pool) hasAccusation(a *types.Accusation) bool { return p.accusations.has(a) }

func (p *pool) signature(id string) *wire.Gossip {
	if e, ok := p.signatures.items[id]; ok {
		return e.gossip
	}
	return nil
}

func (p *pool) addOwnAttestation(a types.Attestation, now time.Time, tell func(*wire.Gossip)) {
	p.attestations.addOwn(a, now, tell)
}

func (p *pool) addOwnSignature(s types.SignatureResult, now time.Time, tell func(*wire.Gossip)) {
	p.signatures.addOwn(s, now, tell)
}

func (p *pool) addAttestation(a types.Attestation, now time.Time) {
	p.attestations.add(a, now)
}

func (p *pool) addSignature(s types.SignatureResult, now time.Time) {
	p.signatures.add(s, now)
}

func (p *pool) addEvidence(e types.Evidence, now time.Time) {
	p.evidence.add(e, now)
}

func (p *pool) addOwnEvidence(e types.Evidence, now time.Time, tell func(*wire.Gossip)) {
	p.evidence.addOwn(e, now, tell)
}

// dropEvidence makes room for one more against somebody, by the first of those that are worth
// the least, and says whether there was one that is worth less than so much.
func (p *pool) dropEvidence(culprit types.Operator, worth func(types.Evidence) int, less int) bool {
	spare := p.evidence.sorted(func(e *pooled[types.Evidence]) bool { return e.value.Culprit() == culprit && worth(e.value) < less })
	if len(spare) == 0 {
		return false
	}
	least := slices.MinFunc(spare, func(a, b *pooled[types.Evidence]) int { return cmp.Compare(worth(a.value), worth(b.value)) })
	p.evidence.drop(&least.value)
	return true
}

func (p *pool) addAccusation(a types.Accusation, now time.Time) {
	p.accusations.add(a, now)
}

// flush tells what is due.
func (p *pool) flush(now time.Time, tell func(*wire.Gossip)) {
	p.attestations.flush(now, tell)
	p.signatures.flush(now, tell)
	p.evidence.flush(now, tell)
	p.accusations.flush(now, tell)
}

// wanted says what the chain lacks still.
type wanted struct {
	attestation func(*types.Attestation) bool
	signature   func(*types.SignatureResult) bool
	evidence    func(*types.Evidence) bool
	accusation  func(*types.Accusation) bool
}

// prune keeps what is wanted.
func (p *pool) prune(w wanted) {
	p.attestations.prune(w.attestation)
	p.signatures.prune(w.signature)
	p.evidence.prune(w.evidence)
	p.accusations.prune(w.accusation)
}

func (p *pool) size() int {
	return len(p.attestations.items) + len(p.signatures.items) + len(p.evidence.items) + len(p.accusations.items)
}

// unpinned lists the keys of which somebody attests what no request asked for.
func (p *pool) unpinned() []types.KeyID {
	var ids []types.KeyID
	for id := range p.attestations.items {
		if unpinned(id.request.Kind) {
			ids = append(ids, types.KeyID(id.request.ID))
		}
	}
	return ids
}

// missingOf counts a participant's words on missing shares, and on found ones.
func (p *pool) missingOf(op types.Operator) int {
	n := 0
	for id := range p.attestations.items {
		if of := id.request.Kind; (of == types.KindShareMissing || of == types.KindShareFound) && id.operator == op {
			n++
		}
	}
	return n
}

// stale: results does not return the current content.
func (p *pool) stale() bool {
	return p.attestations.changed || p.signatures.changed || p.evidence.changed || p.accusations.changed
}

// publish makes the current content what results returns. It sorts what changed;
// Engine does it once for many changes.
func (p *pool) publish() {
	if p.snapshot.Load() != nil && !p.stale() {
		return
	}
	p.snapshot.Store(&types.Results{
		Attestations: p.attestations.values(), Signatures: p.signatures.values(),
		Evidence: p.evidence.values(), Accusations: p.accusations.values(),
	})
}

// results may be called from any goroutine and never blocks.
func (p *pool) results() types.Results {
	r := p.snapshot.Load()
	return types.Results{
		Attestations: slices.Clone(r.Attestations), Signatures: slices.Clone(r.Signatures),
		Evidence: slices.Clone(r.Evidence), Accusations: slices.Clone(r.Accusations),
	}
}
