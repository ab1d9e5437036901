package types

import (
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// KeygenPayload is what all participants of a keygen must attest alike.
type KeygenPayload struct {
	// PublicKey is compressed, 33 bytes.
	PublicKey []byte
	// PublicShares are the share commitments in the order of the participants.
	PublicShares [][]byte
	// ParametersHash is over threshold, party keys and everybody's auxiliary
	// parameters.
	ParametersHash Hash
}

// Encode gives the only encoding that DecodeKeygenPayload accepts.
func (p *KeygenPayload) Encode() []byte {
	w := wire.KeygenPayload{PublicKey: p.PublicKey, PublicShares: p.PublicShares, ParametersHash: p.ParametersHash[:]}
	bz, err := w.Marshal()
	if err != nil {
		panic(fmt.Sprintf("marshal of three byte fields failed: %v", err)) // the generated code has no error path for it
	}
	return bz
}

// ParseKeygenPayload decodes what one of n participants attests, and checks its
// curve points.
func ParseKeygenPayload(bz []byte, n int) (KeygenPayload, error) {
	p, err := DecodeKeygenPayload(bz)
	if err != nil {
		return p, err
	}
	if err := ValidatePoints(p.PublicKey, p.PublicShares, n); err != nil {
		return p, fmt.Errorf("keygen payload: %w", err)
	}
	return p, nil
}

// ValidatePoints checks the curve points of a key with n participants: its public
// key and their share commitments, compressed.
func ValidatePoints(publicKey []byte, shares [][]byte, n int) error {
	if len(shares) != n {
		return fmt.Errorf("%d public shares for %d participants", len(shares), n)
	}
	if err := ValidatePublicKey(publicKey); err != nil {
		return err
	}
	for i, s := range shares {
		if err := ValidatePublicKey(s); err != nil {
			return fmt.Errorf("public share %d: %w", i, err)
		}
	}
	return nil
}

// DecodeKeygenPayload is strict: bytes that Encode would not have made are
// refused, so one payload has one hash. It checks lengths, not curve points.
func DecodeKeygenPayload(bz []byte) (KeygenPayload, error) {
	var p KeygenPayload
	if len(bz) > MaxPayloadBytes {
		return p, fmt.Errorf("keygen payload has %d bytes, at most %d are allowed", len(bz), MaxPayloadBytes)
	}
	var w wire.KeygenPayload
	if err := w.Unmarshal(bz); err != nil {
		return p, fmt.Errorf("decode keygen payload: %w", err)
	}
	h, err := HashFromBytes(w.ParametersHash)
	if err != nil {
		return p, fmt.Errorf("keygen payload: parameters: %w", err)
	}
	if len(w.PublicKey) != 33 {
		return p, fmt.Errorf("keygen payload: public key has %d bytes, not 33", len(w.PublicKey))
	}
	if len(w.PublicShares) > MaxMembers {
		return p, fmt.Errorf("keygen payload: %d public shares, at most %d are allowed", len(w.PublicShares), MaxMembers)
	}
	for i, s := range w.PublicShares {
		if len(s) != 33 {
			return p, fmt.Errorf("keygen payload: public share %d has %d bytes, not 33", i, len(s))
		}
	}
	p = KeygenPayload{PublicKey: w.PublicKey, PublicShares: w.PublicShares, ParametersHash: h}
	if string(p.Encode()) != string(bz) {
		return KeygenPayload{}, fmt.Errorf("keygen payload is not in its canonical encoding")
	}
	return p, nil
}
