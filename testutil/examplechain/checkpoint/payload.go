package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	coretypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// KindName is that of the kind of payloads that are signed here.
const KindName = "checkpoint"

// Point is what a checkpoint signs: which block of which chain has which hash. Nobody signs
// a bare hash, of which nobody could say what it is of.
type Point struct {
	Chain  string
	Height int64
	// Hash has 32 bytes.
	Hash []byte
}

// Data is the payload: CHAIN/HEIGHT/HASH, the last in small hex.
func (p Point) Data() []byte { return fmt.Appendf(nil, "%s/%d/%x", p.Chain, p.Height, p.Hash) }

// Kind is the kind of payloads, for keeper.SetPayloadKinds.
type Kind struct{}

// Name implements coretypes.PayloadKind.
func (Kind) Name() string { return KindName }

// Decode implements coretypes.PayloadKind.
func (Kind) Decode(data []byte) (coretypes.DecodedPayload, error) { return parse(data) }

// parse understands what Data wrote, and nothing else.
func parse(data []byte) (Point, error) {
	parts := strings.Split(string(data), "/")
	if len(parts) < 3 {
		return Point{}, fmt.Errorf("%w: a checkpoint is CHAIN/HEIGHT/HASH", coretypes.ErrBadPayload)
	}
	last := len(parts) - 1
	height, err := strconv.ParseInt(parts[last-1], 10, 64)
	if err != nil || height < 1 {
		return Point{}, fmt.Errorf("%w: the height of a block is a number above 0", coretypes.ErrBadPayload)
	}
	hash, err := hex.DecodeString(parts[last])
	if err != nil || len(hash) != sha256.Size {
		return Point{}, fmt.Errorf("%w: the hash of a block has 32 bytes", coretypes.ErrBadPayload)
	}
	p := Point{strings.Join(parts[:last-1], "/"), height, hash} // a chain's name may have a slash
	if !bytes.Equal(p.Data(), data) {
		return Point{}, fmt.Errorf("%w: write it as %s", coretypes.ErrNotCanonical, p.Data())
	}
	return p, nil
}

// Digest implements coretypes.DecodedPayload. What is hashed begins with a text of its own,
// so that no checkpoint can be taken for anything else.
func (p Point) Digest() coretypes.Hash {
	return sha256.Sum256(append([]byte("checkpoint\n"), p.Data()...))
}

// Claims implements coretypes.DecodedPayload: of one height the key signs one hash, for ever.
func (p Point) Claims() coretypes.Claims {
	return coretypes.Claims{
		ChainID: p.Chain,
		Place:   fmt.Sprintf("%s/%d", p.Chain, p.Height),
		Effect:  sha256.Sum256(p.Hash),
	}
}

// Finish implements coretypes.DecodedPayload: r and s.
func (Point) Finish(_ []byte, s *coretypes.SignatureResult) (coretypes.FinishedPayload, error) {
	return coretypes.FinishedPayload{Raw: append(bytes.Clone(s.R), s.S...)}, nil
}
