package types

import (
	"crypto/ed25519"
	"fmt"
	"slices"

	"filippo.io/edwards25519"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// MaxIdentities is how many versions of its identity a participant may ever
// register: one a month for 21 years. All stay in state, and every request that
// pins the participant reads them, at the expense of whoever asks: 256 of 50 bytes
// are 13 KB.
const MaxIdentities = 256

// ValidateIdentityKey checks that bytes are an ed25519 public key that only the
// owner of its private key can sign for: 32 bytes, the only encoding of its
// point, and not of small order. For a point of small order anybody can make a
// signature that verifies.
func ValidateIdentityKey(key []byte) error {
	if len(key) != ed25519.PublicKeySize {
		return ErrBadProof.Wrapf("an identity key has %d bytes, got %d", ed25519.PublicKeySize, len(key))
	}
	point, err := new(edwards25519.Point).SetBytes(key)
	if err != nil || string(point.Bytes()) != string(key) {
		return ErrBadProof.Wrap("the identity key is no canonical ed25519 point")
	}
	if new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return ErrBadProof.Wrap("the identity key is of small order")
	}
	return nil
}

// VerifyPossession checks that whoever registers an identity key has its private
// key, and made the proof for this chain and this operator.
func VerifyPossession(chainID, operator string, key, proof []byte) error {
	if err := ValidateIdentityKey(key); err != nil {
		return err
	}
	if len(proof) != ed25519.SignatureSize {
		return ErrBadProof.Wrapf("the proof has %d bytes, not %d", len(proof), ed25519.SignatureSize)
	}
	if !ed25519.Verify(key, mpctypes.ProofOfPossession(chainID, mpctypes.Operator(operator), key), proof) {
		return ErrBadProof.Wrapf("the proof is not by this key over chain %s and operator %s", chainID, operator)
	}
	return nil
}

// VerifyProof checks the proof of a participant that is new in a genesis, for the chain's
// id and the operator's address in its one form. One that was exported proved itself to the
// chain that it comes from, and has none.
func (g GenesisParticipant) VerifyProof(chainID, operator string) error {
	ids := g.Participant.Identities
	if len(g.ProofOfPossession) == 0 || len(ids) == 0 {
		return nil
	}
	return VerifyPossession(chainID, operator, ids[len(ids)-1].PublicKey, g.ProofOfPossession)
}

// Current is the newest identity, if it was not revoked.
func (p Participant) Current() (Identity, bool) {
	if len(p.Identities) == 0 {
		return Identity{}, false
	}
	last := p.Identities[len(p.Identities)-1]
	return last, !last.Revoked()
}

// Identity is one version, if it was not revoked.
func (p Participant) Identity(version uint32) (Identity, bool) {
	if version == 0 || int(version) > len(p.Identities) {
		return Identity{}, false
	}
	id := p.Identities[version-1]
	return id, !id.Revoked()
}

// CurrentBetween finds an identity, revoked or not, that was the operator's current one in a
// block from one height to another. What is signed with another one proves nothing of that
// time: an identity is replaced because somebody else may have it.
func (p Participant) CurrentBetween(version uint32, from, to int64) (Identity, bool) {
	if version == 0 || int(version) > len(p.Identities) {
		return Identity{}, false
	}
	id := p.Identities[version-1]
	until, over := p.until(version)
	return id, id.RegisteredHeight <= to && (!over || until >= from)
}

// until is the last height at which an identity was the current one, if that is over.
func (p Participant) until(version uint32) (height int64, over bool) {
	id := p.Identities[version-1]
	height, over = id.RevokedHeight, id.Revoked()
	if int(version) < len(p.Identities) {
		if next := p.Identities[version].RegisteredHeight; !over || next < height {
			height = next
		}
		over = true
	}
	return height, over
}

// Shift moves the identities in time, as Request.Shift does with a request.
func (p *Participant) Shift(blocks int64) {
	p.Identities = slices.Clone(p.Identities)
	for i := range p.Identities {
		id := &p.Identities[i]
		id.RegisteredHeight += blocks
		if id.Revoked() {
			id.RevokedHeight = shiftPast(id.RevokedHeight, blocks)
		}
	}
}

// Revoked reports whether the identity may no longer sign anything.
func (i Identity) Revoked() bool { return i.RevokedHeight != 0 }

// Register adds an identity and returns its version. Earlier ones stay valid for
// the requests that pinned them.
func (p *Participant) Register(key []byte, height int64) (uint32, error) {
	if current, ok := p.Current(); ok && string(current.PublicKey) == string(key) {
		return 0, ErrDuplicateRegistration.Wrap(p.Operator)
	}
	if len(p.Identities) >= MaxIdentities {
		return 0, ErrTooManyIdentities.Wrapf("%s registered %d", p.Operator, len(p.Identities))
	}
	version := uint32(len(p.Identities)) + 1
	p.Identities = append(p.Identities, Identity{Version: version, PublicKey: key, RegisteredHeight: height})
	return version, nil
}

// Revoke revokes all identities at a height above 0.
func (p *Participant) Revoke(height int64) error {
	if _, ok := p.Current(); !ok {
		return ErrUnregistered.Wrapf("%s has no identity to revoke", p.Operator)
	}
	for i := range p.Identities {
		if !p.Identities[i].Revoked() {
			p.Identities[i].RevokedHeight = height
		}
	}
	return nil
}

// Validate checks a participant of a genesis file.
func (p Participant) Validate() error {
	if p.Operator == "" || len(p.Operator) > mpctypes.MaxOperatorBytes {
		return fmt.Errorf("operator %q is no address", p.Operator)
	}
	if n := len(p.Identities); n == 0 || n > MaxIdentities {
		return fmt.Errorf("participant %s has %d identities, not 1 to %d", p.Operator, n, MaxIdentities)
	}
	for i, id := range p.Identities {
		if id.Version != uint32(i)+1 {
			return fmt.Errorf("participant %s: identity %d has version %d", p.Operator, i+1, id.Version)
		}
		if err := ValidateIdentityKey(id.PublicKey); err != nil {
			return fmt.Errorf("participant %s: version %d: %w", p.Operator, id.Version, err)
		}
	}
	return nil
}

// ToEngine converts the identities for the node's roster.
func (p Participant) ToEngine() []mpctypes.Identity {
	ids := make([]mpctypes.Identity, len(p.Identities))
	for i, id := range p.Identities {
		ids[i] = mpctypes.Identity{Version: id.Version, Key: id.PublicKey, Revoked: id.Revoked()}
		ids[i].Until, _ = p.until(id.Version)
	}
	return ids
}
