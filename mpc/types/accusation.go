package types

import (
	"crypto/ed25519"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Accusation is a member's signed word that another one kept a session from its
// end. It proves nothing: it may be a lie, or the network between the two. It
// leads to the accused being left out where enough others remain. One of oneself is a
// refusal, see Request.Refusal.
type Accusation struct {
	Request RequestID
	Attempt uint32
	// Session is the session's context; zero if it never started. Of a refusal, the
	// commitment of the request.
	Session Context
	Accused Operator
	Reason  Reason
	// Operator accuses, under this version of its identity.
	Operator        Operator
	IdentityVersion uint32
	Signature       []byte
}

// MaxNamed is how many somebody that leaves a session may name for it.
const MaxNamed = 4

// Accusable says whether a session that ended for a reason is something that
// this version accuses its culprits of. Others may know more such reasons: an
// accusation may have any word as its reason, see Reason.Validate.
func Accusable(r Reason) bool {
	switch r {
	case ErrStalled, ErrProtocolFault, ErrBroadcastDiffer, ErrStartTimeout:
		return true
	}
	return false
}

// SignBytes is what the accuser's identity key signs.
func (a *Accusation) SignBytes(chainID string) []byte {
	return newSignBytes("accusation").
		str(chainID).
		u64(uint64(a.Request.Kind)).str(a.Request.ID).
		u64(uint64(a.Attempt)).hash(a.Session).
		str(string(a.Accused)).str(string(a.Reason)).
		str(string(a.Operator)).u64(uint64(a.IdentityVersion)).buf
}

// Sign fills in the signature.
func (a *Accusation) Sign(chainID string, key ed25519.PrivateKey) {
	a.Signature = ed25519.Sign(key, a.SignBytes(chainID))
}

// Verify checks shape and signature.
func (a *Accusation) Verify(chainID string, identity []byte) error {
	if err := a.ValidateBasic(); err != nil {
		return err
	}
	if len(identity) != ed25519.PublicKeySize || !ed25519.Verify(identity, a.SignBytes(chainID), a.Signature) {
		return fmt.Errorf("signature of %s over its accusation of %s is wrong", a.Operator, a.Accused)
	}
	return nil
}

// ValidateBasic checks what needs no state.
func (a *Accusation) ValidateBasic() error {
	if err := ValidateID(a.Request.ID); err != nil {
		return err
	}
	for _, op := range []Operator{a.Operator, a.Accused} {
		if op == "" || len(op) > MaxOperatorBytes {
			return fmt.Errorf("operator has %d bytes, not 1 to %d", len(op), MaxOperatorBytes)
		}
	}
	if err := a.Reason.Validate(); err != nil {
		return fmt.Errorf("accusation of %s: %w", a.Accused, err)
	}
	switch {
	case a.IsRefusal() && a.Request.Kind != KindSign:
		return fmt.Errorf("%s accuses itself, of something else than refusing to sign", a.Operator)
	case len(a.Signature) != ed25519.SignatureSize:
		return fmt.Errorf("signature has %d bytes, not %d", len(a.Signature), ed25519.SignatureSize)
	}
	return nil
}

// Less orders accusations canonically: by request, accused, accuser.
func (a *Accusation) Less(b *Accusation) bool {
	switch {
	case a.Request != b.Request:
		return a.Request.Less(b.Request)
	case a.Accused != b.Accused:
		return a.Accused < b.Accused
	}
	return a.Operator < b.Operator
}

// ToWire converts for the channel.
func (a *Accusation) ToWire() *wire.Accusation {
	return &wire.Accusation{
		RequestKind: uint32(a.Request.Kind), RequestId: a.Request.ID, Attempt: a.Attempt, Session: a.Session[:],
		Accused: string(a.Accused), Reason: string(a.Reason),
		Operator: string(a.Operator), IdentityVersion: a.IdentityVersion, Signature: a.Signature,
	}
}

// AccusationFromWire converts and checks the shape.
func AccusationFromWire(w *wire.Accusation) (Accusation, error) {
	session, err := HashFromBytes(w.Session)
	if err != nil {
		return Accusation{}, err
	}
	a := Accusation{
		Request: RequestID{RequestKind(w.RequestKind), w.RequestId}, Attempt: w.Attempt, Session: session,
		Accused: Operator(w.Accused), Reason: Reason(w.Reason),
		Operator: Operator(w.Operator), IdentityVersion: w.IdentityVersion, Signature: w.Signature,
	}
	return a, a.ValidateBasic()
}
