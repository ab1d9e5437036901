package chain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Participant is a validator with an MPC identity.
type Participant struct {
	Operator string
	Identity ed25519.PrivateKey
	Version  uint32
	Staked   *stakingtypes.Validator

	// chain is where it answers.
	chain *Fixture
}

// On is the participant on another chain.
func (p *Participant) On(f *Fixture) *Participant {
	other := *p
	other.chain = f
	return &other
}

// IdentityKey makes the identity key of this seed, the same each time.
func IdentityKey(seed string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("identity " + seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

// Public is an identity's public key.
func Public(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

// Proof is a proof of possession.
func Proof(chainID, operator string, key ed25519.PrivateKey) []byte {
	return ed25519.Sign(key, mpctypes.ProofOfPossession(chainID, mpctypes.Operator(operator), Public(key)))
}

// Attest signs a participant's word on a keygen.
func (p *Participant) Attest(keyID string, attempt uint32, session mpctypes.Context, payload []byte) mpctypes.Attestation {
	return p.attest(mpctypes.Attestation{
		Request: mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: keyID}, Attempt: attempt, Session: session, Payload: payload,
	})
}

// AttestReshare signs a participant's word on its new share.
func (p *Participant) AttestReshare(reshareID string, attempt uint32, session mpctypes.Context, payload []byte) mpctypes.Attestation {
	return p.attest(mpctypes.Attestation{
		Request: mpctypes.RequestID{Kind: mpctypes.KindReshare, ID: reshareID}, Attempt: attempt, Session: session, Payload: payload,
	})
}

// AttestDeletion signs a participant's word that it destroyed what it held.
func (p *Participant) AttestDeletion(keyID string) mpctypes.Attestation {
	return p.attest(mpctypes.Attestation{Request: mpctypes.RequestID{Kind: mpctypes.KindDelete, ID: keyID}})
}

// AttestMissing signs a participant's word that it has no share of a session.
func (p *Participant) AttestMissing(keyID string, session mpctypes.Context) mpctypes.Attestation {
	return p.attest(mpctypes.Attestation{
		Request: mpctypes.RequestID{Kind: mpctypes.KindShareMissing, ID: keyID}, Session: session,
	})
}

// AttestMissingAgain signs it once more, after it was taken back.
func (p *Participant) AttestMissingAgain(keyID string, session mpctypes.Context) mpctypes.Attestation {
	return p.attest(mpctypes.Attestation{
		Request: mpctypes.RequestID{Kind: mpctypes.KindShareMissing, ID: keyID}, Session: session, Attempt: 1,
	})
}

// AttestFound signs that it takes that back.
func (p *Participant) AttestFound(keyID string, session mpctypes.Context) mpctypes.Attestation {
	return p.attest(mpctypes.Attestation{
		Request: mpctypes.RequestID{Kind: mpctypes.KindShareFound, ID: keyID}, Session: session,
	})
}

// attest signs as an answer to what the chain has now.
func (p *Participant) attest(a mpctypes.Attestation) mpctypes.Attestation {
	a.Operator, a.IdentityVersion = mpctypes.Operator(p.Operator), p.Version
	if p.chain != nil {
		a.Commitment = p.chain.commitment(a.Request)
	}
	a.Sign(ChainID, p.Identity)
	return a
}

// commitment is what an attestation answers; zero if nobody asked.
func (f *Fixture) commitment(id mpctypes.RequestID) mpctypes.Hash {
	if id.Kind == mpctypes.KindKeygen || id.Kind == mpctypes.KindReshare {
		requests, err := f.Keeper.EngineRequests(f.Ctx)
		require.NoError(f.t, err)
		for i := range requests {
			if requests[i].ID == id {
				return requests[i].Commitment(f.Ctx.ChainID())
			}
		}
		return mpctypes.Hash{}
	}
	key, _, err := f.Keeper.EngineKey(f.Ctx, mpctypes.KeyID(id.ID))
	require.NoError(f.t, err)
	if id.Kind == mpctypes.KindDelete {
		return key.DeletionCommitment(f.Ctx.ChainID())
	}
	return key.EpochCommitment(f.Ctx.ChainID())
}

// Secret is a whole secp256k1 key: tests of the chain need no shares of it.
type Secret struct{ key *secp256k1.PrivateKey }

// NewSecret makes the secret of this seed, the same each time.
func NewSecret(seed string) Secret {
	sum := sha256.Sum256([]byte("secret " + seed))
	return Secret{secp256k1.PrivKeyFromBytes(sum[:])}
}

// PublicKey is compressed.
func (s Secret) PublicKey() []byte { return s.key.PubKey().SerializeCompressed() }

// Payload is what n participants attest of the key.
func (s Secret) Payload(n int) []byte {
	p := mpctypes.KeygenPayload{PublicKey: s.PublicKey(), ParametersHash: sha256.Sum256(s.PublicKey())}
	for i := range n {
		p.PublicShares = append(p.PublicShares, NewSecret(fmt.Sprint(i, s.key.Key.String())).PublicKey())
	}
	return p.Encode()
}

// Sign makes a signature as participants would report it.
func (s Secret) Sign(id string, digest []byte) mpctypes.SignatureResult {
	compact := ecdsa.SignCompact(s.key, digest, true)
	return mpctypes.SignatureResult{RequestID: id, R: compact[1:33], S: compact[33:], V: uint32(compact[0] - 27 - 4)}
}

// Session is the session of this name.
func Session(name string) mpctypes.Context { return sha256.Sum256([]byte("session " + name)) }

// Digest is the digest of this text.
func Digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// Payload asks to sign the digest of a text.
func Payload(text string) types.SignPayload { return types.DigestPayload(Digest(text)) }

// Jail takes the validator out of the bonded set, as slashing does.
func (p *Participant) Jail() { p.Staked.Jailed, p.Staked.Status = true, stakingtypes.Unbonding }
