package keeper_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// withAccused is a chain that starts anew with what there is: so many reshares of its first
// key failed, and three say of these that they did not come, which counts up to height 1000.
func withAccused(t *testing.T, old *chain.Fixture, failed uint32, accused ...*chain.Participant) *chain.Fixture {
	t.Helper()
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	key := &gs.Keys[0]
	key.FailedReshares = failed
	for _, p := range accused {
		key.Absentees = append(key.Absentees, types.Absentee{
			Operator: p.Operator, UntilHeight: 1000 + old.Ctx.BlockHeight(), Accused: true, Words: 3,
		})
	}
	slices.SortFunc(key.Absentees, func(a, b types.Absentee) int { return strings.Compare(a.Operator, b.Operator) })
	f := chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	f.Ctx = f.Ctx.WithBlockHeight(1)
	f.Staking.Validators = old.Staking.Validators
	for _, p := range old.Participants {
		f.Participants = append(f.Participants, p.On(f))
	}
	return f
}

// A reshare that is to widen a key fails since a holder and the newcomer were cut off: the
// holder keeps its share, and when enough are there the key is widened.
func TestWideningTakesNobodysShare(t *testing.T) {
	f := chain.New(t, 4)
	secret := f.ReadyKey("k", 2)
	f.EndBlocks(10)
	setParams(t, f, func(p *types.Params) {
		p.AutoReshare, p.AutoReshareMargin, p.AutoResharePauseBlocks = true, 2, 50
	})
	f.Register(f.AddValidator(4))
	f.EndBlocks(20)
	r := requireReshare(t, f, types.AutoReshareID("k", 10), types.RESHARE_STATUS_PENDING, "")
	require.Len(t, r.Participants, 5)
	for _, accuser := range f.Participants[:3] {
		for _, cutOff := range f.Participants[3:] {
			a := accuser.Accuse(r.RequestID(), cutOff.Operator)
			require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
		}
	}
	f.EndBlocks(611)
	requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
	require.Len(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").AbsentOperators(), 2)
	f.Events(&types.EventKeyEndangered{})
	f.EndBlocks(661)
	require.Len(t, autoReshares(t, f, "k"), 1, "a committee without them gains nothing")
	require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), "4 of the participants of key k can go on, 5 should")
	require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
	f.EndBlocks(900)
	require.Len(t, autoReshares(t, f, "k"), 1)

	f.Register(f.AddValidator(5))
	f.EndBlocks(901)
	all := autoReshares(t, f, "k")
	require.Len(t, all, 2)
	r = requireReshare(t, f, requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReshareId, types.RESHARE_STATUS_PENDING, "")
	require.ElementsMatch(t, chain.Operators(slices.Concat(f.Participants[:3], f.Participants[5:])...), r.Participants)
	f.Stage(r.Id, secret)
	f.PassTest(r.Id, secret)
}

// The next committee is no smaller than the participants who can go on are many, unless
// those who are accused failed to come to a second reshare, too, and something is gained by
// doing without them.
func TestAccusedKeepTheirShares(t *testing.T) {
	for name, c := range map[string]struct {
		accused, leave []int // of six
		missing        []int
		newcomers      int
		margin         uint32
		failed         uint32
		to             []int // empty: no reshare
	}{
		"nobody left, nobody to add":                   {accused: []int{4, 5}, margin: 4, failed: 1},
		"nobody left, nobody to add, twice":            {accused: []int{4, 5}, margin: 4, failed: 2},
		"nobody left, one to add for two":              {accused: []int{4, 5}, margin: 4, failed: 1, newcomers: 1, to: []int{0, 1, 2, 3, 4, 5, 6}},
		"nobody left, one to add for two, twice":       {accused: []int{4, 5}, margin: 4, failed: 2, newcomers: 1},
		"nobody left, two to add for two":              {accused: []int{4, 5}, margin: 4, failed: 2, newcomers: 2, to: []int{0, 1, 2, 3, 6, 7}},
		"one left":                                     {accused: []int{3, 4}, leave: []int{5}, failed: 1, to: []int{0, 1, 2, 3, 4}},
		"one left, twice":                              {accused: []int{3, 4}, leave: []int{5}, failed: 2, to: []int{0, 1, 2}},
		"one left, one to add for two":                 {accused: []int{3, 4}, leave: []int{5}, failed: 1, newcomers: 1, to: []int{0, 1, 2, 3, 4, 6}},
		"one left, two to add for two":                 {accused: []int{3, 4}, leave: []int{5}, failed: 1, newcomers: 2, to: []int{0, 1, 2, 6, 7}},
		"one has no share":                             {accused: []int{4, 5}, missing: []int{0}, failed: 1, to: []int{0, 1, 2, 3, 4, 5}},
		"one has no share, twice":                      {accused: []int{4, 5}, missing: []int{0}, failed: 2, to: []int{0, 1, 2, 3}},
		"one of them has no share":                     {accused: []int{4, 5}, missing: []int{5}, failed: 1, to: []int{0, 1, 2, 3, 4, 5}},
		"one of them has no share, twice":              {accused: []int{4, 5}, missing: []int{5}, failed: 2},
		"one of them has no share, twice, some to add": {accused: []int{4, 5}, missing: []int{5}, failed: 2, newcomers: 2, to: []int{0, 1, 2, 3, 6, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 6)
			f.ReadyKey("k", 2)
			var accused []*chain.Participant
			for _, i := range c.accused {
				accused = append(accused, f.Participants[i])
			}
			f = withAccused(t, f, c.failed, accused...)
			for i := range c.newcomers {
				f.Register(f.AddValidator(6 + i))
			}
			f.EndBlocks(60)
			for _, i := range c.leave {
				f.Participants[i].Staked.Status = stakingtypes.Unbonded
			}
			for _, i := range c.missing {
				miss(t, f, f.Participants[i])
			}
			setParams(t, f, func(p *types.Params) {
				p.AutoReshare, p.AutoReshareMargin, p.AutoResharePauseBlocks = true, c.margin, 5
			})
			f.Events(&types.EventKeyEndangered{})
			f.EndBlocks(61)
			all := autoReshares(t, f, "k")
			if len(c.to) == 0 {
				require.Empty(t, all)
				said := "too few are there to add"
				if len(c.missing) > 0 {
					said = "miss their share, and are left out for a while because of reshares that failed: " + f.Participants[c.missing[0]].Operator
				}
				require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), said)
				require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
				return
			}
			require.Len(t, all, 1)
			var to []*chain.Participant
			for _, i := range c.to {
				to = append(to, f.Participants[i])
			}
			require.ElementsMatch(t, chain.Operators(to...), all[0].Participants)
		})
	}
}

// Who ended a reshare by revoking its identity has no second try, in which it could do so
// again.
func TestWhoRevokedIsNotSpared(t *testing.T) {
	f := chain.New(t, 5)
	f.ReadyKey("k", 2)
	f.EndBlocks(10)
	setParams(t, f, func(p *types.Params) { p.AutoReshare, p.AutoResharePauseBlocks = true, 50 })
	f.Participants[0].Staked.Status = stakingtypes.Unbonded
	f.EndBlocks(11)
	id := types.AutoReshareID("k", 10)
	require.Len(t, requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, "").Participants, 4)
	revokeAgain(t, f, f.Participants[1])
	f.EndBlocks(12)
	requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "identity_revoked")
	require.EqualValues(t, 1, requireKey(t, f, "k", types.KEY_STATUS_READY, "").FailedReshares)
	f.EndBlocks(62)
	r := requireReshare(t, f, types.AutoReshareID("k", 61), types.RESHARE_STATUS_PENDING, "")
	require.ElementsMatch(t, chain.Operators(f.Participants[2:]...), r.Participants)
}

// All participants who can go on are accused, and newcomers are the stronger: some of the
// participants are taken all the same, since the key goes to no more than t strangers.
func TestAccusedAreFoundBehindNewcomers(t *testing.T) {
	f := chain.New(t, 5)
	f.ReadyKey("k", 2)
	f = withAccused(t, f, 2, f.Participants[:2]...)
	for i := 5; i < 7; i++ {
		f.Register(f.AddValidator(i))
	}
	slices.Reverse(f.Staking.Validators)
	for _, p := range f.Participants[2:5] {
		p.Staked.Status = stakingtypes.Unbonded
	}
	setParams(t, f, func(p *types.Params) { p.AutoReshare = true })
	f.EndBlocks(2)
	all := autoReshares(t, f, "k")
	require.Len(t, all, 1)
	require.Len(t, all[0].Participants, 3)
	require.ElementsMatch(t, chain.Operators(f.Participants[5:]...), newcomers(all[0]))
}

// A parameter that was lowered below what the key needs is named.
func TestFewerThanTheKeyNeeds(t *testing.T) {
	f, _ := autoResharing(t)
	for i := 5; i < 8; i++ {
		f.Register(f.AddValidator(i))
	}
	setParams(t, f, func(p *types.Params) { p.MaxParticipants = 2 })
	for _, p := range f.Participants[:3] {
		p.Jail()
	}
	f.Events(&types.EventKeyEndangered{})
	f.EndBlocks(11)
	require.Empty(t, autoReshares(t, f, "k"))
	require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), "there are 2 (max_participants 2)")
}
