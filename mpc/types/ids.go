package types

import (
	"encoding/hex"
	"fmt"
)

// Operator names a participant everywhere: the bech32 address of its
// validator operator.
type Operator string

// KeyID names a key. The requester chooses it; it is unique for ever.
type KeyID string

// MaxIDBytes bounds key ids and signature ids: enough for a UUID, a hex digest
// or a module's own prefix with a number.
const MaxIDBytes = 64

// ValidateID checks an id that a requester chose: 1 to 64 characters out of
// letters, digits, '.', '_', '-' and ':', the first a letter or a digit. Such
// an id needs no escaping in a URL path, a file name or a log line.
func ValidateID(id string) error {
	if len(id) == 0 || len(id) > MaxIDBytes {
		return fmt.Errorf("%w: an id has 1 to %d characters, this one has %d", ErrBadID, MaxIDBytes, len(id))
	}
	for i := range len(id) {
		if !idChar(id[i], i == 0) {
			return fmt.Errorf("%w: character %d of %q is not allowed; use letters, digits and any of . _ - (modules also a colon, behind their name), not these in front", ErrBadID, i+1, id)
		}
	}
	return nil
}

func idChar(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	case c == '.', c == '_', c == '-', c == ':':
		return !first
	}
	return false
}

// Hash is a SHA-256 digest.
type Hash [32]byte

// HashFromBytes copies 32 bytes.
func HashFromBytes(b []byte) (Hash, error) {
	var h Hash
	if len(b) != len(h) {
		return h, fmt.Errorf("a hash has %d bytes, got %d", len(h), len(b))
	}
	copy(h[:], b)
	return h, nil
}

// IsZero reports whether all bytes are zero, which stands for "none".
func (h Hash) IsZero() bool { return h == Hash{} }

// String is lower-case hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short is the first eight hex digits, for logs.
func (h Hash) Short() string { return hex.EncodeToString(h[:4]) }

// SessionID names an opened attempt before its signers are fixed: the hash of
// the initiator's signed Prepare.
type SessionID = Hash

// Context is the real name of a session: the hash of its signed transcript.
// Everything that a session sends after its Start is bound to it.
type Context = Hash

// Algorithm is a signature scheme on a curve. The numbers are those of the
// on-chain API.
type Algorithm uint32

// ECDSASecp256k1 is the only algorithm so far.
const ECDSASecp256k1 Algorithm = 1

// String is the name that logs and commands show.
func (a Algorithm) String() string {
	if a == ECDSASecp256k1 {
		return "ecdsa-secp256k1"
	}
	return fmt.Sprintf("algorithm-%d", uint32(a))
}

// RequestKind is what consensus asks for. The numbers are those of the
// on-chain API.
type RequestKind uint32

// The kinds of request.
const (
	KindKeygen  RequestKind = 1
	KindSign    RequestKind = 2
	KindReshare RequestKind = 3
	KindDelete  RequestKind = 4
	// KindShareMissing is no request: what a participant says of a key by itself.
	KindShareMissing RequestKind = 5
	// KindPresign is no request either: participants of a READY key prepare signatures
	// of whatever may be asked for. See PresignRequest.
	KindPresign RequestKind = 6
	// KindShareFound is none: a participant takes back what it said by KindShareMissing.
	KindShareFound RequestKind = 7
)

// String is the name that logs, metrics and commands show.
func (k RequestKind) String() string {
	switch k {
	case KindKeygen:
		return "keygen"
	case KindSign:
		return "sign"
	case KindReshare:
		return "reshare"
	case KindDelete:
		return "delete"
	case KindShareMissing:
		return "share_missing"
	case KindPresign:
		return "presign"
	case KindShareFound:
		return "share_found"
	}
	return fmt.Sprintf("kind-%d", uint32(k))
}

// RequestID names a request: for keygen, delete and a missing or found share ID is the key's,
// for sign the signature's.
type RequestID struct {
	Kind RequestKind
	ID   string
}

// String is "kind/id".
func (r RequestID) String() string { return r.Kind.String() + "/" + r.ID }

// Less orders request ids by kind, then id.
func (r RequestID) Less(o RequestID) bool {
	if r.Kind != o.Kind {
		return r.Kind < o.Kind
	}
	return r.ID < o.ID
}
