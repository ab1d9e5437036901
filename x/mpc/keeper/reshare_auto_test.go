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
				f.Participants[i].Staked.Status = stakingtypes.Unbonding
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
				require.Equal(t, !c.healthy, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight != 0)
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
			Participants: chain.Operators(f.Participants[:4]...), AllowRaw: true,
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
	other.FailedReshares, other.EndangeredHeight, other.ReturnHeight = 3, 250, 260
	other.FailedAble, other.UrgentHeight = 3, 270
	other.Awaited = other.Participants[:1]
	other.Absentees = []types.Absentee{{Operator: old.Participants[4].Operator, UntilHeight: 500, Accused: true}}
	require.NoError(t, gs.Validate())
	f := chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	require.EqualValues(t, 520, requireKey(t, f, "k", types.KEY_STATUS_READY, "").AutoReshareHeight)
	moved := requireKey(t, f, "other", types.KEY_STATUS_READY, "")
	require.EqualValues(t, 3, moved.FailedReshares)
	require.EqualValues(t, 150, moved.EndangeredHeight)
	require.EqualValues(t, 160, moved.ReturnHeight)
	require.Equal(t, other.Awaited, moved.Awaited)
	require.EqualValues(t, 170, moved.UrgentHeight)
	require.EqualValues(t, 3, moved.FailedAble)
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
