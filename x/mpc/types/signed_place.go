package types

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Validate checks a place of a genesis file.
func (p SignedPlace) Validate() error {
	if err := mpctypes.ValidateID(p.KeyId); err != nil {
		return err
	}
	kind, place, _ := strings.Cut(p.Place, ":")
	if place == "" || len(p.Effect) != len(mpctypes.Hash{}) {
		return fmt.Errorf("signed place of key %s: it has no name, or an effect of %d bytes", p.KeyId, len(p.Effect))
	}
	if err := errors.Join(mpctypes.Payload{Kind: kind}.Validate(), mpctypes.ValidatePlace(place)); err != nil {
		return fmt.Errorf("signed place of key %s: %w", p.KeyId, err)
	}
	return nil
}

// Admits refuses what would do something else in the place, or might not do the same.
func (p SignedPlace) Admits(c mpctypes.Claims) error {
	switch {
	case string(p.Effect) != string(c.Effect[:]):
		return ErrPlaceTaken.Wrapf("key %s, %s", p.KeyId, p.Place)
	case c.Gas < p.Gas:
		return ErrPlaceTaken.Wrapf("key %s, %s: the same was signed with gas for %d, and might fail with gas for %d; ask with more", p.KeyId, p.Place, p.Gas, c.Gas)
	}
	return nil
}

// Stored is the value in the store: the effect, and the gas (8 bytes, the highest first)
// where that is counted.
func (p SignedPlace) Stored() []byte {
	stored := append([]byte{}, p.Effect...)
	if p.Gas != 0 {
		stored = binary.BigEndian.AppendUint64(stored, p.Gas)
	}
	return stored
}

// StoredPlace is what Stored made the value of.
func StoredPlace(keyID, place string, stored []byte) (SignedPlace, error) {
	const effect = len(mpctypes.Hash{})
	p := SignedPlace{KeyId: keyID, Place: place}
	switch len(stored) {
	case effect:
		p.Effect = stored
	case effect + 8:
		p.Effect, p.Gas = stored[:effect], binary.BigEndian.Uint64(stored[effect:])
	default:
		return p, fmt.Errorf("the place %s of key %s is stored in %d bytes", place, keyID, len(stored))
	}
	return p, nil
}
