package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// revokeAgain lets a participant revoke its identity and register another one.
func revokeAgain(t *testing.T, f *chain.Fixture, p *chain.Participant) {
	t.Helper()
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
	p.Identity = chain.IdentityKey(fmt.Sprint(p.Operator, " after ", p.Version))
	f.Register(p)
}

// A reshare goes on without those who revoked their identity as long as all who get a share
// are there, and t+1 of those who hold the key; on an imported chain, too. What they
// registered since counts for nothing: it is not what the reshare pinned.
func TestReshareGoesOnWithoutRevokers(t *testing.T) {
	for name, c := range map[string]struct {
		before []int // who revoked before it was asked for
		revoke []int
		fails  bool
	}{
		"one of four holders":              {revoke: []int{0}},
		"one of three that were left":      {before: []int{0}, revoke: []int{1}, fails: true},
		"two of four holders":              {revoke: []int{1, 0}, fails: true},
		"a newcomer":                       {revoke: []int{4}, fails: true},
		"a holder that gets another share": {revoke: []int{3}, fails: true},
		"a holder, then one that does":     {revoke: []int{0, 2}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret := resharing(t)
			for _, i := range c.before {
				require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[i].Operator))
			}
			f.EndBlocks(50)
			f.Reshare("r", "k", 1, f.Participants[2:5]...)
			f.EndBlocks(60)
			for _, i := range c.revoke {
				revokeAgain(t, f, f.Participants[i])
			}
			imported := exportImport(t, f)
			imported.Participants = f.Participants
			for _, f := range []*chain.Fixture{imported, f} { // the other's request must be open as long as anybody attests
				f.EndBlocks(61)
				if c.fails {
					requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, "identity_revoked")
					require.Zero(t, f.Entries(types.RequestsByMemberPrefix))
					continue
				}
				requireReshare(t, f, "r", types.RESHARE_STATUS_PENDING, "")
				f.Stage("r", secret)
				f.PassTest("r", secret)
				requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
				require.Zero(t, f.Entries(types.RequestsByMemberPrefix))
			}
		})
	}
}

// A holder that the key is taken from does not keep it by revoking its identity, however
// often it registers another one.
func TestHolderCannotEndReshares(t *testing.T) {
	f, secret := resharing(t)
	holder := f.Participants[0]
	holder.Jail()
	f.Reshare("r", "k", 2, f.Participants[1:5]...)
	for height := int64(2); height < 12; height++ {
		revokeAgain(t, f, holder)
		f.EndBlocks(height)
	}
	requireReshare(t, f, "r", types.RESHARE_STATUS_PENDING, "")
	f.Stage("r", secret)
	f.PassTest("r", secret)
	require.NotContains(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Participants, holder.Operator)
}

// Nobody accuses with an identity that it revoked: whoever has its key now would speak for it.
func TestRevokersAccuseNobody(t *testing.T) {
	f, _ := resharing(t)
	revoker, other := f.Participants[0], f.Participants[1]
	f.Reshare("r", "k", 1, f.Participants[2:5]...)
	r := requireReshare(t, f, "r", types.RESHARE_STATUS_PENDING, "")
	said := revoker.Accuse(r.RequestID(), f.Participants[2].Operator)
	require.NoError(t, f.Keeper.CheckAccusation(f.Ctx, &said))
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, revoker.Operator))
	require.ErrorIs(t, f.Keeper.CheckAccusation(f.Ctx, &said), types.ErrUnregistered)
	said = other.Accuse(r.RequestID(), f.Participants[2].Operator)
	require.NoError(t, f.Keeper.CheckAccusation(f.Ctx, &said))
}

// A reshare that cannot be read does not keep its members from revoking, and fails.
func TestRevocationOfASpoiledReshare(t *testing.T) {
	f, _ := resharing(t)
	f.Reshare("r", "k", 1, f.Participants[2:5]...)
	spoil(f, types.RequestsPrefix, "", failures["error"])
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[0].Operator))
	f.Spoiled = nil
	f.EndBlocks(2)
	requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, "identity_revoked")
}
