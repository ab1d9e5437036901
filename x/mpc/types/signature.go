package types

import (
	"errors"
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// DigestPayload asks for a signature over 32 bytes as they are, by a key that was made
// with allow_raw.
func DigestPayload(digest []byte) SignPayload {
	return SignPayload{Kind: &SignPayload_Digest{Digest: digest}}
}

// KindPayload asks for a signature over a payload of a kind that the chain knows.
func KindPayload(kind string, data []byte) SignPayload {
	return SignPayload{Kind: &SignPayload_Typed{Typed: &TypedPayload{Kind: kind, Data: data}}}
}

// Validate checks what needs no knowledge of the kinds.
func (p SignPayload) Validate() error {
	switch kind := p.Kind.(type) {
	case *SignPayload_Digest:
		if kind != nil {
			return FromReason(mpctypes.ValidateDigest(kind.Digest))
		}
	case *SignPayload_Typed:
		if kind != nil && kind.Typed != nil {
			return FromReason(kind.Typed.ToEngine().Validate())
		}
	}
	return ErrBadPayload
}

// Signed is the 32 bytes that a payload asks to sign, and the payload as it was
// understood; nil for a raw digest.
func (p SignPayload) Signed(kinds *mpctypes.PayloadKinds) ([]byte, mpctypes.DecodedPayload, error) {
	if err := p.Validate(); err != nil {
		return nil, nil, err
	}
	if raw, ok := p.Kind.(*SignPayload_Digest); ok {
		return raw.Digest, nil, nil
	}
	decoded, err := kinds.Decode(p.GetTyped().ToEngine())
	if err != nil {
		return nil, nil, FromReason(err)
	}
	digest := decoded.Digest()
	return digest[:], decoded, nil
}

// ToEngine converts for the node; the zero Payload if there is none.
func (p *TypedPayload) ToEngine() mpctypes.Payload {
	if p == nil {
		return mpctypes.Payload{}
	}
	return mpctypes.Payload{Kind: p.Kind, Data: slices.Clone(p.Data)}
}

// equals reports that two payloads are the same, or both missing.
func (p *TypedPayload) equals(o *TypedPayload) bool {
	if p == nil || o == nil {
		return p == o
	}
	return p.Kind == o.Kind && string(p.Data) == string(o.Data)
}

func (s *Signature) moveTo(next SignatureStatus) error {
	if !s.Status.CanMoveTo(next) {
		return fmt.Errorf("signature %s cannot go from %s to %s", s.Id, s.Status, next)
	}
	s.Status = next
	return nil
}

// Finish makes the signature READY with a verified result.
func (s *Signature) Finish(result *mpctypes.SignatureResult, height int64) error {
	if err := s.moveTo(SIGNATURE_STATUS_READY); err != nil {
		return err
	}
	s.R, s.S, s.V = result.R, result.S, result.V
	s.DecidedHeight = height
	return nil
}

// Fail makes the signature ERROR for a reason.
func (s *Signature) Fail(reason mpctypes.Reason, height int64) error {
	if err := s.moveTo(SIGNATURE_STATUS_ERROR); err != nil {
		return err
	}
	s.Reason = string(reason)
	s.DecidedHeight = height
	return nil
}

// Prunes reports whether the signature goes some time after its decision. A test goes with
// its reshare.
func (s Signature) Prunes() bool {
	return !s.Test && (s.Status == SIGNATURE_STATUS_READY || s.Status == SIGNATURE_STATUS_ERROR)
}

// Shift moves the request and the decision in time, for a chain that starts anew.
func (s *Signature) Shift(blocks int64) {
	s.RequestedHeight += blocks
	if s.Status != SIGNATURE_STATUS_PENDING {
		s.DecidedHeight = shiftPast(s.DecidedHeight, blocks)
	}
}

// SetTestDigest is what a signature signs that tests the shares of a reshare.
func (s *Signature) SetTestDigest(digest mpctypes.Hash) {
	s.Payload, s.Digest = DigestPayload(digest[:]), digest[:]
	hash := (&MsgKeySign{Requester: s.Owner, SignatureId: s.Id, KeyId: s.KeyId, Payload: s.Payload}).ContentHash()
	s.ContentHash = hash[:]
}

// Verify checks a result against the key that it must be by.
func (s Signature) Verify(key Key, result *mpctypes.SignatureResult) error {
	if err := mpctypes.VerifySignature(key.PublicKey, s.Digest, result); err != nil {
		return ErrBadResult.Wrap(err.Error())
	}
	return nil
}

// Validate checks a signature of a genesis file against its key.
func (s Signature) Validate(key Key) error {
	if err := mpctypes.ValidateID(s.Id); err != nil {
		return err
	}
	if len(s.ContentHash) != len(mpctypes.Hash{}) || s.Owner == "" {
		return fmt.Errorf("signature %s has no owner or no content hash", s.Id)
	}
	if s.Test != IsTestID(s.Id) || s.Test && s.Module != "" {
		return fmt.Errorf("signature %s: exactly tests of reshares have such an id, and none has a module", s.Id)
	}
	if err := errors.Join(s.validatePayload(), s.validateRefusals()); err != nil {
		return fmt.Errorf("signature %s: %w", s.Id, err)
	}
	switch s.Status {
	case SIGNATURE_STATUS_READY:
		return s.Verify(key, &mpctypes.SignatureResult{RequestID: s.Id, R: s.R, S: s.S, V: s.V})
	case SIGNATURE_STATUS_PENDING, SIGNATURE_STATUS_ERROR:
		if len(s.R)+len(s.S) != 0 || s.V != 0 {
			return fmt.Errorf("signature %s is %s and has a result", s.Id, s.Status)
		}
		return nil
	}
	return fmt.Errorf("signature %s: unknown status %d", s.Id, s.Status)
}

// validatePayload checks what needs no knowledge of the kinds: the keeper computes the
// digest of what is open.
func (s Signature) validatePayload() error {
	if err := s.Payload.Validate(); err != nil {
		return err
	}
	if raw, ok := s.Payload.Kind.(*SignPayload_Digest); ok && string(raw.Digest) != string(s.Digest) {
		return errors.New("the digest is not that of the payload")
	}
	return mpctypes.ValidateDigest(s.Digest)
}
