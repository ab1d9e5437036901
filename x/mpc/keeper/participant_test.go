package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestRegisterParticipantRefuses(t *testing.T) {
	key := chain.IdentityKey("new")
	proof := func(chainID, operator string) []byte { return chain.Proof(chainID, operator, key) }
	operator := chain.Operator(1)
	smallOrder := make([]byte, 32)
	smallOrder[0] = 1 // the neutral point
	cases := map[string]struct {
		operator   string
		key, proof []byte
		want       error
	}{
		"no address":           {"seqvaloper1nonsense", chain.Public(key), proof(chain.ChainID, operator), types.ErrUnknownParticipant},
		"account, no operator": {chain.Account("requester"), chain.Public(key), proof(chain.ChainID, operator), types.ErrUnknownParticipant},
		"no validator":         {chain.Operator(9), chain.Public(key), proof(chain.ChainID, chain.Operator(9)), types.ErrUnknownParticipant},
		"other chain":          {operator, chain.Public(key), proof("other", operator), types.ErrBadProof},
		"other operator":       {operator, chain.Public(key), proof(chain.ChainID, chain.Operator(0)), types.ErrBadProof},
		"short key":            {operator, chain.Public(key)[:31], proof(chain.ChainID, operator), types.ErrBadProof},
		"short proof":          {operator, chain.Public(key), proof(chain.ChainID, operator)[:63], types.ErrBadProof},
		"small order":          {operator, smallOrder, make([]byte, 64), types.ErrBadProof},
		"key of somebody else": {operator, chain.Public(chain.IdentityKey(chain.Operator(0))),
			chain.Proof(chain.ChainID, operator, chain.IdentityKey(chain.Operator(0))), types.ErrIdentityKeyInUse},
		"own current key": {operator, chain.Public(chain.IdentityKey(operator)),
			chain.Proof(chain.ChainID, operator, chain.IdentityKey(operator)), types.ErrDuplicateRegistration},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 2)
			msg := &types.MsgRegisterParticipant{Operator: c.operator, IdentityKey: c.key, ProofOfPossession: c.proof}
			_, err := f.Msg.RegisterParticipant(f.Ctx, msg)
			require.ErrorIs(t, err, c.want)
			// What needs no state is refused before it comes into a block.
			shape := name == "short key" || name == "short proof" || name == "small order"
			require.Equal(t, shape, msg.ValidateBasic() != nil)
		})
	}
}

func TestRotationKeepsVersions(t *testing.T) {
	f := chain.New(t, 3)
	f.KeyGen("k", 1)
	p := f.Participants[0]
	old := *p
	p.Identity = chain.IdentityKey("rotated")
	f.Register(p)
	require.EqualValues(t, 2, p.Version)

	// An old key never comes back, not even to its own operator.
	_, err := f.Msg.RegisterParticipant(f.Ctx, &types.MsgRegisterParticipant{
		Operator: old.Operator, IdentityKey: chain.Public(old.Identity),
		ProofOfPossession: chain.Proof(chain.ChainID, old.Operator, old.Identity),
	})
	require.ErrorIs(t, err, types.ErrIdentityKeyInUse)

	// The request pinned the old version: the new one does not count for it.
	payload := chain.NewSecret("k").Payload(3)
	byNew := p.Attest("k", 0, chain.Session("s"), payload)
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &byNew), types.ErrBadResult)
	byOld := old.Attest("k", 0, chain.Session("s"), payload)
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &byOld))

	roster, err := f.Keeper.EngineRoster(f.Ctx)
	require.NoError(t, err)
	current, ok := roster.Current(mpcOperator(p.Operator))
	require.True(t, ok)
	require.EqualValues(t, 2, current.Version)
	key, ok := roster.Key(mpcOperator(p.Operator), 1)
	require.True(t, ok)
	require.Equal(t, chain.Public(old.Identity), key)
}

func TestRevokeFailsOnlyItsRequests(t *testing.T) {
	f := chain.New(t, 4)
	f.ReadyKey("ready", 1)
	f.KeyGen("all", 2)
	sorted := f.Sorted()
	_, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{
		Requester: f.Requester, KeyId: "three", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 1,
		Participants: []string{sorted[3].Operator, sorted[1].Operator, sorted[2].Operator},
	})
	require.NoError(t, err)
	f.KeySign("s", "ready", "text")

	_, err = f.Msg.RevokeParticipant(f.Ctx, &types.MsgRevokeParticipant{Operator: sorted[0].Operator})
	require.NoError(t, err)
	f.EndBlocks(2)
	requireKey(t, f, "all", types.KEY_STATUS_ERROR, "identity_revoked")
	requireKey(t, f, "three", types.KEY_STATUS_PENDING, "")
	requireKey(t, f, "ready", types.KEY_STATUS_READY, "")
	requireSignature(t, f, "s", types.SIGNATURE_STATUS_ERROR, "identity_revoked")
	require.Equal(t, 1, f.Events(&types.EventParticipantRevoked{}))

	// Whoever revoked is left out of new signatures; t+1 of the others are enough.
	f.KeySign("s2", "ready", "text")
	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	require.Len(t, requests, 2)
	require.Len(t, requests[1].Members, 3)

	_, err = f.Msg.RevokeParticipant(f.Ctx, &types.MsgRevokeParticipant{Operator: sorted[0].Operator})
	require.ErrorIs(t, err, types.ErrUnregistered)
	_, err = f.Msg.RevokeParticipant(f.Ctx, &types.MsgRevokeParticipant{Operator: chain.Operator(9)})
	require.ErrorIs(t, err, types.ErrUnregistered)

	for _, p := range sorted[1:3] {
		_, err = f.Msg.RevokeParticipant(f.Ctx, &types.MsgRevokeParticipant{Operator: p.Operator})
		require.NoError(t, err)
	}
	_, err = f.Msg.KeySign(f.Ctx, &types.MsgKeySign{Requester: f.Requester, SignatureId: "s3", KeyId: "ready", Payload: chain.Payload("x")})
	require.ErrorIs(t, err, types.ErrTooFewSigners)

	// A new identity brings it back.
	sorted[1].Identity = chain.IdentityKey("again")
	f.Register(sorted[1])
	f.KeySign("s4", "ready", "text")
}

// The versions of an identity are bounded, and revoking stays possible at the
// bound.
func TestIdentitiesAreBounded(t *testing.T) {
	f := chain.New(t, 3)
	p := f.Participants[0]
	for p.Version < types.MaxIdentities {
		p.Identity = chain.IdentityKey(fmt.Sprint(p.Version))
		f.Register(p)
	}
	one := chain.IdentityKey("one too many")
	register := func(operator string) error {
		_, err := f.Msg.RegisterParticipant(f.Ctx, &types.MsgRegisterParticipant{
			Operator: operator, IdentityKey: chain.Public(one), ProofOfPossession: chain.Proof(chain.ChainID, operator, one),
		})
		return err
	}
	require.ErrorIs(t, register(p.Operator), types.ErrTooManyIdentities)
	f.KeyGen("k", 1)
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
	require.ErrorIs(t, register(p.Operator), types.ErrTooManyIdentities)
	require.NoError(t, register(f.Participants[1].Operator), "the key was not claimed")
}
