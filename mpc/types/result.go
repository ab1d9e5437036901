package types

import (
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// SignatureResult is a finished signature. It proves itself against the key.
type SignatureResult struct {
	RequestID string
	// R and S have 32 bytes; S is low.
	R, S []byte
	// V is the recovery id, 0 or 1.
	V uint32
}

// ValidateBasic checks what needs no state.
func (s *SignatureResult) ValidateBasic() error {
	if err := ValidateID(s.RequestID); err != nil {
		return err
	}
	if len(s.R) != 32 || len(s.S) != 32 {
		return fmt.Errorf("r and s have 32 bytes each, got %d and %d", len(s.R), len(s.S))
	}
	if s.V > 1 {
		return fmt.Errorf("recovery id is 0 or 1, got %d", s.V)
	}
	return nil
}

// ToWire converts for the channel.
func (s *SignatureResult) ToWire() *wire.Signature {
	return &wire.Signature{RequestId: s.RequestID, R: s.R, S: s.S, V: s.V}
}

// SignatureResultFromWire converts and checks the shape.
func SignatureResultFromWire(w *wire.Signature) (SignatureResult, error) {
	s := SignatureResult{RequestID: w.RequestId, R: w.R, S: w.S, V: w.V}
	return s, s.ValidateBasic()
}

// Results is what a node holds for the next proposal, in canonical order.
type Results struct {
	Attestations []Attestation
	Signatures   []SignatureResult
	Evidence     []Evidence
	Accusations  []Accusation
}
