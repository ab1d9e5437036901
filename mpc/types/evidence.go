package types

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Evidence proves that a participant sent two different messages for the same
// place of the same session: two headers, both signed by it. An honest
// participant never does, not even after a restart: its sessions end with the
// process, and what it resends it resends byte for byte. The places are the
// messages of rounds, the Confirm of a round, and the Start of a session: its
// context is the hash of a Prepare with 32 random bytes, and its initiator starts
// it once. Prepares are none: all have the same context, and whoever restarts
// makes another one for the same attempt.
//
// It proves itself against an identity key alone, and needs nothing of the request but
// the time: contexts have 32 bytes that nobody chooses alone, so what it is of is its
// culprit and its context, and the same is never new again.
type Evidence struct {
	// First has the smaller body hash. Neither has its body.
	First, Second *wire.Envelope
	// KeyID is the key of a presignature, which no request names; empty otherwise.
	KeyID KeyID
}

// MaxProofs of one participant count at a time. More would change nothing about how it
// is treated, and whoever signs contradictions can make as many as it likes.
const MaxProofs = 8

// NewEvidence makes evidence of two envelopes that contradict each other.
func NewEvidence(a, b *wire.Envelope) Evidence {
	if bytes.Compare(a.Header.BodyHash, b.Header.BodyHash) > 0 {
		a, b = b, a
	}
	return Evidence{First: withoutBody(a), Second: withoutBody(b)}
}

func withoutBody(e *wire.Envelope) *wire.Envelope {
	return &wire.Envelope{Header: e.Header, Signature: e.Signature}
}

// Request is what the session was for.
func (e Evidence) Request() RequestID { return requestOf(e.First.Header) }

// Culprit signed both headers.
func (e Evidence) Culprit() Operator { return Operator(e.First.Header.From) }

// What names what there are two of, for people.
func (e Evidence) What() string {
	switch h := e.First.Header; h.Kind {
	case wire.KIND_START:
		return "Starts"
	case wire.KIND_CONFIRM:
		return fmt.Sprintf("Confirms of round %d", h.Round)
	default:
		return fmt.Sprintf("%s of round %d", h.Type, h.Round)
	}
}

// IdentityVersion is that of the key that signed.
func (e Evidence) IdentityVersion() uint32 { return e.First.Header.IdentityVersion }

// OfStarts says whether it is of two Starts.
func (e Evidence) OfStarts() bool { return e.First.Header.Kind == wire.KIND_START }

// Context names the session; that of two Starts is the session's id.
func (e Evidence) Context() Context { return Context(e.First.Header.Context) }

// ValidateBasic checks everything but the signatures.
func (e Evidence) ValidateBasic(chainID string) error {
	for _, env := range []*wire.Envelope{e.First, e.Second} {
		if err := CheckEnvelope(env, chainID); err != nil {
			return fmt.Errorf("evidence: %w", err)
		}
		if len(env.Body) != 0 {
			return fmt.Errorf("evidence has headers only")
		}
	}
	a, b := e.First.Header, e.Second.Header
	switch {
	case a.Kind != b.Kind || !contradictable(a):
		return fmt.Errorf("only messages of a round, Confirms and Starts can contradict each other")
	case a.From != b.From || a.IdentityVersion != b.IdentityVersion:
		return fmt.Errorf("evidence has two senders")
	case !bytes.Equal(a.Context, b.Context) || requestOf(a) != requestOf(b):
		return fmt.Errorf("evidence is of two sessions")
	case a.Round != b.Round || a.Type != b.Type || a.To != b.To:
		return fmt.Errorf("evidence has messages of two places")
	case (a.RequestKind == uint32(KindPresign)) != (e.KeyID != ""):
		return fmt.Errorf("evidence of presignatures, and no other, names their key")
	case e.KeyID != "" && ValidateID(string(e.KeyID)) != nil:
		return fmt.Errorf("evidence names a key that cannot be one")
	case bytes.Compare(a.BodyHash, b.BodyHash) >= 0:
		return fmt.Errorf("evidence has the same message twice, or is not in order")
	}
	return nil
}

// contradictable: what a header of this shape is for is said once in a session,
// to each recipient.
func contradictable(h *wire.Header) bool {
	switch h.Kind {
	case wire.KIND_ROUND:
		return true
	case wire.KIND_CONFIRM:
		return h.Round > 0 && h.To == ""
	case wire.KIND_START:
		return h.Round == 0 && h.To == ""
	}
	return false
}

// Verify checks everything against the identity key of the culprit.
func (e Evidence) Verify(chainID string, identity []byte) error {
	if err := e.ValidateBasic(chainID); err != nil {
		return err
	}
	if len(identity) != ed25519.PublicKeySize {
		return fmt.Errorf("identity key has %d bytes, not %d", len(identity), ed25519.PublicKeySize)
	}
	for _, env := range []*wire.Envelope{e.First, e.Second} {
		if !ed25519.Verify(identity, HeaderSignBytes(env.Header), env.Signature) {
			return fmt.Errorf("evidence against %s: a signature is wrong", e.Culprit())
		}
	}
	return nil
}

// EvidencePlace is what the chain takes one proof of.
type EvidencePlace struct {
	Culprit Operator
	Context Context
}

// Place is what the evidence is of.
func (e Evidence) Place() EvidencePlace { return EvidencePlace{e.Culprit(), e.Context()} }

// Compare orders places by culprit, then context: below 0, 0 or above.
func (p EvidencePlace) Compare(o EvidencePlace) int {
	return cmp.Or(cmp.Compare(p.Culprit, o.Culprit), bytes.Compare(p.Context[:], o.Context[:]))
}

// Less orders evidence canonically: by its place.
func (e Evidence) Less(o Evidence) bool { return e.Place().Compare(o.Place()) < 0 }

// ToWire converts for the channel.
func (e Evidence) ToWire() *wire.Evidence {
	return &wire.Evidence{First: e.First, Second: e.Second, KeyId: string(e.KeyID)}
}

// EvidenceFromWire converts and checks the shape.
func EvidenceFromWire(w *wire.Evidence, chainID string) (Evidence, error) {
	e := Evidence{First: w.First, Second: w.Second, KeyID: KeyID(w.KeyId)}
	return e, e.ValidateBasic(chainID)
}

// VerifyHeader checks shape and signature of an envelope that comes without its
// body.
func VerifyHeader(e *wire.Envelope, chainID string, identity []byte) error {
	if err := CheckEnvelope(e, chainID); err != nil {
		return err
	}
	if len(identity) != ed25519.PublicKeySize || !ed25519.Verify(identity, HeaderSignBytes(e.Header), e.Signature) {
		return fmt.Errorf("signature of a header of %s is wrong", e.Header.From)
	}
	return nil
}
