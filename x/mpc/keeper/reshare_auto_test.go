package keeper_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// autoResharing is resharing with auto_reshare on, at height 10: the key k of the first
// four, of whom three sign, has the margin of one, and a fifth validator is there.
func autoResharing(t *testing.T) (*chain.Fixture, chain.Secret) {
	t.Helper()
	f, secret := resharing(t)
	f.EndBlocks(10)
	setParams(t, f, func(p *types.Params) { p.AutoReshare = true })
	return f, secret
}

// autoReshares lists the reshares of a key, all of the module.
func autoReshares(t *testing.T, f *chain.Fixture, key string) []types.Reshare {
	t.Helper()
	resp, err := f.Query.Reshares(f.Ctx, &types.QueryResharesRequest{KeyId: key})
	require.NoError(t, err)
	for _, r := range resp.Reshares {
		require.True(t, r.Auto)
		require.True(t, types.IsAutoID(r.Id))
	}
	return resp.Reshares
}

// leavings are the ways in which the first participant leaves.
var leavings = map[string]func(t *testing.T, f *chain.Fixture, p *chain.Participant){
	"jailed":    func(_ *testing.T, _ *chain.Fixture, p *chain.Participant) { p.Jail() },
	"unbonding": func(_ *testing.T, _ *chain.Fixture, p *chain.Participant) { p.Staked.Status = stakingtypes.Unbonding },
	"unbonded":  func(_ *testing.T, _ *chain.Fixture, p *chain.Participant) { p.Staked.Status = stakingtypes.Unbonded },
	"gone": func(_ *testing.T, f *chain.Fixture, _ *chain.Participant) {
		f.Staking.Validators = f.Staking.Validators[1:]
	},
	"revoked": func(t *testing.T, f *chain.Fixture, p *chain.Participant) {
		require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
	},
}

// However a participant leaves, the key goes to those who remain and a newcomer, with
// the same threshold, in the name of its owner.
func TestAutoReshare(t *testing.T) {
	for name, leave := range leavings {
		t.Run(name, func(t *testing.T) {
			f, secret := autoResharing(t)
			f.EndBlocks(20)
			require.Empty(t, autoReshares(t, f, "k"), "a healthy key is left alone")
			leave(t, f, f.Participants[0])
			f.Events(&types.EventReshareRequested{})
			f.EndBlocks(21)
			require.Equal(t, 1, f.Events(&types.EventReshareRequested{}))
			all := autoReshares(t, f, "k")
			require.Len(t, all, 1)
			r := all[0]
			require.Equal(t, types.AutoReshareID("k", 20), r.Id)
			require.Equal(t, types.RESHARE_STATUS_PENDING, r.Status)
			require.Equal(t, f.Requester, r.Owner)
			require.EqualValues(t, 2, r.Threshold)
			require.ElementsMatch(t, chain.Operators(f.Participants[1:]...), r.Participants)
			f.EndBlocks(30)
			require.Len(t, autoReshares(t, f, "k"), 1, "one at a time")

			f.Stage(r.Id, secret)
			f.PassTest(r.Id, secret)
			f.EndBlocks(60)
			require.Len(t, autoReshares(t, f, "k"), 1, "healthy again")
			require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").AutoReshareHeight)
		})
	}
}

// Off is the default, and nobody else may use the module's ids; the owner may cancel
// what the module asked for.
func TestAutoReshareIsTheModules(t *testing.T) {
	f, _ := resharing(t)
	f.Participants[0].Jail()
	f.EndBlocks(20)
	require.Empty(t, autoReshares(t, f, "k"))
	_, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{
		Requester: f.Requester, ReshareId: types.AutoReshareID("k", 20), KeyId: "k", Threshold: 2,
	})
	require.ErrorIs(t, err, types.ErrBadID)
	setParams(t, f, func(p *types.Params) { p.AutoReshare = true })
	f.EndBlocks(21)
	id := autoReshares(t, f, "k")[0].Id
	_, err = f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: id})
	require.NoError(t, err)
	requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "cancelled")
}

// After a reshare failed, whoever asked for it, the key is left alone for a while.
func TestAutoResharePauses(t *testing.T) {
	f, _ := autoResharing(t)
	setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 50 })
	f.Participants[0].Jail()
	f.EndBlocks(611) // asked for at 10, it expires at 610
	require.Len(t, autoReshares(t, f, "k"), 1)
	require.EqualValues(t, 660, requireKey(t, f, "k", types.KEY_STATUS_READY, "").AutoReshareHeight)
	f.EndBlocks(660)
	require.Len(t, autoReshares(t, f, "k"), 1)
	f.EndBlocks(661)
	all := autoReshares(t, f, "k")
	require.Len(t, all, 2)
	require.Equal(t, types.RESHARE_STATUS_PENDING, requireReshare(t, f, types.AutoReshareID("k", 660), types.RESHARE_STATUS_PENDING, "").Status)
}

// The participants that remain, and whoever can take a place, make the new committee;
// where they are too few the key is only reported, once for each pause.
func TestAutoReshareCommittees(t *testing.T) {
	for name, c := range map[string]struct {
		leave   []int // of the five
		margin  uint32
		most    uint32 // max_participants
		to      []int
		reason  string // of the event, where there is no reshare
		healthy bool
	}{
		"nobody left":                     {margin: 1, healthy: true},
		"below the margin":                {margin: 2, to: []int{0, 1, 2, 3, 4}},
		"below any margin, nobody to add": {margin: 2, leave: []int{4}, reason: "4 of the participants of key k can go on, 5 should"},
		"above what a key may have":       {margin: 60, most: 4, healthy: true},
		"one replaced":                    {margin: 1, leave: []int{2}, to: []int{0, 1, 3, 4}},
		"two left, one replaced":          {margin: 1, leave: []int{0, 1}, to: []int{2, 3, 4}},
		"shrinks to t+1":                  {margin: 1, leave: []int{0, 4}, to: []int{1, 2, 3}},
		"too few to go on":                {margin: 1, leave: []int{0, 1, 4}, reason: "too_few_participants"},
		"fewer than may be, by parameter": {margin: 1, most: 3, leave: []int{0}, to: []int{1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			setParams(t, f, func(p *types.Params) {
				p.AutoReshareMargin = c.margin
				if c.most != 0 {
					p.MaxParticipants = c.most
				}
			})
			for _, i := range c.leave {
				f.Participants[i].Jail()
			}
			f.Events(&types.EventKeyEndangered{})
			f.EndBlocks(600)
			all := autoReshares(t, f, "k")
			if c.to == nil {
				require.Empty(t, all)
				events := f.Ctx.EventManager().Events()
				want := 0
				if !c.healthy {
					want = 1
					said, _ := events[len(events)-1].GetAttribute("reason")
					require.Contains(t, said.Value, c.reason)
				}
				require.Equal(t, want, f.Events(&types.EventKeyEndangered{}))
				f.EndBlocks(1200)
				require.Equal(t, want, f.Events(&types.EventKeyEndangered{}))
				return
			}
			require.Len(t, all, 1)
			var to []*chain.Participant
			for _, i := range c.to {
				to = append(to, f.Participants[i])
			}
			require.ElementsMatch(t, chain.Operators(to...), all[0].Participants)
			require.Zero(t, f.Events(&types.EventKeyEndangered{}))
		})
	}
}

// A key below the margin with nobody to add is reported again and again, and not left
// alone: whoever comes is added in that block.
func TestKeyBelowTheMargin(t *testing.T) {
	f, _ := autoResharing(t)
	f.Participants[4].Jail()
	setParams(t, f, func(p *types.Params) { p.AutoReshareMargin = 2 })
	f.Events(&types.EventKeyEndangered{})
	for _, height := range []int64{11, 611, 1211} {
		f.EndBlocks(height - 1)
		require.Zero(t, f.Events(&types.EventKeyEndangered{}))
		f.EndBlocks(height)
		require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
	}
	require.EqualValues(t, 1810, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight)
	setParams(t, f, func(p *types.Params) { p.AutoReshareMargin = 1 })
	f.EndBlocks(1221)
	require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight, "healthy")

	setParams(t, f, func(p *types.Params) { p.AutoReshareMargin = 2 })
	f.EndBlocks(1231)
	require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
	f.Register(f.AddValidator(5))
	f.EndBlocks(1232)
	require.Len(t, autoReshares(t, f, "k"), 1)
	require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight)
}

// A validator may be there and the key endangered all the same: too few of those who
// hold it can deal their shares.
func TestAutoReshareNeedsDealers(t *testing.T) {
	f, _ := autoResharing(t)
	f.Register(f.AddValidator(5))
	for _, p := range f.Participants[:2] {
		require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
	}
	f.Events(&types.EventKeyEndangered{})
	f.EndBlocks(12)
	require.Empty(t, autoReshares(t, f, "k"))
	require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
}

// Many keys lose a participant at once: few blocks look at few of them, few are open at
// a time, and each has its turn.
func TestAutoResharesAreBounded(t *testing.T) {
	const keys = 2*keeper.MaxHealthChecksPerBlock + 5
	f, _ := autoResharing(t)
	setParams(t, f, func(p *types.Params) { p.AutoReshareMargin = 0; p.MaxParticipants = 4 })
	secrets := make(map[string]chain.Secret, keys)
	for i := range keys {
		id := fmt.Sprintf("k-%02d", i)
		_, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{
			Requester: f.Requester, KeyId: id, Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 2,
			Participants: chain.Operators(f.Participants[:4]...),
		})
		require.NoError(t, err)
		secrets[id] = chain.NewSecret(id)
		for _, p := range f.Participants[:4] {
			a := p.Attest(id, 0, chain.Session(id), secrets[id].Payload(4))
			require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
		}
	}
	f.Participants[0].Jail()
	deleteKey(t, f, "k")
	open := func() (all []types.Reshare) {
		resp, err := f.Query.Reshares(f.Ctx, &types.QueryResharesRequest{Status: types.RESHARE_STATUS_PENDING})
		require.NoError(t, err)
		return resp.Reshares
	}
	done := make(map[string]bool)
	for len(done) < keys {
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
		all := open()
		require.LessOrEqual(t, len(all), keeper.MaxOpenAutoReshares)
		require.Less(t, f.Ctx.BlockHeight(), int64(100), "every key has its turn")
		for _, r := range all {
			require.False(t, done[r.KeyId], "once")
			done[r.KeyId] = true
			f.Stage(r.Id, secrets[r.KeyId])
			f.PassTest(r.Id, secrets[r.KeyId])
		}
	}
	f.EndBlocks(f.Ctx.BlockHeight() + 10)
	require.Empty(t, open())
}

// The limits of open requests hold for the module, too: the key waits for its next turn.
func TestAutoReshareWaitsForRoom(t *testing.T) {
	f, secret := autoResharing(t)
	setParams(t, f, func(p *types.Params) { p.MaxPendingPerRequester = 1 })
	f.KeySign("s", "k", "a")
	f.Participants[0].Jail()
	f.Events(&types.EventKeyEndangered{})
	f.EndBlocks(20)
	require.Empty(t, autoReshares(t, f, "k"))
	require.Zero(t, f.Events(&types.EventKeyEndangered{}))
	finishSign(t, f, "s", secret)
	f.EndBlocks(21)
	require.Len(t, autoReshares(t, f, "k"), 1)
}

// An owner who reshares many keys takes no room of the module's own.
func TestOwnersLeaveRoom(t *testing.T) {
	f, _ := autoResharing(t)
	for i := range 2 * keeper.MaxOpenAutoReshares {
		id := fmt.Sprint("a", i) // before those of the module, and after
		f.ReadyKey(id, 2)
		f.Reshare([]string{"a", "b"}[i%2]+id, id, 2)
	}
	f.Participants[0].Jail()
	f.EndBlocks(12)
	require.Len(t, autoReshares(t, f, "k"), 1)
}

// A key that waits long for room is reported, and asked for as soon as there is some.
func TestKeyThatWaitsIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		fill func(*testing.T, *chain.Fixture)
		free func(*testing.T, *chain.Fixture)
		why  string
	}{
		"the owner's": {
			fill: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.MaxPendingPerRequester = 1 })
				f.KeyGen("pending", 2)
			},
			free: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.MaxPendingPerRequester = 2 })
			},
			why: "too_many_pending: ",
		},
		"the module's own": {
			fill: func(t *testing.T, f *chain.Fixture) {
				for i := range keeper.MaxOpenAutoReshares {
					f.ReadyKey(fmt.Sprint("a", i), 2)
				}
			},
			free: func(t *testing.T, f *chain.Fixture) {
				id := autoReshares(t, f, "a0")[0].Id
				_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: id})
				require.NoError(t, err)
			},
			why: "4 reshares that the module asked for are open, the limit: too_many_pending: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 50 })
			c.fill(t, f)
			f.Participants[0].Jail()
			f.Events(&types.EventKeyEndangered{})
			f.EndBlocks(60)
			require.Zero(t, f.Events(&types.EventKeyEndangered{}), "it may have room soon")
			f.EndBlocks(61)
			events := f.Ctx.EventManager().Events()
			require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
			said, _ := events[len(events)-1].GetAttribute("reason")
			require.Contains(t, said.Value, c.why)
			f.EndBlocks(110)
			require.Zero(t, f.Events(&types.EventKeyEndangered{}))
			f.EndBlocks(111)
			require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
			require.Empty(t, autoReshares(t, f, "k"))
			c.free(t, f)
			f.EndBlocks(112)
			require.Len(t, autoReshares(t, f, "k"), 1)
			require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight)
		})
	}
}

// A key that cannot be read does not hold up the others.
func TestSpoiledHealthCheck(t *testing.T) {
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			f.ReadyKey("a", 2)
			f.Participants[0].Jail()
			spoil(f, types.KeysPrefix, "a", fail)
			f.EndBlocks(11)
			f.Spoiled = nil
			require.Empty(t, autoReshares(t, f, "a"))
			require.Len(t, autoReshares(t, f, "k"), 1)
			f.EndBlocks(13)
			require.Len(t, autoReshares(t, f, "a"), 1)
		})
	}
}

// A chain that starts anew keeps the pause, and the reshares of the module.
func TestAutoReshareGenesis(t *testing.T) {
	old, _ := autoResharing(t)
	old.ReadyKey("other", 2)
	old.Participants[0].Jail()
	old.EndBlocks(20)
	_, err := old.Msg.CancelReshare(old.Ctx, &types.MsgCancelReshare{Requester: old.Requester, ReshareId: autoReshares(t, old, "k")[0].Id})
	require.NoError(t, err)
	require.Len(t, autoReshares(t, old, "other"), 1)
	old.EndBlocks(101)
	gs, err := old.Keeper.ExportGenesis(old.Ctx.WithBlockHeight(100))
	require.NoError(t, err)
	other := &gs.Keys[slices.IndexFunc(gs.Keys, func(k types.Key) bool { return k.Id == "other" })]
	other.FailedReshares, other.EndangeredHeight = 3, 250
	other.Absentees = []types.Absentee{{Operator: old.Participants[4].Operator, UntilHeight: 500, Accused: true}}
	require.NoError(t, gs.Validate())
	f := chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	require.EqualValues(t, 520, requireKey(t, f, "k", types.KEY_STATUS_READY, "").AutoReshareHeight)
	moved := requireKey(t, f, "other", types.KEY_STATUS_READY, "")
	require.EqualValues(t, 3, moved.FailedReshares)
	require.EqualValues(t, 150, moved.EndangeredHeight)
	require.Equal(t, []types.Absentee{{Operator: old.Participants[4].Operator, UntilHeight: 400, Accused: true}}, moved.Absentees)
	other.Absentees[0].Operator = "nobody"
	nobody := chain.NewEmpty(t)
	require.ErrorIs(t, nobody.Keeper.InitGenesis(nobody.Ctx, *gs), types.ErrBadGenesis)
	f.Staking.Validators = old.Staking.Validators
	f.Ctx = f.Ctx.WithBlockHeight(1)
	f.EndBlocks(520)
	require.Len(t, autoReshares(t, f, "k"), 1)
	f.EndBlocks(521)
	require.Len(t, autoReshares(t, f, "k"), 2)
}

// Two validators that take each other's place in the set all the time make a reshare once
// in auto_reshare_pause_blocks; a key whose able participants are too few does not wait.
func TestAutoReshareRests(t *testing.T) {
	f, secret := autoResharing(t)
	setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 50 })
	swap := func(in, out int) {
		in0, out0 := f.Participants[in].Staked, f.Participants[out].Staked
		in0.Jailed, in0.Status = false, stakingtypes.Bonded
		out0.Status = stakingtypes.Unbonding
	}
	finish := func(count int) {
		t.Helper()
		all := autoReshares(t, f, "k")
		require.Len(t, all, count)
		for _, r := range all {
			if r.Status == types.RESHARE_STATUS_PENDING {
				f.Stage(r.Id, secret)
				f.PassTest(r.Id, secret)
			}
		}
	}
	swap(4, 0)
	f.EndBlocks(20)
	finish(1)
	decided := requireKey(t, f, "k", types.KEY_STATUS_READY, "").DecidedHeight
	for i := range 10 {
		swap(4*(i%2), 4-4*(i%2))
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
	}
	swap(0, 4)
	f.EndBlocks(decided + 50)
	require.Len(t, autoReshares(t, f, "k"), 1)
	f.EndBlocks(decided + 51)
	finish(2)

	f.Participants[1].Jail()
	f.EndBlocks(f.Ctx.BlockHeight() + 5)
	require.Len(t, autoReshares(t, f, "k"), 2, "three are there, and sign")
	f.Participants[2].Jail()
	swap(4, 1)
	f.EndBlocks(f.Ctx.BlockHeight() + 5)
	require.Len(t, autoReshares(t, f, "k"), 3, "two are there, and three must sign")
}

// One participant says of many keys that it has no share. The keys of somebody who leaves
// have half of the room all the same.
func TestRepairsLeaveRoom(t *testing.T) {
	f, _ := autoResharing(t)
	setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 1 })
	deleteKey(t, f, "k")
	other := f.AddValidator(5)
	f.Register(other)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		f.ReadyKey(id, 2)
		a := f.Participants[3].AttestMissing(id, chain.Session(id))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	f.EndBlocks(30)
	open := func() (all []types.Reshare) {
		resp, err := f.Query.Reshares(f.Ctx, &types.QueryResharesRequest{Status: types.RESHARE_STATUS_PENDING})
		require.NoError(t, err)
		return resp.Reshares
	}
	require.Len(t, open(), keeper.MaxOpenRepairs)
	for _, r := range open() {
		require.True(t, r.Repairs())
	}
	f.EndBlocks(100)
	require.Len(t, open(), keeper.MaxOpenRepairs, "they take all the time they have")
	other.Jail()
	f.EndBlocks(130)
	require.Len(t, open(), keeper.MaxOpenAutoReshares)
}

// Each failure in an epoch doubles how long the key is left alone, to 64 times as long; a
// new epoch begins anew.
func TestAutoResharePausesDouble(t *testing.T) {
	f, secret := autoResharing(t)
	setParams(t, f, func(p *types.Params) {
		p.AutoResharePauseBlocks, p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks = 10, 5, 2
	})
	f.Participants[0].Jail()
	asked := int64(10)
	for i := range 9 {
		f.EndBlocks(asked + 6)
		key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		require.Len(t, autoReshares(t, f, "k"), i+1)
		require.EqualValues(t, asked+5+10<<min(i, types.MaxPauseDoublings), key.AutoReshareHeight)
		require.EqualValues(t, min(i, types.MaxPauseDoublings)+1, key.FailedReshares)
		require.NoError(t, key.Validate())
		asked = key.AutoReshareHeight
	}
	f.EndBlocks(asked + 1)
	id := types.AutoReshareID("k", asked)
	f.Stage(id, secret)
	f.PassTest(id, secret)
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Zero(t, key.FailedReshares)
	require.Zero(t, key.AutoReshareHeight)
	require.Empty(t, key.Absentees)
}

// newcomers are those of its committee who are not of the one before.
func newcomers(r types.Reshare) []string {
	return slices.DeleteFunc(slices.Clone(r.Participants), func(operator string) bool {
		return slices.Contains(r.OldParticipants, operator)
	})
}

// A newcomer that does not come is taken last next time, and who is accused of it where
// t+1 are too few otherwise, whoever is the stronger; after a while it is taken again.
func TestFailedNewcomerComesLast(t *testing.T) {
	for name, c := range map[string]struct {
		validators int   // in all; four hold the key
		leave      []int // of the four
		dead       []int // accused in each reshare with them
		want       [][]int
	}{
		"one of two":                {6, []int{0}, []int{4}, [][]int{{4}, {5}, {5}}},
		"nobody else":               {5, []int{0}, []int{4}, [][]int{{4}, {}}},
		"nobody else, nobody knows": {5, []int{0}, nil, [][]int{{4}, {4}}},
		"two of three, one is dead": {7, []int{0, 1}, []int{4}, [][]int{{4, 5}, {5, 6}}},
		"three of them are alive":   {8, []int{0, 1}, []int{5}, [][]int{{4, 5}, {4, 6}, {4, 7}}},
		"both are dead":             {6, []int{0, 1}, []int{4, 5}, [][]int{{4, 5}, {4}, {5}}},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			for i := 5; i < c.validators; i++ {
				f.Register(f.AddValidator(i))
			}
			setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks, p.FaultBlocks = 300, 700 })
			for _, i := range c.leave {
				f.Participants[i].Staked.Status = stakingtypes.Unbonding
			}
			height := int64(10)
			for _, want := range c.want {
				f.EndBlocks(height + 1)
				r := requireReshare(t, f, types.AutoReshareID("k", height), types.RESHARE_STATUS_PENDING, "")
				var members []*chain.Participant
				for _, i := range want {
					members = append(members, f.Participants[i])
				}
				require.ElementsMatch(t, chain.Operators(members...), newcomers(r))
				f.EndBlocks(height + 200)
				for _, i := range c.dead {
					a := f.Participants[2].Accuse(r.RequestID(), f.Participants[i].Operator)
					_ = f.Keeper.ApplyAccusation(f.Ctx, &a) // it may stand there still, or be no member
				}
				f.EndBlocks(height + 601)
				requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.NoError(t, key.Validate())
				for _, a := range key.Absentees {
					require.Equal(t, a.Accused, slices.ContainsFunc(c.dead, func(i int) bool { return f.Participants[i].Operator == a.Operator }))
				}
				height = key.AutoReshareHeight
			}
		})
	}
}

// One participant is bonded and dead, of another one the key is to get rid of. The dead
// one is left out as soon as the others accused it, innocent newcomers come again, and from
// the second failure on the key is reported.
func TestDeadParticipantIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		validators int
		threshold  uint32
		leave      int
		accusing   map[int][]int // who accuses whom in each reshare
		attests    []int         // in the first reshare
		want       [][]int
	}{
		"nobody else is there": {
			validators: 5, threshold: 2, leave: 3, accusing: map[int][]int{0: {2}, 1: {2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4}},
		},
		"its place is filled": {
			validators: 6, threshold: 2, leave: 3, accusing: map[int][]int{0: {2}, 1: {2}, 3: {2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4, 5}},
		},
		"t+1 need it": {
			validators: 4, threshold: 2, leave: 3, accusing: map[int][]int{0: {2}},
			want: [][]int{{0, 1, 2}, {0, 1, 2}, {0, 1, 2}},
		},
		"a newcomer's word does not count": {
			validators: 5, threshold: 2, leave: 3, accusing: map[int][]int{4: {0, 1, 2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 2, 4}},
		},
		"who left accuses everybody": {
			validators: 5, threshold: 1, leave: 3, accusing: map[int][]int{3: {0, 1, 2, 4}, 0: {2}, 1: {2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4}},
		},
		"it accuses everybody": {
			validators: 5, threshold: 1, leave: 3, accusing: map[int][]int{2: {0, 1, 4}, 0: {2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4}},
		},
		"who attested came": {
			validators: 5, threshold: 1, leave: 3, accusing: map[int][]int{0: {1, 2}}, attests: []int{1},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 4)
			f.ReadyKey("k", c.threshold)
			for i := 4; i < c.validators; i++ {
				f.Register(f.AddValidator(i))
			}
			f.EndBlocks(10)
			setParams(t, f, func(p *types.Params) {
				p.AutoReshare, p.AutoResharePauseBlocks, p.AutoReshareMargin = true, 300, 3-c.threshold
			})
			f.Participants[c.leave].Jail()
			f.Events(&types.EventKeyEndangered{})
			height := int64(10)
			for round, want := range c.want {
				f.EndBlocks(height + 1)
				r := requireReshare(t, f, types.AutoReshareID("k", height), types.RESHARE_STATUS_PENDING, "")
				var members []*chain.Participant
				for _, i := range want {
					members = append(members, f.Participants[i])
				}
				require.ElementsMatch(t, chain.Operators(members...), r.Participants, "round %d", round)
				f.EndBlocks(height + 100)
				for accuser, accused := range c.accusing {
					for _, i := range accused {
						a := f.Participants[accuser].Accuse(r.RequestID(), f.Participants[i].Operator)
						_ = f.Keeper.ApplyAccusation(f.Ctx, &a) // one of them may be no member
					}
				}
				for _, i := range c.attests {
					a := f.Participants[i].AttestReshare(r.Id, 0, chain.Session(r.Id), chain.NewSecret("k").Payload(len(want)))
					require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
				}
				c.attests = nil
				f.EndBlocks(height + 601)
				requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
				require.Equal(t, min(round, 1), f.Events(&types.EventKeyEndangered{}), "from the second failure on")
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.NoError(t, key.Validate())
				height = key.AutoReshareHeight
			}
		})
	}
}

// What is not the newcomers' fault is not held against them: their owner gave it up, or
// all had a share.
func TestNewcomersOfOtherFailures(t *testing.T) {
	f, secret := autoResharing(t)
	f.Participants[0].Jail()
	f.EndBlocks(11)
	id := types.AutoReshareID("k", 10)
	f.Stage(id, secret)
	f.EndBlocks(1000)
	requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "expired")
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Empty(t, key.Absentees)
	f.EndBlocks(key.AutoReshareHeight + 1)
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: types.AutoReshareID("k", key.AutoReshareHeight)})
	require.NoError(t, err)
	require.Empty(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Absentees)
}
