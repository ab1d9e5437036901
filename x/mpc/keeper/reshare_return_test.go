package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// nobodyToAdd is a chain with auto_reshare on at height 10, with a pause of 50 blocks: the
// four of the key k, of whom three sign, are all validators that there are.
func nobodyToAdd(t *testing.T) (*chain.Fixture, chain.Secret) {
	t.Helper()
	f := chain.New(t, 4)
	secret := f.ReadyKey("k", 2)
	f.EndBlocks(10)
	setParams(t, f, func(p *types.Params) { p.AutoReshare, p.AutoResharePauseBlocks = true, 50 })
	return f, secret
}

// unjail is what an operator does after its validator was down.
func unjail(p *chain.Participant) { p.Staked.Jailed, p.Staked.Status = false, stakingtypes.Bonded }

// requireAwaits ends a block, in which the key begins to wait for who is jailed.
func requireAwaits(t *testing.T, f *chain.Fixture, p *chain.Participant) {
	t.Helper()
	f.Events(&types.EventKeyEndangered{})
	f.EndBlocks(f.Ctx.BlockHeight() + 1)
	require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), p.Operator)
	require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
	require.EqualValues(t, f.Ctx.BlockHeight()+49, requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReturnHeight)
	require.Empty(t, autoReshares(t, f, "k"))
}

// A validator that is jailed for a while keeps its share: only after a pause the key goes to
// fewer than it should have.
func TestJailedParticipantIsAwaited(t *testing.T) {
	f, secret := nobodyToAdd(t)
	f.Participants[0].Jail()
	requireAwaits(t, f, f.Participants[0])
	f.EndBlocks(60)
	require.Empty(t, autoReshares(t, f, "k"))
	require.Zero(t, f.Events(&types.EventKeyEndangered{}), "once")
	f.EndBlocks(61)
	r := requireReshare(t, f, types.AutoReshareID("k", 60), types.RESHARE_STATUS_PENDING, "")
	require.ElementsMatch(t, chain.Operators(f.Participants[1:]...), r.Participants)
	require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReturnHeight)
	f.Stage(r.Id, secret)
	f.PassTest(r.Id, secret)
	require.ElementsMatch(t, r.Participants, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Participants)
}

// Who is back in time keeps its share, and is waited for as long the next time.
func TestJailedParticipantIsBack(t *testing.T) {
	f, _ := nobodyToAdd(t)
	for range 3 {
		f.Participants[0].Jail()
		requireAwaits(t, f, f.Participants[0])
		f.EndBlocks(f.Ctx.BlockHeight() + 40)
		unjail(f.Participants[0])
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
		key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		require.Zero(t, key.ReturnHeight)
		require.Zero(t, key.EndangeredHeight)
	}
	require.Empty(t, autoReshares(t, f, "k"))
}

// Who is jailed in the block in which another one is back has its own time. One that comes
// and goes while another stays away does not make the key wait for ever.
func TestEachJailedParticipantIsAwaited(t *testing.T) {
	f, _ := nobodyToAdd(t)
	a, b := f.Participants[0], f.Participants[1]
	a.Jail()
	requireAwaits(t, f, a) // until 60
	f.EndBlocks(58)
	unjail(a)
	b.Jail()
	requireAwaits(t, f, b) // until 108
	f.EndBlocks(100)
	unjail(b)
	a.Jail()
	requireAwaits(t, f, a) // until 150
	require.Equal(t, []string{a.Operator}, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Awaited)
	f.EndBlocks(150)
	require.Empty(t, autoReshares(t, f, "k"))
	f.EndBlocks(151)
	r := requireReshare(t, f, types.AutoReshareID("k", 150), types.RESHARE_STATUS_PENDING, "")
	require.ElementsMatch(t, chain.Operators(f.Participants[1:]...), r.Participants)
	require.Empty(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Awaited)
}

// A wait that was forgotten while the module left the key alone, or the key was deleted,
// does not count for who is jailed after it.
func TestWaitsBeginAnew(t *testing.T) {
	for name, meanwhile := range map[string]func(*testing.T, *chain.Fixture){
		"while the key is left alone": func(t *testing.T, f *chain.Fixture) {
			f.EndBlocks(60)
			miss(t, f, f.Participants[2])
			miss(t, f, f.Participants[3]) // which is reported, and a pause begins
			unjail(f.Participants[0])
			f.EndBlocks(100)
			find(t, f, f.Participants[2])
			find(t, f, f.Participants[3])
			f.EndBlocks(110)
		},
		"while it is being deleted": func(t *testing.T, f *chain.Fixture) {
			f.EndBlocks(40)
			deleteK(t, f)
			unjail(f.Participants[0])
			f.EndBlocks(110)
			require.Zero(t, undeleteKey(t, f, "k").EndangeredHeight)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := nobodyToAdd(t)
			f.Participants[0].Jail()
			requireAwaits(t, f, f.Participants[0])
			meanwhile(t, f)
			f.Participants[1].Jail()
			requireAwaits(t, f, f.Participants[1])
		})
	}
}

// Who was waited for and is back is forgotten, also where another one has left for good and
// there is no room for the reshare yet.
func TestWhoIsBackIsForgotten(t *testing.T) {
	f, _ := nobodyToAdd(t)
	back, gone := f.Participants[0], f.Participants[1]
	back.Jail()
	requireAwaits(t, f, back)
	f.EndBlocks(30)
	f.KeyGen("open", 1)
	setParams(t, f, func(p *types.Params) { p.MaxPending, p.MaxPendingPerRequester = 1, 1 })
	unjail(back)
	gone.Staked.Status = stakingtypes.Unbonded
	f.EndBlocks(40)
	require.Empty(t, autoReshares(t, f, "k"), "there is no room")
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Zero(t, key.ReturnHeight)
	require.Empty(t, key.Awaited)
}

// Who comes meanwhile takes the place at once.
func TestNewcomerEndsTheWait(t *testing.T) {
	f, _ := nobodyToAdd(t)
	f.Participants[0].Jail()
	requireAwaits(t, f, f.Participants[0])
	f.EndBlocks(30)
	f.Register(f.AddValidator(4))
	f.EndBlocks(31)
	r := requireReshare(t, f, types.AutoReshareID("k", 30), types.RESHARE_STATUS_PENDING, "")
	require.ElementsMatch(t, chain.Operators(f.Participants[1:]...), r.Participants)
}

// The key waits only for who may bring its share back, where that makes a difference, and
// where the others can sign.
func TestWhoIsNotAwaited(t *testing.T) {
	for name, leave := range map[string]func(*testing.T, *chain.Fixture, *chain.Participant){
		"jailed for ever": func(t *testing.T, f *chain.Fixture, p *chain.Participant) {
			consensus, err := p.Staked.GetConsAddr()
			require.NoError(t, err)
			f.Keeper.SetSlashing(&chain.Slashing{Staking: f.Staking, Tombstoned: []sdk.ConsAddress{consensus}})
			p.Jail()
		},
		"jailed, unbonded": func(_ *testing.T, _ *chain.Fixture, p *chain.Participant) {
			p.Jail()
			p.Staked.Status = stakingtypes.Unbonded
		},
		"jailed, without stake": func(_ *testing.T, _ *chain.Fixture, p *chain.Participant) {
			p.Jail()
			p.Staked.Tokens = math.ZeroInt()
		},
		"jailed, without an identity": func(t *testing.T, f *chain.Fixture, p *chain.Participant) {
			p.Jail()
			require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
		},
		"jailed, without a share": func(t *testing.T, f *chain.Fixture, p *chain.Participant) {
			p.Jail()
			miss(t, f, p)
		},
		"not jailed": leavings["unbonding"],
		"gone":       leavings["gone"],
		"the others cannot sign": func(t *testing.T, f *chain.Fixture, p *chain.Participant) {
			p.Jail()
			miss(t, f, f.Participants[1])
		},
		"three are enough": func(t *testing.T, f *chain.Fixture, p *chain.Participant) {
			p.Jail()
			setParams(t, f, func(params *types.Params) { params.AutoReshareMargin = 0 })
		},
		"somebody is there to add": func(_ *testing.T, f *chain.Fixture, p *chain.Participant) {
			p.Jail()
			f.Register(f.AddValidator(4))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := nobodyToAdd(t)
			f.Keeper.SetSlashing(&chain.Slashing{Staking: f.Staking})
			leave(t, f, f.Participants[0])
			f.Events(&types.EventKeyEndangered{})
			f.EndBlocks(11)
			require.Len(t, autoReshares(t, f, "k"), 1)
			require.Zero(t, f.Events(&types.EventKeyEndangered{}))
			require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReturnHeight)
		})
	}
}
