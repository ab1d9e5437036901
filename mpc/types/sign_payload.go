package types

import (
	"fmt"
	"math/big"
	"regexp"
	"unicode/utf8"
)

// Bounds of a payload, whatever a chain's parameters say.
const (
	// MaxKindBytes bounds the name of a kind.
	MaxKindBytes = 32
	// MaxSignPayloadBytes is what Ethereum's nodes take of one transaction (128 KiB): a
	// signature of more has no use there.
	MaxSignPayloadBytes = 128 << 10
	// MaxPlaceBytes bounds Claims.Place: the name of a chain and two numbers of 20 digits.
	// A place is kept for ever, and written into genesis files.
	MaxPlaceBytes = 192
)

// Payload is what somebody wants to have signed, in a form that says what it is.
type Payload struct {
	// Kind names the PayloadKind that decodes Data.
	Kind string
	Data []byte
}

// IsZero reports that there is no payload.
func (p Payload) IsZero() bool { return p.Kind == "" && len(p.Data) == 0 }

// Validate checks what needs no knowledge of the kind: its name, and that there are not
// too many bytes.
func (p Payload) Validate() error {
	switch {
	case !kindForm.MatchString(p.Kind) || len(p.Kind) > MaxKindBytes:
		return fmt.Errorf("%w: the name of a kind is 1 to %d small letters, digits and -, got %.*q", ErrUnknownKind, MaxKindBytes, MaxKindBytes, p.Kind)
	case len(p.Data) > MaxSignPayloadBytes:
		return fmt.Errorf("%w: %d bytes, at most %d are possible", ErrPayloadTooLarge, len(p.Data), MaxSignPayloadBytes)
	}
	return nil
}

var kindForm = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// PayloadKind decodes payloads of one form. Consensus depends on it: all nodes of a
// chain must have the same kinds, and get the same of the same bytes, whenever they
// decode them.
type PayloadKind interface {
	// Name is what Payload.Kind has: small letters, digits and -, at most MaxKindBytes.
	Name() string
	// Decode understands a payload, or refuses it: an error that carries ErrNotCanonical
	// if the same could be written in other bytes, and ErrBadPayload for everything
	// else. It depends on nothing but the bytes, keeps none of them, and takes time in
	// proportion to their number.
	Decode(data []byte) (DecodedPayload, error)
}

// DecodedPayload is a payload that was understood. It is immutable.
type DecodedPayload interface {
	// Digest is what is signed.
	Digest() Hash
	// Claims is what the payload says of itself.
	Claims() Claims
	// Finish makes of a signature by a key (compressed) that was verified what the
	// payload was signed for: an error that carries ErrBadPayload if it needs the
	// signature of another key.
	Finish(publicKey []byte, s *SignatureResult) (FinishedPayload, error)
}

// Claims are what a payload says of itself, as far as others look at it. Where a kind
// has no such thing, or a payload leaves it out, the field is empty.
type Claims struct {
	// ChainID is of the chain that it is for: decimal for Ethereum's.
	ChainID string
	// To is whom it pays or calls, lower-case; empty also where a contract is made.
	To string
	// Value is what it moves, in the smallest unit.
	Value *big.Int
	// Fee is the most that its inclusion may cost, beside the value.
	Fee *big.Int
	// Calls are what it calls: the selector of an Ethereum call (0x and 8 digits), the
	// type URLs of Cosmos messages.
	Calls []string
	// Place can be taken once on that chain, as by a nonce: of all payloads of a key that
	// have the same place one at most takes effect. It names the chain, too, and is
	// text: see ValidatePlace.
	Place string
	// Effect is a hash of what it does in its place: of everything but what is paid for
	// being included.
	Effect Hash
	// Gas is how much execution it pays for in its place, in units of its chain; 0 where
	// nothing counts it. With the same effect and less gas it might run out of it, and
	// take the place for nothing.
	Gas uint64
}

// ValidatePlace refuses a place that is not UTF-8, since two of those may become one in
// JSON, or has more than MaxPlaceBytes.
func ValidatePlace(place string) error {
	switch {
	case len(place) > MaxPlaceBytes:
		return fmt.Errorf("a place of %d bytes, at most %d are possible", len(place), MaxPlaceBytes)
	case !utf8.ValidString(place):
		return fmt.Errorf("the place %q is not UTF-8", place)
	}
	return nil
}

// FinishedPayload is a signed payload as it is used.
type FinishedPayload struct {
	// Raw is the signed transaction, or the signature where the payload is none.
	Raw []byte
	// Hash is that of a transaction, under which its chain knows it; empty otherwise.
	Hash []byte
}
