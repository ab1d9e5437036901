package types

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// MaxPayloadBytes bounds the payload of an attestation: two hashes' worth of
// slack on a public key and MaxMembers compressed points with their tags.
const MaxPayloadBytes = 128 + (MaxMembers+1)*(33+2)

// MaxMembers is the most participants that any request may have. tss-lib's
// keygen costs every participant work in proportion to it; the chain's own
// limit (parameter max_participants) lies at or below.
const MaxMembers = 64

// AttestedAttempt is where the chain has somebody's attestation: one of each member
// for each attempt at a request.
type AttestedAttempt struct {
	Request  RequestID
	Operator Operator
	Attempt  uint32
}

// Attestation is a participant's signed word on the result of a request:
// keygen and reshare: this is the key that my durable share belongs to; delete:
// what I held is destroyed; a missing share: I have none of this session.
//
// It answers one question of one chain, once: after a rollback the same id may be asked
// for again, by somebody else, and what was said to the first is not said to the second.
type Attestation struct {
	Request RequestID
	Attempt uint32
	// Commitment is what it answers: Request.Commitment of a keygen or a reshare,
	// Key.DeletionCommitment, or Key.EpochCommitment of a missing share.
	Commitment Hash
	// Session is the context of the session; zero for a deletion.
	Session         Context
	Payload         []byte
	Operator        Operator
	IdentityVersion uint32
	Signature       []byte
}

// SignBytes is what the identity key signs.
func (a *Attestation) SignBytes(chainID string) []byte {
	payload := sha256.Sum256(a.Payload)
	return newSignBytes("attestation/2").
		str(chainID).
		u64(uint64(a.Request.Kind)).str(a.Request.ID).hash(a.Commitment).
		u64(uint64(a.Attempt)).hash(a.Session).hash(payload).
		str(string(a.Operator)).u64(uint64(a.IdentityVersion)).buf
}

// Sign fills in the signature.
func (a *Attestation) Sign(chainID string, key ed25519.PrivateKey) {
	a.Signature = ed25519.Sign(key, a.SignBytes(chainID))
}

// Hash tells apart what was signed, and by which signature.
func (a *Attestation) Hash(chainID string) Hash {
	return sha256.Sum256(append(a.SignBytes(chainID), a.Signature...))
}

// Verify checks shape and signature.
func (a *Attestation) Verify(chainID string, identity []byte) error {
	if err := a.ValidateBasic(); err != nil {
		return err
	}
	if len(identity) != ed25519.PublicKeySize {
		return fmt.Errorf("identity key has %d bytes, not %d", len(identity), ed25519.PublicKeySize)
	}
	if !ed25519.Verify(identity, a.SignBytes(chainID), a.Signature) {
		return fmt.Errorf("signature of %s over its attestation of %s is wrong", a.Operator, a.Request)
	}
	return nil
}

// ValidateBasic checks what needs no state.
func (a *Attestation) ValidateBasic() error {
	if err := ValidateID(a.Request.ID); err != nil {
		return err
	}
	if a.Operator == "" || len(a.Operator) > MaxOperatorBytes {
		return fmt.Errorf("operator has %d bytes, not 1 to %d", len(a.Operator), MaxOperatorBytes)
	}
	if len(a.Signature) != ed25519.SignatureSize {
		return fmt.Errorf("signature has %d bytes, not %d", len(a.Signature), ed25519.SignatureSize)
	}
	switch a.Request.Kind {
	case KindKeygen, KindReshare:
		if a.Session.IsZero() {
			return fmt.Errorf("attestation of %s names no session", a.Request)
		}
		_, err := DecodeKeygenPayload(a.Payload)
		return err
	case KindDelete:
		if !a.Session.IsZero() || len(a.Payload) != 0 && !a.FoundNothing() || a.Attempt != 0 {
			return fmt.Errorf("a deletion's attestation has neither session nor attempt, and no payload but that nothing was there")
		}
		return nil
	case KindShareMissing, KindShareFound:
		if a.Session.IsZero() || len(a.Payload) != 0 || a.Attempt > 1 || a.Attempt != 0 && a.Request.Kind == KindShareFound {
			return fmt.Errorf("the attestation of a missing or found share names a session, and has no payload; a share is found once and missing twice")
		}
		return nil
	}
	return fmt.Errorf("a %s request has no attestations", a.Request.Kind)
}

// Less orders attestations canonically: by place, then by everything else that
// tells two of them apart. Of two different ones, one is always less.
func (a *Attestation) Less(b *Attestation) bool {
	return cmp.Or(
		a.Place().Compare(b.Place()),
		cmp.Compare(a.IdentityVersion, b.IdentityVersion),
		bytes.Compare(a.Commitment[:], b.Commitment[:]),
		bytes.Compare(a.Session[:], b.Session[:]),
		bytes.Compare(a.Payload, b.Payload),
		bytes.Compare(a.Signature, b.Signature),
	) < 0
}

// AttestationPlace is what the chain counts once: a participant's word on one
// attempt at a request. Different attestations may have the same place, though
// never two of them count:
//
//   - of a keygen or a reshare, the chain takes one from each member that gets a
//     share for each attempt, by the identity that the request pinned; two sessions or
//     payloads of one attempt are two different words, of which the chain believes the
//     first that it sees;
//   - of a deletion, whose attempt is 0, it takes one from each holder, by
//     its current identity;
//   - of a missing share, whose attempt is 0, it takes one from each participant of the
//     key's present epoch, about the session that made its shares.
type AttestationPlace struct {
	Request  RequestID
	Operator Operator
	Attempt  uint32
}

// Place is what the attestation counts for.
func (a *Attestation) Place() AttestationPlace {
	return AttestationPlace{Request: a.Request, Operator: a.Operator, Attempt: a.Attempt}
}

// Compare orders places by request, operator, attempt: below 0, 0 or above.
func (p AttestationPlace) Compare(o AttestationPlace) int {
	return cmp.Or(
		cmp.Compare(p.Request.Kind, o.Request.Kind),
		cmp.Compare(p.Request.ID, o.Request.ID),
		cmp.Compare(p.Operator, o.Operator),
		cmp.Compare(p.Attempt, o.Attempt),
	)
}

// ToWire converts for the channel.
func (a *Attestation) ToWire() *wire.Attestation {
	return &wire.Attestation{
		RequestKind: uint32(a.Request.Kind), RequestId: a.Request.ID, Attempt: a.Attempt,
		Session: a.Session[:], Payload: a.Payload, Operator: string(a.Operator),
		IdentityVersion: a.IdentityVersion, Signature: a.Signature, Commitment: a.Commitment[:],
	}
}

// AttestationFromWire converts and checks the shape.
func AttestationFromWire(w *wire.Attestation) (Attestation, error) {
	session, err := HashFromBytes(w.Session)
	if err != nil {
		return Attestation{}, err
	}
	commitment, err := HashFromBytes(w.Commitment)
	if err != nil {
		return Attestation{}, err
	}
	a := Attestation{
		Request: RequestID{RequestKind(w.RequestKind), w.RequestId}, Attempt: w.Attempt, Commitment: commitment,
		Session: session, Payload: w.Payload, Operator: Operator(w.Operator),
		IdentityVersion: w.IdentityVersion, Signature: w.Signature,
	}
	return a, a.ValidateBasic()
}

// MaxOperatorBytes bounds an operator address on the channel: bech32 has 90
// characters at most.
const MaxOperatorBytes = 90
