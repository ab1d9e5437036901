package types

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// newEvidence encodes the two headers for a bundle.
func newEvidence(e mpctypes.Evidence) (Evidence, error) {
	first, err := e.First.Marshal()
	if err != nil {
		return Evidence{}, fmt.Errorf("encode evidence: %w", err)
	}
	second, err := e.Second.Marshal()
	if err != nil {
		return Evidence{}, fmt.Errorf("encode evidence: %w", err)
	}
	return Evidence{First: first, Second: second, KeyId: string(e.KeyID)}, nil
}

// toResult leaves it to the keeper whether the chain is this one.
func (e *Evidence) toResult() (mpctypes.Evidence, error) {
	r := mpctypes.Evidence{KeyID: mpctypes.KeyID(e.KeyId)}
	var err error
	if r.First, err = decodeHeader(e.First); err != nil {
		return r, err
	}
	if r.Second, err = decodeHeader(e.Second); err != nil {
		return r, err
	}
	return r, r.ValidateBasic(r.First.Header.ChainId)
}

// decodeHeader takes the one encoding only that newEvidence makes.
func decodeHeader(bz []byte) (*wire.Envelope, error) {
	e := &wire.Envelope{}
	if err := e.Unmarshal(bz); err != nil {
		return nil, fmt.Errorf("decode a header: %w", err)
	}
	if e.Header == nil {
		return nil, errors.New("evidence without a header")
	}
	again, err := e.Marshal()
	if err != nil || !bytes.Equal(again, bz) {
		return nil, errors.New("a header is not in its canonical encoding")
	}
	return e, nil
}

func newAccusation(a *mpctypes.Accusation) Accusation {
	return Accusation{
		Kind: RequestKind(a.Request.Kind), RequestId: a.Request.ID, Attempt: a.Attempt, Session: slices.Clone(a.Session[:]),
		Accused: string(a.Accused), Reason: string(a.Reason), Operator: string(a.Operator),
		IdentityVersion: a.IdentityVersion, Signature: slices.Clone(a.Signature),
	}
}

func (a *Accusation) toResult() (mpctypes.Accusation, error) {
	session, err := mpctypes.HashFromBytes(a.Session)
	if err != nil {
		return mpctypes.Accusation{}, fmt.Errorf("session: %w", err)
	}
	r := mpctypes.Accusation{
		Request: mpctypes.RequestID{Kind: mpctypes.RequestKind(a.Kind), ID: a.RequestId}, Attempt: a.Attempt, Session: session,
		Accused: mpctypes.Operator(a.Accused), Reason: mpctypes.Reason(a.Reason), Operator: mpctypes.Operator(a.Operator),
		IdentityVersion: a.IdentityVersion, Signature: a.Signature,
	}
	return r, r.ValidateBasic()
}
