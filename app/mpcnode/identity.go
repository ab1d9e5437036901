package mpcnode

import (
	"crypto/ed25519"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// ProveIdentity signs, with an identity key, that whoever registers it for an
// operator on a chain has it. It returns the public key and the proof.
func ProveIdentity(key ed25519.PrivateKey, chainID string, operator types.Operator) (ed25519.PublicKey, []byte) {
	public := ed25519.PublicKey(append([]byte(nil), key[ed25519.SeedSize:]...))
	return public, ed25519.Sign(key, types.ProofOfPossession(chainID, operator, public))
}
