package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
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

// Who is not among the bonded validators does not become a participant. Who is one
// rotates and revokes wherever it stands.
func TestRegisteringTakesABondedValidator(t *testing.T) {
	f := chain.New(t, 2)
	p := f.AddValidator(2)
	register := func() error {
		_, err := f.Msg.RegisterParticipant(f.Ctx, &types.MsgRegisterParticipant{
			Operator: p.Operator, IdentityKey: chain.Public(p.Identity), ProofOfPossession: chain.Proof(chain.ChainID, p.Operator, p.Identity),
		})
		return err
	}
	for _, v := range []stakingtypes.Validator{
		{Status: stakingtypes.Unbonded}, {Status: stakingtypes.Unbonding}, {Status: stakingtypes.Unbonding, Jailed: true},
		{Status: stakingtypes.Bonded, Jailed: true}, // until the end of the block
	} {
		p.Staked.Status, p.Staked.Jailed = v.Status, v.Jailed
		require.ErrorIs(t, register(), types.ErrNotBonded)
	}
	_, err := f.Keeper.Participant(f.Ctx, p.Operator)
	require.ErrorIs(t, err, types.ErrUnregistered)
	p.Staked.Status, p.Staked.Jailed = stakingtypes.Bonded, false
	require.NoError(t, register())
	p.Jail()
	p.Identity = chain.IdentityKey("rotated")
	require.NoError(t, register())
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
	p.Identity = chain.IdentityKey("again")
	require.NoError(t, register())
}

// Every write of a participant counts, and nothing else does.
func TestRosterChanges(t *testing.T) {
	f := chain.New(t, 3)
	last, err := f.Keeper.EngineRosterChanges(f.Ctx)
	require.NoError(t, err)
	changes := func(by uint64) {
		t.Helper()
		now, err := f.Keeper.EngineRosterChanges(f.Ctx)
		require.NoError(t, err)
		require.Equal(t, last+by, now)
		last = now
	}
	f.ReadyKey("k", 1)
	f.KeySign("s", "k", "text")
	f.EndBlocks(2)
	changes(0)
	f.Register(f.AddValidator(3))
	changes(1)
	f.Participants[0].Identity = chain.IdentityKey("rotated")
	f.Register(f.Participants[0])
	changes(1)
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[0].Operator))
	changes(1)
	require.ErrorIs(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[0].Operator), types.ErrUnregistered)
	changes(0)
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	again := chain.NewEmpty(t)
	require.NoError(t, again.Keeper.InitGenesis(again.Ctx, *gs))
	imported, err := again.Keeper.EngineRosterChanges(again.Ctx)
	require.NoError(t, err)
	require.EqualValues(t, len(gs.Participants), imported)
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

// A node without its MPC folder asks by the key that it signs blocks with.
func TestOperatorOfAConsensusKey(t *testing.T) {
	f := chain.New(t, 2)
	stranger := f.AddValidator(2) // it never registered
	of := func(p *chain.Participant) (mpctypes.Operator, bool) {
		t.Helper()
		address, err := p.Staked.GetConsAddr()
		require.NoError(t, err)
		op, found, err := f.Keeper.EngineOperatorOf(f.Ctx, address)
		require.NoError(t, err)
		return op, found
	}
	for _, p := range f.Participants[:2] {
		op, found := of(p)
		require.True(t, found)
		require.Equal(t, mpctypes.Operator(p.Operator), op)
	}
	_, found := of(stranger)
	require.False(t, found)

	gone := f.Participants[1]
	_, err := f.Msg.RevokeParticipant(f.Ctx, &types.MsgRevokeParticipant{Operator: gone.Operator})
	require.NoError(t, err)
	_, found = of(gone)
	require.False(t, found, "it takes no part, on purpose")
	f.Staking.Validators = f.Staking.Validators[1:]
	_, found = of(f.Participants[0])
	require.False(t, found, "it is no validator any more")
}
