package keeper_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Who is taken last to deal, since it did not come, is asked until t+1 are there who have a
// share, and who has none only where that is not enough.
func TestAutoReshareLinesUpShares(t *testing.T) {
	for name, c := range map[string]struct {
		leave, missing, revoked []int // of five, the first two of whom are accused
		dealers                 []int // beside the new committee
		reason                  string
	}{
		"all of the new committee have shares": {leave: []int{4}, dealers: []int{4}},
		"one of it has none":                   {missing: []int{2}, dealers: []int{0}},
		"nor has one who comes last":           {missing: []int{0, 2}, dealers: []int{1}},
		"nor has who left":                     {leave: []int{4}, missing: []int{4}, dealers: []int{0, 4}},
		"nor has who left and comes last":      {leave: []int{0, 4}, missing: []int{0, 4}, dealers: []int{1, 4}},
		"one who comes last revoked":           {missing: []int{2}, revoked: []int{0}, dealers: []int{1}},
		"too few have shares":                  {missing: []int{0, 2}, revoked: []int{1}, reason: "too_few_signers: "},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 5)
			f.ReadyKey("k", 2)
			holders := f.Sorted() // equals are taken in the order of their addresses
			f = withAccused(t, f, 1, holders[:2]...)
			for i, p := range holders {
				holders[i] = p.On(f)
			}
			for i := 5; i < 7; i++ {
				f.Register(f.AddValidator(i))
			}
			f.EndBlocks(60)
			for _, i := range c.leave {
				holders[i].Jail()
			}
			for _, i := range c.missing {
				miss(t, f, holders[i])
			}
			for _, i := range c.revoked {
				require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, holders[i].Operator))
			}
			setParams(t, f, func(p *types.Params) { p.AutoReshare, p.AutoResharePauseBlocks = true, 5 })
			f.Events(&types.EventKeyEndangered{})
			f.EndBlocks(61)
			require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), c.reason)
			if c.reason != "" {
				require.Empty(t, autoReshares(t, f, "k"))
				return
			}
			all := autoReshares(t, f, "k")
			require.Len(t, all, 1)
			var want, dealers []string
			for _, i := range c.dealers {
				want = append(want, holders[i].Operator)
			}
			for _, m := range engineRequest(t, f, mpctypes.KindReshare, all[0].Id).Members {
				if !slices.Contains(all[0].Participants, string(m.Operator)) {
					dealers = append(dealers, string(m.Operator))
				}
			}
			require.ElementsMatch(t, want, dealers)
		})
	}
}

// A key of many participants has its leavers replaced, though they are too many to deal, all
// of them, beside the new committee.
func TestAutoReshareOfManyParticipants(t *testing.T) {
	for name, c := range map[string]struct {
		n, leave, free int
		threshold      uint32
		to             int
	}{
		"one of 64":                              {n: 64, leave: 1, free: 1, threshold: 2, to: 64},
		"five of 60":                             {n: 60, leave: 5, free: 5, threshold: 10, to: 60},
		"one of 64, nobody to add":               {n: 64, leave: 1, threshold: 2, to: 63},
		"three who left must deal":               {n: 64, leave: 24, free: 30, threshold: 42, to: 61},
		"all must who stay, and one of who left": {n: 64, leave: 2, free: 2, threshold: 62, to: 63},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, c.n)
			setParams(t, f, func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers })
			secret := f.ReadyKey("k", c.threshold)
			for i := range c.free {
				f.Register(f.AddValidator(c.n + i))
			}
			for _, p := range f.Participants[:c.leave] {
				p.Staked.Status = stakingtypes.Unbonded
			}
			setParams(t, f, func(p *types.Params) { p.AutoReshare = true })
			f.EndBlocks(2)
			all := autoReshares(t, f, "k")
			require.Len(t, all, 1)
			require.Len(t, all[0].Participants, c.to)
			for _, p := range f.Participants[c.leave:c.n] {
				require.Contains(t, all[0].Participants, p.Operator)
			}
			request := engineRequest(t, f, mpctypes.KindReshare, all[0].Id)
			require.LessOrEqual(t, len(request.Members), mpctypes.MaxMembers)
			dealers := 0
			for _, m := range request.Members {
				if request.Handover.Holds(m.Operator) {
					dealers++
				}
			}
			require.Greater(t, dealers, int(c.threshold))
			f.Stage(all[0].Id, secret)
			f.PassTest(all[0].Id, secret)
			require.Len(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Participants, c.to)
		})
	}
}

// beside lists who of the old committee is asked to deal to a reshare and gets no share by it.
func beside(t *testing.T, f *chain.Fixture, r types.Reshare) (operators []string) {
	t.Helper()
	for _, m := range engineRequest(t, f, mpctypes.KindReshare, r.Id).Members {
		if !slices.Contains(r.Participants, string(m.Operator)) {
			operators = append(operators, string(m.Operator))
		}
	}
	return operators
}

// Where no more of those who left are asked than must deal, one that keeps silent ends the
// reshare, and nobody is to blame. After that there is room for all of them, or, where there
// is not, each has its turn.
func TestSilentLeaverDoesNotEndEachReshare(t *testing.T) {
	for name, c := range map[string]struct {
		n, leave, revoked, missing int
		threshold, failed          uint32
		to, beside                 int
	}{
		"at first":                  {n: 64, leave: 24, threshold: 42, to: 61, beside: 3},
		"after a failure":           {n: 64, leave: 24, threshold: 42, failed: 1, to: 44, beside: 20},
		"one is enough, at first":   {n: 60, leave: 30, threshold: 30, to: 60, beside: 4},
		"one is enough":             {n: 60, leave: 30, threshold: 30, failed: 1, to: 34, beside: 30},
		"two revoked, three forgot": {n: 60, leave: 30, revoked: 2, missing: 3, threshold: 30, failed: 1, to: 39, beside: 25},
		"nobody is needed":          {n: 60, leave: 10, threshold: 30, failed: 1, to: 60, beside: 4},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(map[string]bool)
			for turn := range 2 {
				f := chain.New(t, c.n)
				setParams(t, f, func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers })
				f.ReadyKey("k", c.threshold)
				f = withAccused(t, f, c.failed*uint32(turn+1))
				for i := range 40 {
					f.Register(f.AddValidator(c.n + i))
				}
				for i, p := range f.Participants[:c.leave] {
					p.Staked.Status = stakingtypes.Unbonded
					if i < c.revoked {
						require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
					} else if i < c.revoked+c.missing {
						miss(t, f, p)
					}
				}
				setParams(t, f, func(p *types.Params) { p.AutoReshare = true })
				f.EndBlocks(2)
				all := autoReshares(t, f, "k")
				require.Len(t, all, 1)
				require.Len(t, all[0].Participants, c.to)
				for _, p := range f.Participants[c.leave:c.n] {
					require.Contains(t, all[0].Participants, p.Operator, "who stays keeps its share")
				}
				dealers := beside(t, f, all[0])
				require.Len(t, dealers, c.beside)
				for _, operator := range dealers {
					asked[operator] = true
				}
			}
			if c.failed > 0 && c.to < c.n {
				require.Len(t, asked, c.leave-c.revoked-c.missing, "each had its turn")
			}
		})
	}
}

// Of those who get no share first those deal who are bonded, whatever their address, and after
// a failure the next ones.
func TestDealersTakeTurns(t *testing.T) {
	for failed := range uint32(4) {
		f, to := roomForThree(t, 10, failed)
		holders := slices.SortedFunc(slices.Values(f.Participants[:10]), func(a, b *chain.Participant) int {
			return strings.Compare(a.Operator, b.Operator)
		})
		inTurn := append(slices.Clone(holders[7:]), holders[:7]...)
		for i, p := range inTurn[3:] {
			if i%2 == 0 {
				p.Jail()
			} else {
				p.Staked.Status = stakingtypes.Unbonded
			}
		}
		want := []*chain.Participant{inTurn[3*failed], inTurn[(3*failed+1)%10], inTurn[(3*failed+2)%10]}
		require.ElementsMatch(t, chain.Operators(want...), beside(t, f, f.Reshare("r", "k", 2, to...)))
	}
}

// Of those who get no share, and are too many for one reshare, each has its turn, too, when more
// failed than are counted, however many blocks lie between them: pauses are multiples of 64.
func TestDealersTakeTurnsByLot(t *testing.T) {
	f, to := roomForThree(t, 10, types.MaxPauseDoublings+1)
	anew, turns := f.Ctx, make(map[string]int)
	for i := range 40 {
		f.Ctx, _ = anew.WithBlockHeight(int64(1 + 64*i)).CacheContext()
		for _, operator := range beside(t, f, f.Reshare("r", "k", 2, to...)) {
			turns[operator]++
		}
	}
	require.Len(t, turns, 10)
	for operator, n := range turns {
		require.Greater(t, n, 3, operator)
	}
}

// roomForThree is a chain with a key k, of the first n participants and threshold 2, so many reshares
// of which failed, and 61 others to reshare it to: three of the n can deal.
func roomForThree(t *testing.T, n int, failed uint32) (f *chain.Fixture, to []*chain.Participant) {
	t.Helper()
	old := chain.New(t, n)
	setParams(t, old, func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers })
	old.ReadyKey("k", 2)
	f = withAccused(t, old, failed)
	for i := range mpctypes.MaxMembers - 3 {
		p := f.AddValidator(n + i)
		f.Register(p)
		to = append(to, p)
	}
	return f, to
}

// A participant that is asked to deal, and ends the reshare by revoking its identity, is asked
// after the others when it has another one, by who owns the key, too: nobody ends every reshare.
func TestRevokerHasNoSecondTurn(t *testing.T) {
	for name, c := range map[string]struct {
		forgot int // who of the new committee misses its old share
		reason string
	}{
		"too few left":             {reason: "identity_revoked"},
		"too few left with shares": {forgot: 1, reason: "too_few_signers"},
	} {
		t.Run(name, func(t *testing.T) {
			f, to := roomForThree(t, 40, 1)
			holders := f.Participants[:40]
			for i := range c.forgot {
				miss(t, f, holders[i])
				to[i] = holders[i]
			}
			var revokers []string
			for i := range 4 {
				id := fmt.Sprint("r", i)
				dealers := beside(t, f, f.Reshare(id, "k", 2, to...))
				require.Len(t, dealers, 3)
				for _, operator := range revokers {
					require.NotContains(t, dealers, operator)
				}
				at := slices.IndexFunc(holders, func(p *chain.Participant) bool { return p.Operator == dealers[0] })
				revokeAgain(t, f, holders[at])
				revokers = append(revokers, dealers[0])
				f.EndBlocks(f.Ctx.BlockHeight() + 1)
				requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, c.reason)
				require.EqualValues(t, 1, requireKey(t, f, "k", types.KEY_STATUS_READY, "").FailedReshares, "they count as one")
			}
		})
	}
}

// Where there is room for it, who revoked deals to a reshare that an owner asks for as well: it
// cannot end one for which the others are enough.
func TestRevokerDealsBesideOthers(t *testing.T) {
	f, _ := resharing(t)
	f.Register(f.AddValidator(5))
	to := []*chain.Participant{f.Participants[0], f.Participants[4], f.Participants[5]}
	revoker := f.Participants[0]
	f.Reshare("r", "k", 2, to...)
	revokeAgain(t, f, revoker)
	f.EndBlocks(2)
	requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, "identity_revoked")
	require.Equal(t, chain.Operators(revoker), requireKey(t, f, "k", types.KEY_STATUS_READY, "").AbsentOperators())
	r := f.Reshare("again", "k", 1, to[1:]...)
	require.ElementsMatch(t, chain.Operators(f.Participants[:4]...), beside(t, f, r))
	revokeAgain(t, f, revoker)
	f.EndBlocks(3)
	requireReshare(t, f, "again", types.RESHARE_STATUS_PENDING, "")
}

// More left than one reshare can replace: the key is reported, with what is in the way.
func TestAutoReshareOfTooManyLeavers(t *testing.T) {
	f := chain.New(t, 64)
	setParams(t, f, func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers })
	f.ReadyKey("k", 62)
	for i := range 3 {
		f.Register(f.AddValidator(64 + i))
		f.Participants[i].Staked.Status = stakingtypes.Unbonded
	}
	setParams(t, f, func(p *types.Params) { p.AutoReshare = true })
	f.Events(&types.EventKeyEndangered{})
	f.EndBlocks(2)
	require.Empty(t, autoReshares(t, f, "k"))
	require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), "are more than the 64 that one reshare may have")
}
