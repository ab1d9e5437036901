package types

import (
	"slices"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// BundleBuilder gathers results within limits. Entries may come in any order;
// they are copied.
type BundleBuilder struct {
	limits BundleLimits
	bytes  int
	bundle Bundle
}

// NewBundleBuilder starts an empty bundle.
func NewBundleBuilder(limits BundleLimits) *BundleBuilder {
	return &BundleBuilder{limits: limits, bytes: len(bundlePrefix)}
}

// AddAttestation adds a result if it fits and says whether it did.
func (b *BundleBuilder) AddAttestation(a *mpctypes.Attestation) bool {
	entry := Attestation{
		Kind: RequestKind(a.Request.Kind), RequestId: a.Request.ID, Attempt: a.Attempt,
		Session: slices.Clone(a.Session[:]), Payload: slices.Clone(a.Payload), Operator: string(a.Operator),
		IdentityVersion: a.IdentityVersion, Signature: slices.Clone(a.Signature),
	}
	if !b.reserve(entry.Size()) {
		return false
	}
	b.bundle.Attestations = append(b.bundle.Attestations, entry)
	return true
}

// AddSignature adds a result if it fits and says whether it did.
func (b *BundleBuilder) AddSignature(s *mpctypes.SignatureResult) bool {
	entry := SignatureResult{RequestId: s.RequestID, R: slices.Clone(s.R), S: slices.Clone(s.S), V: s.V}
	if !b.reserve(entry.Size()) {
		return false
	}
	b.bundle.Signatures = append(b.bundle.Signatures, entry)
	return true
}

// reserve counts an entry of so many bytes: one byte of tag (both field numbers
// are below 16), its length, itself.
func (b *BundleBuilder) reserve(size int) bool {
	total := b.bytes + 1 + sovBundle(uint64(size)) + size
	if total > b.limits.Bytes || len(b.bundle.Attestations)+len(b.bundle.Signatures) >= b.limits.Entries {
		return false
	}
	b.bytes = total
	return true
}

// Encode gives the canonical bytes; nil if nothing was added. Of two entries for
// the same place the one added first stays.
func (b *BundleBuilder) Encode() ([]byte, error) {
	if len(b.bundle.Attestations)+len(b.bundle.Signatures) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(b.bundle.Attestations, compareAttestations)
	b.bundle.Attestations = slices.CompactFunc(b.bundle.Attestations, func(x, y Attestation) bool {
		return compareAttestations(x, y) == 0
	})
	slices.SortStableFunc(b.bundle.Signatures, compareSignatures)
	b.bundle.Signatures = slices.CompactFunc(b.bundle.Signatures, func(x, y SignatureResult) bool {
		return compareSignatures(x, y) == 0
	})
	return b.bundle.encode()
}

// compareAttestations is mpctypes.Attestation.Less on the encoded form.
func compareAttestations(x, y Attestation) int {
	if x.Kind != y.Kind {
		return int(x.Kind) - int(y.Kind)
	}
	if c := strings.Compare(x.RequestId, y.RequestId); c != 0 {
		return c
	}
	if c := strings.Compare(x.Operator, y.Operator); c != 0 {
		return c
	}
	return int(int64(x.Attempt) - int64(y.Attempt))
}

func compareSignatures(x, y SignatureResult) int { return strings.Compare(x.RequestId, y.RequestId) }
