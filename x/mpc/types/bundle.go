package types

import (
	"bytes"
	"encoding/binary"
	"fmt"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// bundleMagic begins every bundle. Its first byte would be the protobuf tag of
// field 0 with wire type 7, neither of which exists: no transaction begins so,
// and no decoder of transactions accepts it.
const bundleMagic = "\x07MPCB"

// bundleVersion follows the magic. Another one is refused, not skipped.
const bundleVersion = "\x02"

// BundlePrefix begins every bundle of this version.
const BundlePrefix = bundleMagic + bundleVersion

// Tags of the fields of a Bundle: field number, wire type 2.
const (
	attestationTag = 1<<3 | 2
	accusationTag  = 4<<3 | 2
)

// BundleLimits is how much one bundle may carry.
type BundleLimits struct {
	// Entries counts results of all kinds together.
	Entries int
	// Bytes counts everything, prefix included.
	Bytes int
}

// MaxBundle is what no parameters can go beyond; it bounds the work on a bundle
// that was decided already.
var MaxBundle = BundleLimits{Entries: MaxBundleEntries, Bytes: MaxBundleBytes}

// BundleLimits are the limits that the chain set.
func (p Params) BundleLimits() BundleLimits {
	return BundleLimits{Entries: int(p.BundleMaxEntries), Bytes: int(p.BundleMaxBytes)}
}

// IsBundle reports whether bytes in the place of a transaction are meant as a
// bundle, of any version and whether or not it is valid.
func IsBundle(tx []byte) bool { return bytes.HasPrefix(tx, []byte(bundleMagic)) }

// DecodeBundle is strict: what a BundleBuilder would not have made of the same
// entries is refused, so one set of results has one encoding. It checks shape,
// order, duplicates and limits; signatures need state and are checked by the
// keeper.
func DecodeBundle(tx []byte, limits BundleLimits) (mpctypes.Results, error) {
	var none mpctypes.Results
	if len(tx) > limits.Bytes {
		return none, ErrBadBundle.Wrapf("%d bytes, at most %d are allowed", len(tx), limits.Bytes)
	}
	if !bytes.HasPrefix(tx, []byte(BundlePrefix)) {
		return none, ErrBadBundle.Wrap("not a bundle, or one of another version")
	}
	body := tx[len(BundlePrefix):]
	if n, ok := countEntries(body); !ok || n == 0 || n > limits.Entries {
		return none, ErrBadBundle.Wrapf("%d entries, not 1 to %d, or something else between them", n, limits.Entries)
	}
	var bundle Bundle
	if err := bundle.Unmarshal(body); err != nil {
		return none, ErrBadBundle.Wrapf("decode: %s", err)
	}
	results, err := bundle.results()
	if err != nil {
		return none, ErrBadBundle.Wrap(err.Error())
	}
	again, err := bundle.encode()
	if err != nil || !bytes.Equal(again, tx) {
		return none, ErrBadBundle.Wrap("not in its canonical encoding")
	}
	return results, nil
}

// countEntries counts the entries without decoding them: two bytes make an empty
// one, whose decoded form takes a hundred times as many. It reports false where
// anything but entries is found.
func countEntries(body []byte) (int, bool) {
	n := 0
	for ; len(body) > 0; n++ {
		if tag := body[0]; tag < attestationTag || tag > accusationTag || tag&7 != 2 {
			return n, false
		}
		size, used := binary.Uvarint(body[1:])
		if used <= 0 || size > uint64(len(body)-1-used) {
			return n, false
		}
		body = body[1+used+int(size):]
	}
	return n, true
}

// results converts the entries and checks their shape and order. Two attestations
// of one place, or two signatures of one request, are refused though each may be
// valid alone: only one of them could apply, so the other is nothing but weight.
func (b *Bundle) results() (mpctypes.Results, error) {
	r := mpctypes.Results{
		Attestations: make([]mpctypes.Attestation, len(b.Attestations)),
		Signatures:   make([]mpctypes.SignatureResult, len(b.Signatures)),
	}
	for i := range b.Attestations {
		a, err := b.Attestations[i].toResult()
		if err != nil {
			return mpctypes.Results{}, fmt.Errorf("attestation %d: %w", i, err)
		}
		if i > 0 && r.Attestations[i-1].Place().Compare(a.Place()) >= 0 {
			return mpctypes.Results{}, fmt.Errorf("attestation %d is out of order, or the second for its place", i)
		}
		r.Attestations[i] = a
	}
	for i := range b.Signatures {
		s, err := b.Signatures[i].toResult()
		if err != nil {
			return mpctypes.Results{}, fmt.Errorf("signature %d: %w", i, err)
		}
		if i > 0 && r.Signatures[i-1].RequestID >= s.RequestID {
			return mpctypes.Results{}, fmt.Errorf("signature %d is out of order or twice there", i)
		}
		r.Signatures[i] = s
	}
	return r, b.faults(&r)
}

// faults converts evidence and accusations, and checks their shape and order.
func (b *Bundle) faults(r *mpctypes.Results) error {
	for i := range b.Evidence {
		e, err := b.Evidence[i].toResult()
		if err != nil {
			return fmt.Errorf("evidence %d: %w", i, err)
		}
		if i > 0 && !r.Evidence[i-1].Less(e) {
			return fmt.Errorf("evidence %d is out of order or twice there", i)
		}
		r.Evidence = append(r.Evidence, e)
	}
	for i := range b.Accusations {
		a, err := b.Accusations[i].toResult()
		if err != nil {
			return fmt.Errorf("accusation %d: %w", i, err)
		}
		if i > 0 && !r.Accusations[i-1].Less(&a) {
			return fmt.Errorf("accusation %d is out of order or twice there", i)
		}
		r.Accusations = append(r.Accusations, a)
	}
	return nil
}

func (b *Bundle) encode() ([]byte, error) {
	body, err := b.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode bundle: %w", err)
	}
	return append([]byte(BundlePrefix), body...), nil
}

func (a *Attestation) toResult() (mpctypes.Attestation, error) {
	session, err := mpctypes.HashFromBytes(a.Session)
	if err != nil {
		return mpctypes.Attestation{}, fmt.Errorf("session: %w", err)
	}
	commitment, err := mpctypes.HashFromBytes(a.Commitment)
	if err != nil {
		return mpctypes.Attestation{}, fmt.Errorf("commitment: %w", err)
	}
	r := mpctypes.Attestation{
		Request: mpctypes.RequestID{Kind: mpctypes.RequestKind(a.Kind), ID: a.RequestId}, Attempt: a.Attempt, Commitment: commitment,
		Session: session, Payload: a.Payload, Operator: mpctypes.Operator(a.Operator),
		IdentityVersion: a.IdentityVersion, Signature: a.Signature,
	}
	return r, r.ValidateBasic()
}

func (s *SignatureResult) toResult() (mpctypes.SignatureResult, error) {
	r := mpctypes.SignatureResult{RequestID: s.RequestId, R: s.R, S: s.S, V: s.V}
	return r, r.ValidateBasic()
}
