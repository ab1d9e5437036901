package tss

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// share is a participant's secret of a key, with what it takes to use it. The
// lists in Data are in the library's order, by party key.
type share struct {
	// Insecure marks a published test fixture.
	Insecure bool
	// Session is the context of the session that made it.
	Session   types.Context
	Threshold int
	// Operators are the key's participants, ascending.
	Operators []types.Operator
	Data      keygen.LocalPartySaveData
}

// shareVersion is the format of an encoded share. Old versions stay readable
// for ever: a share cannot be made again.
const shareVersion = 1

const shareKind = "ecdsa-secp256k1-share"

// MaxShareBytes bounds an encoded share: for each of types.MaxMembers
// participants four numbers of 617 digits, three of 78, names, field syntax
// (3 KiB), and as much again as five participants for the own secrets.
const MaxShareBytes = (types.MaxMembers + 5) * 3 << 10

// shareEnvelope is the encoding: JSON in this order of fields.
type shareEnvelope struct {
	Version   int                       `json:"version"`
	Kind      string                    `json:"kind"`
	Insecure  bool                      `json:"insecure"`
	Session   string                    `json:"session"` // hex
	Threshold int                       `json:"threshold"`
	Operators []types.Operator          `json:"operators"`
	Data      keygen.LocalPartySaveData `json:"data"`
}

func (s *share) encode() ([]byte, error) {
	bz, err := json.Marshal(&shareEnvelope{
		Version: shareVersion, Kind: shareKind, Insecure: s.Insecure, Session: s.Session.String(),
		Threshold: s.Threshold, Operators: s.Operators, Data: s.Data,
	})
	if err != nil {
		return nil, fmt.Errorf("encode share: %w", err)
	}
	return bz, nil
}

// decodeShare accepts only what encode makes. It checks the form; validate
// checks the numbers.
func decodeShare(bz []byte) (*share, error) {
	if len(bz) > MaxShareBytes {
		return nil, fmt.Errorf("share has %d bytes, at most %d are allowed", len(bz), MaxShareBytes)
	}
	var e shareEnvelope
	if err := decodeStrict(bz, &e); err != nil {
		return nil, fmt.Errorf("decode share: %w", err)
	}
	if e.Version != shareVersion || e.Kind != shareKind {
		return nil, fmt.Errorf("share has version %d and kind %.40q, this program reads %d and %q", e.Version, e.Kind, shareVersion, shareKind)
	}
	raw, err := hex.DecodeString(e.Session)
	if err != nil {
		return nil, fmt.Errorf("decode share: session is not hex")
	}
	session, err := types.HashFromBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("decode share: session: %w", err)
	}
	s := &share{e.Insecure, session, e.Threshold, e.Operators, e.Data}
	again, err := s.encode()
	defer types.Wipe(again)
	if err != nil || !bytes.Equal(again, bz) {
		return nil, fmt.Errorf("share is not in its canonical encoding")
	}
	return s, nil
}

// decodeStrict decodes one JSON value and nothing after it. Errors of the JSON
// package can quote what they stumble over, a secret for instance, so they are
// not passed on.
func decodeStrict(bz []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(bz))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("malformed or truncated at byte %d of %d", dec.InputOffset(), len(bz))
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("data after the end at byte %d of %d", dec.InputOffset(), len(bz))
	}
	return nil
}

func (s *share) wipe() {
	wipeInt(s.Data.Xi)
	wipePreparams(&s.Data.LocalPreParams)
}
