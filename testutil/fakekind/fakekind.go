package fakekind

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Name of the kind.
const Name = "note"

// Data of payloads that are refused.
const (
	// Panics is one at which the kind panics.
	Panics = "panic"
	// NotCanonical is one that another encoding is right for.
	NotCanonical = "chain/01/2/a/3/b"
	// Unreadable is one that says nothing.
	Unreadable = "words"
)

// Note is a payload.
type Note struct {
	Chain      string
	Nonce, Fee uint64
	To         string
	Value      uint64
	Call       string
	// Gas stands at the end of a note unless it is 0.
	Gas uint64
}

// Data is its encoding.
func (n Note) Data() []byte {
	data := fmt.Appendf(nil, "%s/%d/%d/%s/%d/%s", n.Chain, n.Nonce, n.Fee, n.To, n.Value, n.Call)
	if n.Gas != 0 {
		data = fmt.Appendf(data, "/%d", n.Gas)
	}
	return data
}

// Kind is the kind of notes.
type Kind struct{}

// Name implements mpctypes.PayloadKind.
func (Kind) Name() string { return Name }

// Decode implements mpctypes.PayloadKind.
func (Kind) Decode(data []byte) (mpctypes.DecodedPayload, error) {
	if string(data) == Panics {
		panic("a payload like no other")
	}
	var n Note
	parts := strings.Split(string(data), "/")
	numbers := map[int]*uint64{1: &n.Nonce, 2: &n.Fee, 4: &n.Value}
	switch len(parts) {
	case 6:
	case 7:
		numbers[6] = &n.Gas
	default:
		return nil, fmt.Errorf("a note has 6 parts, or 7, not %d", len(parts))
	}
	n.Chain, n.To, n.Call = parts[0], parts[3], parts[5]
	for i, number := range numbers {
		if _, err := fmt.Sscanf(parts[i], "%d", number); err != nil {
			return nil, fmt.Errorf("%w: part %d is no number", mpctypes.ErrBadPayload, i)
		}
	}
	if string(n.Data()) != string(data) {
		return nil, fmt.Errorf("%w: write %s", mpctypes.ErrNotCanonical, n.Data())
	}
	return n, nil
}

// Digest implements mpctypes.DecodedPayload.
func (n Note) Digest() mpctypes.Hash { return sha256.Sum256(append([]byte("note "), n.Data()...)) }

// Claims implements mpctypes.DecodedPayload.
func (n Note) Claims() mpctypes.Claims {
	c := mpctypes.Claims{
		ChainID: n.Chain, To: n.To, Value: new(big.Int).SetUint64(n.Value), Fee: new(big.Int).SetUint64(n.Fee),
		Place:  fmt.Sprintf("%s/%d", n.Chain, n.Nonce),
		Effect: sha256.Sum256(fmt.Appendf(nil, "%s/%d/%s", n.To, n.Value, n.Call)),
		Gas:    n.Gas,
	}
	if n.Call != "" {
		c.Calls = []string{n.Call}
	}
	return c
}

// Finish implements mpctypes.DecodedPayload: the note with r, and the hash of the key.
func (n Note) Finish(publicKey []byte, s *mpctypes.SignatureResult) (mpctypes.FinishedPayload, error) {
	hash := sha256.Sum256(publicKey)
	return mpctypes.FinishedPayload{Raw: append(n.Data(), s.R...), Hash: hash[:]}, nil
}
