package types

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// MaxTypeBytes bounds the protocol message type in a header.
const MaxTypeBytes = 32

// MaxChainIDBytes is CometBFT's limit on a chain id.
const MaxChainIDBytes = 50

// HeaderSignBytes is what the sender of an envelope signs.
func HeaderSignBytes(h *wire.Header) []byte {
	return newSignBytes("envelope").
		str(h.ChainId).bytes(h.Context).u64(uint64(h.Kind)).u64(uint64(h.Round)).
		str(h.Type).str(h.From).u64(uint64(h.IdentityVersion)).str(h.To).
		u64(h.Sequence).bytes(h.BodyHash).
		u64(uint64(h.RequestKind)).str(h.RequestId).buf
}

// HeaderHash names an envelope: its header binds its body.
func HeaderHash(h *wire.Header) Hash { return sha256.Sum256(HeaderSignBytes(h)) }

// SignEnvelope fills in body hash and signature.
func SignEnvelope(h *wire.Header, body []byte, key ed25519.PrivateKey) *wire.Envelope {
	sum := sha256.Sum256(body)
	h.BodyHash = sum[:]
	return &wire.Envelope{Header: h, Body: body, Signature: ed25519.Sign(key, HeaderSignBytes(h))}
}

// Verified is an envelope whose shape, body hash and signature were checked.
// Only VerifyEnvelope makes one: whatever takes a Verified cannot be handed an
// unverified message by mistake.
type Verified struct {
	env *wire.Envelope
	// identity is the key that the signature was checked against.
	identity string
}

// Header returns the signed header; callers do not change it.
func (v Verified) Header() *wire.Header { return v.env.Header }

// Body returns the body; callers do not change it.
func (v Verified) Body() []byte { return v.env.Body }

// Envelope returns the whole, to be resent byte for byte.
func (v Verified) Envelope() *wire.Envelope { return v.env }

// By reports that the signature is by this identity key: who goes by the same one need
// not check it again.
func (v Verified) By(identity []byte) bool { return v.env != nil && v.identity == string(identity) }

// Request names the request that the envelope's session is for.
func (v Verified) Request() RequestID { return requestOf(v.env.Header) }

func requestOf(h *wire.Header) RequestID {
	return RequestID{Kind: RequestKind(h.RequestKind), ID: h.RequestId}
}

// From is the sender.
func (v Verified) From() Operator { return Operator(v.env.Header.From) }

// Hash names the envelope.
func (v Verified) Hash() Hash { return HeaderHash(v.env.Header) }

// VerifyEnvelope checks shape, body hash and signature of an envelope against
// the sender's identity key.
func VerifyEnvelope(e *wire.Envelope, chainID string, identity []byte) (Verified, error) {
	if err := CheckEnvelope(e, chainID); err != nil {
		return Verified{}, err
	}
	if len(identity) != ed25519.PublicKeySize {
		return Verified{}, fmt.Errorf("identity key of %s has %d bytes", e.Header.From, len(identity))
	}
	if sum := sha256.Sum256(e.Body); string(sum[:]) != string(e.Header.BodyHash) {
		return Verified{}, fmt.Errorf("body of an envelope of %s does not match its header", e.Header.From)
	}
	if !ed25519.Verify(identity, HeaderSignBytes(e.Header), e.Signature) {
		return Verified{}, fmt.Errorf("signature of an envelope of %s is wrong", e.Header.From)
	}
	return Verified{e, string(identity)}, nil
}

// CheckEnvelope checks the shape of an envelope without any cryptography.
func CheckEnvelope(e *wire.Envelope, chainID string) error {
	if e == nil || e.Header == nil {
		return fmt.Errorf("envelope without a header")
	}
	h := e.Header
	switch {
	case h.ChainId != chainID:
		return fmt.Errorf("envelope of chain %.50q, this is %q", h.ChainId, chainID)
	case len(h.Context) != len(Context{}):
		return fmt.Errorf("context has %d bytes, not %d", len(h.Context), len(Context{}))
	case len(h.BodyHash) != sha256.Size:
		return fmt.Errorf("body hash has %d bytes, not %d", len(h.BodyHash), sha256.Size)
	case len(e.Signature) != ed25519.SignatureSize:
		return fmt.Errorf("signature has %d bytes, not %d", len(e.Signature), ed25519.SignatureSize)
	case h.From == "" || len(h.From) > MaxOperatorBytes || len(h.To) > MaxOperatorBytes:
		return fmt.Errorf("sender or recipient is missing or longer than %d bytes", MaxOperatorBytes)
	case h.From == h.To:
		return fmt.Errorf("envelope of %s to itself", h.From)
	case len(h.Type) > MaxTypeBytes:
		return fmt.Errorf("message type has %d bytes, at most %d are allowed", len(h.Type), MaxTypeBytes)
	case h.Kind < wire.KIND_PREPARE || h.Kind > wire.KIND_PONG:
		return fmt.Errorf("unknown kind %d of envelope", h.Kind)
	case h.Kind != wire.KIND_ROUND && h.Type != "":
		return fmt.Errorf("only round messages have a type")
	}
	return ValidateID(h.RequestId)
}
