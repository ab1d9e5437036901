package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// deadNewcomer is a chain on which a fifth validator is bonded and dead: the key k, of this
// threshold, found out at height 110, by the words of so many. The key l, of which three
// sign, has an open reshare that its owner asked for; a sixth validator is there.
func deadNewcomer(t *testing.T, threshold uint32, words int) (*chain.Fixture, chain.Secret) {
	t.Helper()
	f := chain.New(t, 4)
	f.ReadyKey("k", threshold)
	secret := f.ReadyKey("l", 2)
	for i := 4; i < 6; i++ {
		f.Register(f.AddValidator(i))
	}
	f.EndBlocks(10)
	f.Reshare("own", "l", 2, f.Participants[:4]...)
	setParams(t, f, func(p *types.Params) {
		p.AutoReshare, p.AutoResharePauseBlocks, p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks = true, 50, 100, 20
	})
	f.Participants[0].Jail()
	f.EndBlocks(50)
	r := requireReshare(t, f, types.AutoReshareID("k", 10), types.RESHARE_STATUS_PENDING, "")
	dead := f.Participants[4]
	require.Equal(t, []string{dead.Operator}, newcomers(r))
	for _, p := range f.Participants[1 : 1+words] {
		a := p.Accuse(r.RequestID(), dead.Operator)
		require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
	}
	f.EndBlocks(111)
	requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
	require.Equal(t, []string{dead.Operator}, requireKey(t, f, "k", types.KEY_STATUS_READY, "").AbsentOperators())
	return f, secret
}

// nextNewcomers are those of the next reshare of l that the module asks for.
func nextNewcomers(t *testing.T, f *chain.Fixture, secret chain.Secret) []string {
	t.Helper()
	f.Stage("own", secret)
	f.PassTest("own", secret)
	f.EndBlocks(requireKey(t, f, "l", types.KEY_STATUS_READY, "").DecidedHeight + 51)
	id := requireKey(t, f, "l", types.KEY_STATUS_READY, "").ReshareId
	return newcomers(requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, ""))
}

// What one key found out of a validator that is dead another one goes by, if more said so
// than may be dishonest there.
func TestDeadNewcomerIsKnownToAllKeys(t *testing.T) {
	for name, c := range map[string]struct {
		threshold uint32
		words     int
		want      int
	}{
		"three say so":                         {2, 3, 5},
		"three say so, of whom two would do":   {1, 3, 5},
		"two say so, who are too few for them": {1, 2, 4},
		"nobody is believed":                   {2, 2, 4},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret := deadNewcomer(t, c.threshold, c.words)
			require.Equal(t, []string{f.Participants[c.want].Operator}, nextNewcomers(t, f, secret))
		})
	}
}

// It comes last and is not shut out: where t+1 need it, it is taken.
func TestDeadNewcomerIsTakenIfNeeded(t *testing.T) {
	f, secret := deadNewcomer(t, 2, 3)
	f.Participants[5].Jail()
	f.Participants[1].Jail()
	require.Equal(t, []string{f.Participants[4].Operator}, nextNewcomers(t, f, secret))
}

// It is shown, and forgotten when its time has passed, or when it came to a reshare.
func TestAbsenteesAreForgotten(t *testing.T) {
	f, _ := deadNewcomer(t, 2, 3)
	dead := f.Participants[4]
	shown := func() *types.Absentee {
		t.Helper()
		resp, err := f.Query.Participant(f.Ctx, &types.QueryParticipantRequest{Operator: dead.Operator})
		require.NoError(t, err)
		return resp.Absentee
	}
	require.Equal(t, &types.Absentee{Operator: dead.Operator, UntilHeight: 110 + types.AbsenteePauses*50, Accused: true, Words: 3}, shown())
	f.EndBlocks(509)
	require.NotNil(t, shown())
	require.Equal(t, 1, f.Entries(types.AbsenteesPrefix))
	f.EndBlocks(512)
	require.Nil(t, shown())
	require.Zero(t, f.Entries(types.AbsenteesPrefix))

	f, secret := deadNewcomer(t, 2, 3)
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: "own"})
	require.NoError(t, err)
	f.Reshare("together", "l", 2, f.Participants[2:5]...)
	f.Stage("together", secret)
	require.Equal(t, 1, f.Entries(types.AbsenteesPrefix))
	f.PassTest("together", secret)
	require.Zero(t, f.Entries(types.AbsenteesPrefix))
}

// Whoever owns a key may name a committee that says what it likes of one of it: no other key
// goes by that. With auto_reshare off none does.
func TestReshareThatTellsNobody(t *testing.T) {
	for name, c := range map[string]struct {
		auto, owners bool
		noted        int
	}{
		"the module's":                      {auto: true, noted: 1},
		"the owner's":                       {auto: true, owners: true},
		"the module's, and it asks no more": {},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			if c.owners {
				f.Reshare("r", "k", 2, f.Participants[1:5]...)
			} else {
				f.Participants[0].Jail()
				f.EndBlocks(11)
			}
			id := requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReshareId
			setParams(t, f, func(p *types.Params) { p.AutoReshare = c.auto })
			require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[4].Operator))
			f.EndBlocks(13)
			requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "identity_revoked")
			require.Equal(t, c.noted, f.Entries(types.AbsenteesPrefix))
		})
	}
}

// A chain that starts anew goes by it for as long.
func TestAbsenteesGenesis(t *testing.T) {
	old, _ := deadNewcomer(t, 2, 3)
	dead := old.Participants[4].Operator
	gs, err := old.Keeper.ExportGenesis(old.Ctx.WithBlockHeight(110))
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	require.Len(t, gs.Absentees, 1)
	f := chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	f.Ctx = f.Ctx.WithBlockHeight(1)
	again, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.Equal(t, []types.Absentee{{Operator: dead, UntilHeight: types.AbsenteePauses * 50, Accused: true, Words: 3}}, again.Absentees)

	gs.Absentees[0].Operator = "nobody"
	nobody := chain.NewEmpty(t)
	require.ErrorIs(t, nobody.Keeper.InitGenesis(nobody.Ctx, *gs), types.ErrBadGenesis)
}

// Who revokes its identity to end a reshare is known to all keys by its own word.
func TestRevokerIsKnownToAllKeys(t *testing.T) {
	f, _ := autoResharing(t)
	f.Participants[0].Jail()
	f.EndBlocks(11)
	revoker := f.Participants[4]
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, revoker.Operator))
	f.EndBlocks(12)
	resp, err := f.Query.Participant(f.Ctx, &types.QueryParticipantRequest{Operator: revoker.Operator})
	require.NoError(t, err)
	require.EqualValues(t, mpctypes.MaxMembers, resp.Absentee.Words)
}
