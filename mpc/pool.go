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
}

// pooled is a result on its way to a proposer.
type pooled struct {
	gossip      *wire.Gossip
	attestation *types.Attestation
	signature   *types.SignatureResult
	due         time.Time
	interval    time.Duration
}

// pool holds results that the chain does not have yet: our own and others'.
type pool struct {
	attestations map[attestationID]*pooled
	signatures   map[string]*pooled
	snapshot     atomic.Pointer[types.Results]
}

func newPool() *pool {
	p := &pool{attestations: make(map[attestationID]*pooled), signatures: make(map[string]*pooled)}
	p.publish()
	return p
}

func idOf(a *types.Attestation) attestationID {
	return attestationID{a.Request, a.Operator, a.Attempt, a.IdentityVersion}
}

func (p *pool) hasAttestation(a *types.Attestation) bool {
	_, ok := p.attestations[idOf(a)]
	return ok
}

func (p *pool) hasSignature(id string) bool {
	_, ok := p.signatures[id]
	return ok
}

func (p *pool) signature(id string) *wire.Gossip {
	if e, ok := p.signatures[id]; ok {
		return e.gossip
	}
	return nil
}

func (p *pool) addAttestation(a types.Attestation, now time.Time) {
	p.attestations[idOf(&a)] = &pooled{
		gossip:      &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}},
		attestation: &a, due: now, interval: gossipFirst,
	}
	p.publish()
}

func (p *pool) addSignature(s types.SignatureResult, now time.Time) {
	p.signatures[s.RequestID] = &pooled{
		gossip:    &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: s.ToWire()}},
		signature: &s, due: now, interval: gossipFirst,
	}
	p.publish()
}

// flush tells what is due.
func (p *pool) flush(now time.Time, gossip func(*wire.Gossip)) {
	for _, e := range p.entries() {
		if now.Before(e.due) {
			continue
		}
		gossip(e.gossip)
		e.due = now.Add(e.interval)
		e.interval = min(2*e.interval, gossipMax)
	}
}

// prune keeps what is wanted.
func (p *pool) prune(attestation func(*types.Attestation) bool, signature func(id string) bool) {
	before := p.size()
	for id, e := range p.attestations {
		if !attestation(e.attestation) {
			delete(p.attestations, id)
		}
	}
	for id := range p.signatures {
		if !signature(id) {
			delete(p.signatures, id)
		}
	}
	if p.size() != before {
		p.publish()
	}
}

func (p *pool) size() int { return len(p.attestations) + len(p.signatures) }

// deletions lists the keys whose deletion somebody attested.
func (p *pool) deletions() []types.KeyID {
	var ids []types.KeyID
	for id := range p.attestations {
		if id.request.Kind == types.KindDelete {
			ids = append(ids, types.KeyID(id.request.ID))
		}
	}
	return ids
}

// entries lists everything in canonical order.
func (p *pool) entries() []*pooled {
	list := make([]*pooled, 0, p.size())
	for _, e := range p.attestations {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *pooled) int {
		switch {
		case a.attestation.Less(b.attestation):
			return -1
		case b.attestation.Less(a.attestation):
			return 1
		}
		return 0
	})
	signatures := make([]*pooled, 0, len(p.signatures))
	for _, e := range p.signatures {
		signatures = append(signatures, e)
	}
	slices.SortFunc(signatures, func(a, b *pooled) int { return cmp.Compare(a.signature.RequestID, b.signature.RequestID) })
	return append(list, signatures...)
}

// publish makes the current content what results returns.
func (p *pool) publish() {
	r := &types.Results{}
	for _, e := range p.entries() {
		if e.attestation != nil {
			r.Attestations = append(r.Attestations, *e.attestation)
		} else {
			r.Signatures = append(r.Signatures, *e.signature)
		}
	}
	p.snapshot.Store(r)
}

// results may be called from any goroutine and never blocks.
func (p *pool) results() types.Results {
	r := p.snapshot.Load()
	return types.Results{
		Attestations: slices.Clone(r.Attestations),
		Signatures:   slices.Clone(r.Signatures),
	}
}
