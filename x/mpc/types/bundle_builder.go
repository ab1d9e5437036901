package types

import (
	"cmp"
	"maps"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// BundleBuilder gathers results within limits. Entries may come in any order;
// they are copied. Of two for the same place, of which only one could apply, the
// one added first stays: add only what applies to the state that the bundle will
// be judged by, then it does not matter which.
type BundleBuilder struct {
	limits       BundleLimits
	bytes        int
	attestations map[mpctypes.AttestationPlace]Attestation
	signatures   map[string]SignatureResult
	evidence     map[mpctypes.EvidencePlace]Evidence
	accusations  map[accusationPlace]Accusation
}

// accusationPlace is where one accusation in a request stands.
type accusationPlace struct {
	request          mpctypes.RequestID
	accused, accuser mpctypes.Operator
}

func (p accusationPlace) compare(o accusationPlace) int {
	return cmp.Or(cmp.Compare(p.request.Kind, o.request.Kind), cmp.Compare(p.request.ID, o.request.ID),
		cmp.Compare(p.accused, o.accused), cmp.Compare(p.accuser, o.accuser))
}

// NewBundleBuilder starts an empty bundle.
func NewBundleBuilder(limits BundleLimits) *BundleBuilder {
	return &BundleBuilder{
		limits: limits, bytes: len(BundlePrefix),
		attestations: make(map[mpctypes.AttestationPlace]Attestation), signatures: make(map[string]SignatureResult),
		evidence: make(map[mpctypes.EvidencePlace]Evidence), accusations: make(map[accusationPlace]Accusation),
	}
}

// AddAttestation adds a result and says whether the bundle has one for its place
// now: if not, it does not fit.
func (b *BundleBuilder) AddAttestation(a *mpctypes.Attestation) bool {
	if _, taken := b.attestations[a.Place()]; taken {
		return true
	}
	entry := Attestation{
		Kind: RequestKind(a.Request.Kind), RequestId: a.Request.ID, Attempt: a.Attempt,
		Session: slices.Clone(a.Session[:]), Payload: slices.Clone(a.Payload), Operator: string(a.Operator),
		IdentityVersion: a.IdentityVersion, Signature: slices.Clone(a.Signature), Commitment: slices.Clone(a.Commitment[:]),
	}
	if !b.reserve(entry.Size()) {
		return false
	}
	b.attestations[a.Place()] = entry
	return true
}

// AddSignature adds a result and says whether the bundle has one of its request
// now: if not, it does not fit.
func (b *BundleBuilder) AddSignature(s *mpctypes.SignatureResult) bool {
	if _, taken := b.signatures[s.RequestID]; taken {
		return true
	}
	entry := SignatureResult{RequestId: s.RequestID, R: slices.Clone(s.R), S: slices.Clone(s.S), V: s.V}
	if !b.reserve(entry.Size()) {
		return false
	}
	b.signatures[s.RequestID] = entry
	return true
}

// AddEvidence adds proof and says whether the bundle has some against the same
// participant in the same session now: if not, it does not fit.
func (b *BundleBuilder) AddEvidence(e mpctypes.Evidence) bool {
	place := e.Place()
	if _, taken := b.evidence[place]; taken {
		return true
	}
	entry, err := newEvidence(e)
	if err != nil || !b.reserve(entry.Size()) {
		return false
	}
	b.evidence[place] = entry
	return true
}

// AddAccusation adds an accusation and says whether the bundle has one of the
// same two in the same request now: if not, it does not fit.
func (b *BundleBuilder) AddAccusation(a *mpctypes.Accusation) bool {
	place := accusationPlace{a.Request, a.Accused, a.Operator}
	if _, taken := b.accusations[place]; taken {
		return true
	}
	entry := newAccusation(a)
	if !b.reserve(entry.Size()) {
		return false
	}
	b.accusations[place] = entry
	return true
}

// reserve counts an entry of so many bytes: one byte of tag (both field numbers
// are below 16), its length, itself.
func (b *BundleBuilder) reserve(size int) bool {
	total := b.bytes + 1 + sovBundle(uint64(size)) + size
	if total > b.limits.Bytes || b.entries() >= b.limits.Entries {
		return false
	}
	b.bytes = total
	return true
}

// Encode gives the canonical bytes; nil if nothing was added.
func (b *BundleBuilder) Encode() ([]byte, error) {
	if b.entries() == 0 {
		return nil, nil
	}
	var bundle Bundle
	for _, place := range slices.SortedFunc(maps.Keys(b.attestations), mpctypes.AttestationPlace.Compare) {
		bundle.Attestations = append(bundle.Attestations, b.attestations[place])
	}
	for _, request := range slices.Sorted(maps.Keys(b.signatures)) {
		bundle.Signatures = append(bundle.Signatures, b.signatures[request])
	}
	for _, place := range slices.SortedFunc(maps.Keys(b.evidence), mpctypes.EvidencePlace.Compare) {
		bundle.Evidence = append(bundle.Evidence, b.evidence[place])
	}
	for _, place := range slices.SortedFunc(maps.Keys(b.accusations), accusationPlace.compare) {
		bundle.Accusations = append(bundle.Accusations, b.accusations[place])
	}
	return bundle.encode()
}

func (b *BundleBuilder) entries() int {
	return len(b.attestations) + len(b.signatures) + len(b.evidence) + len(b.accusations)
}
