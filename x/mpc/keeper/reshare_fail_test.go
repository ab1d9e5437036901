package keeper_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func cancel(t *testing.T, f *chain.Fixture, requester string) {
	t.Helper()
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: requester, ReshareId: "r"})
	require.NoError(t, err)
}

// endings are the ways in which a reshare of k to the last three ends before its
// time, at height 50 if they do not wait for another.
var endings = map[string]struct {
	end    func(*testing.T, *chain.Fixture)
	reason string
	// untouched: the test goes on.
	untouchedTest bool
	revokes       []int // which participants
	deleted       bool
}{
	"expiry":                     {end: func(_ *testing.T, f *chain.Fixture) { f.EndBlocks(700) }, reason: "expired"},
	"cancelled by the owner":     {end: func(t *testing.T, f *chain.Fixture) { cancel(t, f, f.Requester) }, reason: "cancelled"},
	"cancelled by the authority": {end: func(t *testing.T, f *chain.Fixture) { cancel(t, f, f.Authority) }, reason: "cancelled"},
	"a new participant revokes": {end: func(t *testing.T, f *chain.Fixture) {
		require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[4].Operator))
	}, reason: "identity_revoked", revokes: []int{4}},
	"too few old participants are left": {end: func(t *testing.T, f *chain.Fixture) {
		revokeAgain(t, f, f.Participants[0])
		revokeAgain(t, f, f.Participants[1])
	}, reason: "identity_revoked", revokes: []int{0, 1}, untouchedTest: true},
	"deletion": {end: deleteK, reason: "key_deleted", deleted: true},
}

// However a reshare ends before its time, the key is what it was.
func TestReshareFails(t *testing.T) {
	for name, c := range endings {
		for _, tested := range []bool{false, true} {
			t.Run(name+map[bool]string{false: ", PENDING", true: ", TESTING"}[tested], func(t *testing.T) {
				f, secret := resharing(t)
				f.EndBlocks(50)
				f.Reshare("r", "k", 1, f.Participants[2:5]...)
				if tested {
					f.Stage("r", secret)
				}
				before := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.Zero(t, engineKey(t, f, "k").StagedRetireHeight)
				f.Events(&types.EventReshareFailed{})
				c.end(t, f)
				if tested && c.untouchedTest {
					f.EndBlocks(51)
					f.PassTest("r", secret)
					requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
					return
				}
				f.EndBlocks(max(51, f.Ctx.BlockHeight()))
				require.Equal(t, 1, f.Events(&types.EventReshareFailed{}))
				requireFailedReshare(t, f, tested, c.reason)
				if c.deleted {
					requireKey(t, f, "k", types.KEY_STATUS_DELETING, "")
					return
				}
				height := requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, c.reason).DecidedHeight
				before.ReshareId, before.NextSession, before.StagedRetireHeight = "", nil, height+100
				before.AutoReshareHeight, before.UrgentHeight = height+600, height+600
				before.FailedAble = 4
				if c.reason != "cancelled" {
					before.FailedReshares = 1
				}
				before.Absentees = nil
				switch {
				case c.reason == "expired" && !tested:
					before.Absentees = absentees(f, height, false, 4)
				case c.reason == "identity_revoked":
					before.Absentees = absentees(f, height, true, c.revokes...)
				}
				require.Equal(t, before, requireKey(t, f, "k", types.KEY_STATUS_READY, ""))
				require.Equal(t, height+100, engineKey(t, f, "k").StagedRetireHeight)
				requireSecondReshare(t, f, secret)
			})
		}
	}
}

// absentees are participants that did not come to a reshare which failed at a height, or are
// accused of it by themselves.
func absentees(f *chain.Fixture, height int64, accused bool, participants ...int) (list []types.Absentee) {
	for _, i := range participants {
		a := types.Absentee{Operator: f.Participants[i].Operator, UntilHeight: height + types.AbsenteePauses*600}
		if accused {
			a.Accused, a.Words = true, mpctypes.MaxMembers
		}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b types.Absentee) int { return strings.Compare(a.Operator, b.Operator) })
	return list
}

// requireFailedReshare checks that nothing of a failed reshare is left over, and that
// what comes late changes nothing.
func requireFailedReshare(t *testing.T, f *chain.Fixture, tested bool, reason string) {
	t.Helper()
	requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, reason)
	require.Zero(t, f.Entries(types.RequestsPrefix))
	require.Zero(t, f.Entries(types.RequestExpiryPrefix))
	require.Zero(t, f.Entries(types.CondemnedRequestsPrefix))
	require.Zero(t, f.Entries(types.AttestationsPrefix))
	late := f.Participants[2].AttestReshare("r", 0, chain.Session("late"), chain.NewSecret("k").Payload(3))
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &late), types.ErrAlreadyDecided)
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: "r"})
	require.ErrorIs(t, err, types.ErrAlreadyDecided)
	_, err = f.Keeper.Signature(f.Ctx, "test:r")
	if !tested {
		require.ErrorIs(t, err, types.ErrUnknownSignature)
		return
	}
	require.NoError(t, err)
	test := requireSignature(t, f, "test:r", types.SIGNATURE_STATUS_ERROR, reason)
	result := chain.NewSecret("k").Sign(test.Id, test.Digest)
	require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &result), types.ErrAlreadyDecided)
}

// requireSecondReshare reshares to the same epoch again, with a key that signs with
// the old one meanwhile.
func requireSecondReshare(t *testing.T, f *chain.Fixture, secret chain.Secret) {
	t.Helper()
	f.KeySign("s", "k", "a")
	finishSign(t, f, "s", secret)
	f.Reshare("again", "k", 1, f.Participants[1:4]...)
	require.EqualValues(t, 1, requireReshare(t, f, "again", types.RESHARE_STATUS_PENDING, "").Epoch)
	require.Zero(t, engineKey(t, f, "k").StagedRetireHeight, "nothing staged goes while a reshare is open")
	f.Stage("again", secret)
	f.PassTest("again", secret)
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.EqualValues(t, 1, key.Epoch)
	session := chain.Session("again")
	require.Equal(t, session[:], key.Session)
}

// A reshare that takes no results any more fails for the reason that came first, also
// if it is cancelled before the end of the block.
func TestCancelCondemnedReshare(t *testing.T) {
	for _, tested := range []bool{false, true} {
		f, secret := resharing(t)
		f.Reshare("r", "k", 1, f.Participants[2:5]...)
		if tested {
			f.Stage("r", secret)
		}
		require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[2].Operator))
		require.Zero(t, engineKey(t, f, "k").StagedRetireHeight, "a rollback may bring it back")
		cancel(t, f, f.Requester)
		requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, "identity_revoked")
		f.EndBlocks(2)
		requireFailedReshare(t, f, tested, "identity_revoked")
	}
}

func TestCancelReshareRefuses(t *testing.T) {
	f, secret := resharing(t)
	f.Reshare("r", "k", 1)
	for name, c := range map[string]struct {
		msg  types.MsgCancelReshare
		want error
	}{
		"bad id":        {types.MsgCancelReshare{Requester: f.Requester, ReshareId: "-"}, types.ErrBadID},
		"unknown":       {types.MsgCancelReshare{Requester: f.Requester, ReshareId: "none"}, types.ErrUnknownReshare},
		"not the owner": {types.MsgCancelReshare{Requester: chain.Account("stranger"), ReshareId: "r"}, types.ErrNotOwner},
		"no address":    {types.MsgCancelReshare{Requester: "x", ReshareId: "r"}, types.ErrBadAddress},
	} {
		_, err := f.Msg.CancelReshare(f.Ctx, &c.msg)
		require.ErrorIs(t, err, c.want, name)
	}
	f.Stage("r", secret)
	f.PassTest("r", secret)
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: "r"})
	require.ErrorIs(t, err, types.ErrAlreadyDecided)
}

// What an earlier failed reshare left is not destroyed earlier because another one
// fails under a lowered parameter.
func TestFailureNeverLowersTheStagedRetireHeight(t *testing.T) {
	f, _ := resharing(t)
	for i, blocks := range []uint32{100, 1, 200} {
		setParams(t, f, func(p *types.Params) { p.RetireBlocks = blocks })
		id := string(rune('a' + i))
		f.Reshare(id, "k", 1)
		_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: id})
		require.NoError(t, err)
		require.Equal(t, []int64{101, 101, 201}[i], requireKey(t, f, "k", types.KEY_STATUS_READY, "").StagedRetireHeight)
	}
	for id, own := range map[string]int64{"a": 101, "b": 2, "c": 201} {
		require.Equal(t, own, requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "cancelled").RetireHeight, "each has its own")
		require.Equal(t, max(own, 101), stagedEnd(t, f, id), "and stays for as long as the key's")
	}
}

// stagedEnd is the first block at which a node destroys what a reshare of k made that failed.
func stagedEnd(t *testing.T, f *chain.Fixture, id string) int64 {
	t.Helper()
	r, ended, err := f.Keeper.EngineReshareEnded(f.Ctx, id)
	require.NoError(t, err)
	require.True(t, ended)
	key := engineKey(t, f, "k")
	return key.StagedEnd(r)
}

// Who asks for one reshare after the other puts off the end of none that failed, by those that
// fail nor by the one that is open, or tested; what may succeed yet has no end.
func TestLaterResharesPutOffNoEnd(t *testing.T) {
	f, secret := resharing(t)
	ends := make(map[string]int64)
	for i := range int64(5) {
		f.EndBlocks(10 + 40*i)
		id := fmt.Sprint("r-", i)
		f.Reshare(id, "k", 1)
		if i%2 == 1 {
			f.Stage(id, secret)
		}
		_, ended, err := f.Keeper.EngineReshareEnded(f.Ctx, id)
		require.NoError(t, err)
		require.False(t, ended)
		for earlier, end := range ends {
			require.Equal(t, end, stagedEnd(t, f, earlier), "%s, while %s is open", earlier, id)
		}
		if i == 4 {
			break
		}
		_, err = f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: id})
		require.NoError(t, err)
		ends[id] = f.Ctx.BlockHeight() + 100
		require.Equal(t, ends[id], requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "cancelled").RetireHeight)
	}
	participants := f.Participants
	f = exportImport(t, f)
	f.Participants = participants
	for earlier, end := range ends {
		require.Equal(t, end, stagedEnd(t, f, earlier), "on a chain that starts anew")
	}
	f.Stage("r-4", secret)
	f.PassTest("r-4", secret)
	require.Zero(t, requireReshare(t, f, "r-4", types.RESHARE_STATUS_READY, "").RetireHeight)
}

// Nor does a deletion that is taken back bring forward what a switch set.
func TestDeletionNeverLowersTheRetireHeight(t *testing.T) {
	f, secret := resharing(t)
	setParams(t, f, func(p *types.Params) { p.RetireBlocks = 5000 })
	f.Reshare("r", "k", 1, f.Participants[2:5]...)
	f.Stage("r", secret)
	f.PassTest("r", secret)
	end := requireKey(t, f, "k", types.KEY_STATUS_READY, "").RetireHeight
	setParams(t, f, func(p *types.Params) { p.RetireBlocks = 50 })
	for range 2 {
		deleteK(t, f)
		key := requireKey(t, f, "k", types.KEY_STATUS_DELETING, "")
		require.Equal(t, end, key.ReadyRetireHeight)
		require.Less(t, key.RetireHeight, end)
		require.NoError(t, key.Validate())
		key.Shift(-end)
		require.EqualValues(t, 1, key.ReadyRetireHeight, "over, and still there")
		f.EndBlocks(f.Ctx.BlockHeight() + 10)
		key = undeleteKey(t, f, "k")
		require.Equal(t, end, key.RetireHeight)
		require.Zero(t, key.ReadyRetireHeight)
	}
	height := deleteKey(t, f, "k")
	f.EndBlocks(height + 1)
	require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_DELETED, "").ReadyRetireHeight)
}

// On a chain that began anew what was decided before its first block is over, and a deletion
// keeps no height of then, which no genesis file may have.
func TestDeletionOnAChainThatBeganAnew(t *testing.T) {
	f, _ := resharing(t)
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	key.Shift(-1_000_000)
	require.Negative(t, key.RetireHeight)
	require.NoError(t, key.Condemn(100))
	require.Zero(t, key.ReadyRetireHeight)
	require.NoError(t, key.Validate())
}

// A result in the block that expires it counts: results come before expiries.
func TestReshareIsDecidedInTheLastBlock(t *testing.T) {
	f, secret := resharing(t)
	f.Reshare("r", "k", 1)
	f.EndBlocks(601)
	f.Stage("r", secret)
	f.EndBlocks(901)
	f.PassTest("r", secret)
	f.EndBlocks(902)
	requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
}

// A reshare that is spoiled does not hold up the others, and its key stays as it is.
func TestSpoiledReshareStepsAside(t *testing.T) {
	f, _ := resharing(t)
	f.ReadyKey("other", 1)
	f.Reshare("bad", "k", 1)
	f.Reshare("good", "other", 1)
	f.EndBlocks(601)
	spoil(f, types.ResharesPrefix, "bad", failures["panic"])
	f.EndBlocks(602)
	requireReshare(t, f, "good", types.RESHARE_STATUS_ERROR, "expired")
	require.Equal(t, "bad", requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReshareId)
	require.Equal(t, 1, f.Entries(types.RequestsPrefix))
	f.Spoiled = nil
	f.EndBlocks(1602)
	requireReshare(t, f, "bad", types.RESHARE_STATUS_ERROR, "expired")
}

// The keys of everybody who ever attested a share go with the key.
func TestDeletionAwaitsAllEpochs(t *testing.T) {
	f, secret := resharing(t)
	f.Reshare("r", "k", 1, f.Participants[3:5]...)
	f.Stage("r", secret)
	f.PassTest("r", secret)
	height := deleteKey(t, f, "k")
	f.EndBlocks(height + 1)
	for _, p := range f.Participants {
		a := p.AttestDeletion("k")
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	require.Len(t, requireKey(t, f, "k", types.KEY_STATUS_DELETED, "").DeletionAcks, 5)
}
