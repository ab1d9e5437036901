package keeper_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// newcomers are those of its committee who are not of the one before.
func newcomers(r types.Reshare) []string {
	return slices.DeleteFunc(slices.Clone(r.Participants), func(operator string) bool {
		return slices.Contains(r.OldParticipants, operator)
	})
}

// A newcomer that does not come is taken last next time, and who is accused of it where
// t+1 are too few otherwise, whoever is the stronger; after a while it is taken again. Of
// two that are dead the other two of four are too few to be believed.
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
		"both are dead":             {6, []int{0, 1}, []int{4, 5}, [][]int{{4, 5}, {4, 5}}},
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
					for j, accuser := range f.Participants {
						a := accuser.Accuse(r.RequestID(), f.Participants[i].Operator)
						if !slices.Contains(c.dead, j) {
							_ = f.Keeper.ApplyAccusation(f.Ctx, &a) // it may stand there still, or one of them be no member
						}
					}
				}
				f.EndBlocks(height + 601)
				requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.NoError(t, key.Validate())
				for _, a := range key.Absentees {
					require.Equal(t, a.Accused, len(c.dead) < 2 && slices.ContainsFunc(c.dead, func(i int) bool { return f.Participants[i].Operator == a.Operator }))
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
			validators: 5, threshold: 2, leave: 3, accusing: map[int][]int{0: {2}, 1: {2}, 4: {2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4}},
		},
		"its place is filled": {
			validators: 6, threshold: 2, leave: 3, accusing: map[int][]int{0: {2}, 1: {2}, 4: {2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4, 5}},
		},
		"t+1 need it": {
			validators: 4, threshold: 2, leave: 3, accusing: map[int][]int{0: {2}},
			want: [][]int{{0, 1, 2}, {0, 1, 2}, {0, 1, 2}},
		},
		"a word of one or two does not count": {
			validators: 6, threshold: 2, leave: 3, accusing: map[int][]int{4: {0, 1, 2}, 2: {0, 1}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 2, 5}},
		},
		"who left accuses everybody": {
			validators: 5, threshold: 1, leave: 3, accusing: map[int][]int{3: {0, 1, 2, 4}, 0: {2}, 1: {2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4}},
		},
		"it accuses everybody": {
			validators: 5, threshold: 1, leave: 3, accusing: map[int][]int{2: {0, 1, 4}, 0: {2}, 1: {2}},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4}},
		},
		"all others attested": {
			validators: 5, threshold: 2, leave: 3, attests: []int{0, 1, 4},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 4}},
		},
		"it attests what nobody did, and accuses everybody": {
			validators: 6, threshold: 2, leave: 3, accusing: map[int][]int{2: {0, 1, 4}}, attests: []int{2},
			want: [][]int{{0, 1, 2, 4}, {0, 1, 2, 5}},
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
			f.Participants[c.leave].Staked.Status = stakingtypes.Unbonding
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

// A holder never attests, and accuses one that does, so that nobody can say which of the two
// is to blame. From the second failure on both come last: where others are enough, neither is
// there, and of two of whom one is needed each has its turn.
func TestWhoQuarrelsComesLast(t *testing.T) {
	for name, c := range map[string]struct {
		validators   int // in all; four hold the key, of whom one leaves
		liar, victim int
		want         []int
	}{
		"others are enough":              {validators: 6, liar: 1, victim: 4, want: []int{2, 3, 5}},
		"one is needed":                  {validators: 5, liar: 1, victim: 4, want: []int{2, 3, 4}},
		"one is needed, the newcomer is": {validators: 5, liar: 4, victim: 1, want: []int{1, 2, 3}},
		"two holders, not both may go":   {validators: 5, liar: 1, victim: 2, want: []int{2, 3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret := autoResharing(t)
			for i := 5; i < c.validators; i++ {
				f.Register(f.AddValidator(i))
			}
			setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 300 })
			f.Participants[0].Staked.Status = stakingtypes.Unbonding
			liar, victim := f.Participants[c.liar], f.Participants[c.victim]
			height, quarrels := int64(10), 0
			for range 8 {
				f.EndBlocks(height + 1)
				r := requireReshare(t, f, types.AutoReshareID("k", height), types.RESHARE_STATUS_PENDING, "")
				if !slices.Contains(r.Participants, liar.Operator) {
					f.Stage(r.Id, secret)
					f.PassTest(r.Id, secret)
					break
				}
				f.EndBlocks(height + 100)
				if len(r.Participants) > 3 {
					quarrels++
				}
				a := liar.Accuse(r.RequestID(), victim.Operator)
				_ = f.Keeper.ApplyAccusation(f.Ctx, &a) // it may be no member, or it stands there still
				for _, p := range f.Participants {
					if p != liar && slices.Contains(r.Participants, p.Operator) {
						a := p.AttestReshare(r.Id, 0, chain.Session(r.Id), chain.NewSecret("k").Payload(len(r.Participants)))
						require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
					}
				}
				f.EndBlocks(height + 601)
				requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.NoError(t, key.Validate())
				height = key.AutoReshareHeight
			}
			key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
			require.EqualValues(t, 1, key.Epoch)
			var want []*chain.Participant
			for _, i := range c.want {
				want = append(want, f.Participants[i])
			}
			require.ElementsMatch(t, chain.Operators(want...), key.Participants)
			require.Equal(t, 2, quarrels)
		})
	}
}

// What is not the newcomers' fault is not held against them: their owner gave it up, or
// all had a share and more than t+1 of them could have signed the test.
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

// Who attests and then keeps its part of the test's signature back is left out on the word
// of more than t, and on no fewer.
func TestWhoWithholdsTheTestIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		accusers []int
		before   bool // the test was asked for
		absent   bool
	}{
		"all others accuse it":                      {accusers: []int{1, 2, 3}, absent: true},
		"t of them do":                              {accusers: []int{1, 2}},
		"all others did, over an attempt before it": {accusers: []int{1, 2, 3}, before: true},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret := autoResharing(t)
			f.Participants[0].Staked.Status = stakingtypes.Unbonding
			f.EndBlocks(11)
			id := types.AutoReshareID("k", 10)
			accuse := func(r types.Reshare) {
				for _, i := range c.accusers {
					a := f.Participants[i].Accuse(r.RequestID(), f.Participants[4].Operator)
					require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
				}
			}
			if c.before {
				accuse(requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, ""))
				setParams(t, f, func(p *types.Params) { p.FaultBlocks = 10_000 }) // they stand for long
				f.EndBlocks(200)
			}
			f.Stage(id, secret)
			r := requireReshare(t, f, id, types.RESHARE_STATUS_TESTING, "")
			if !c.before {
				f.EndBlocks(200)
				accuse(r)
			}
			f.EndBlocks(1000)
			requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "expired")
			key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
			require.NoError(t, key.Validate())
			if !c.absent {
				require.Empty(t, key.Absentees)
				return
			}
			require.Len(t, key.Absentees, 1)
			require.Equal(t, f.Participants[4].Operator, key.Absentees[0].Operator)
			require.True(t, key.Absentees[0].Accused)
			f.EndBlocks(key.AutoReshareHeight + 1)
			r = requireReshare(t, f, types.AutoReshareID("k", key.AutoReshareHeight), types.RESHARE_STATUS_PENDING, "")
			require.ElementsMatch(t, chain.Operators(f.Participants[1:4]...), r.Participants)
		})
	}
}

// A committee of t+1 of which somebody keeps its part back: nobody can be blamed of it, and
// other newcomers have their turn.
func TestNewcomersOfAWithheldTestComeLast(t *testing.T) {
	f, secret := autoResharing(t)
	for i := 5; i < 8; i++ {
		f.Register(f.AddValidator(i))
	}
	for _, p := range f.Participants[:3] {
		p.Jail()
	}
	f.EndBlocks(11)
	r := requireReshare(t, f, types.AutoReshareID("k", 10), types.RESHARE_STATUS_PENDING, "")
	require.Len(t, r.Participants, 3)
	require.ElementsMatch(t, chain.Operators(f.Participants[4:6]...), newcomers(r))
	f.Stage(r.Id, secret)
	f.EndBlocks(1000)
	requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.ElementsMatch(t, newcomers(r), key.AbsentOperators())
	for _, a := range key.Absentees {
		require.False(t, a.Accused)
	}
	f.EndBlocks(key.AutoReshareHeight + 1)
	r = requireReshare(t, f, types.AutoReshareID("k", key.AutoReshareHeight), types.RESHARE_STATUS_PENDING, "")
	require.ElementsMatch(t, chain.Operators(f.Participants[6:8]...), newcomers(r))
}

// A holder keeps its part of the test of t+1 new shares back, and nobody can be blamed of it.
// The next committee has one more, if there is one, of whom the others sign the test, and
// nobody loses its share. From the second failure on the owner is told whom the others accuse.
func TestWithheldTestOfTheFewest(t *testing.T) {
	for name, c := range map[string]struct {
		validators int // in all; four hold the key
		want       []int
		said       string
	}{
		"one more is there": {6, []int{1, 2, 3, 4, 5}, "4 of the 4 others accuse "},
		"nobody else":       {5, []int{1, 2, 3, 4}, "3 of the 3 others accuse "},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 4)
			secret := f.ReadyKey("k", 3)
			for i := 4; i < c.validators; i++ {
				f.Register(f.AddValidator(i))
			}
			f.EndBlocks(10)
			setParams(t, f, func(p *types.Params) { p.AutoReshare, p.AutoReshareMargin = true, 0 })
			f.Participants[0].Jail()
			withholder := f.Participants[1].Operator
			height := int64(10)
			for round, want := range [][]int{{1, 2, 3, 4}, c.want, c.want} {
				f.EndBlocks(height + 1)
				id := types.AutoReshareID("k", height)
				r := requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, "")
				var members []*chain.Participant
				for _, i := range want {
					members = append(members, f.Participants[i])
				}
				require.ElementsMatch(t, chain.Operators(members...), r.Participants, "round %d", round)
				f.Stage(id, secret)
				r = requireReshare(t, f, id, types.RESHARE_STATUS_TESTING, "")
				if round == 2 {
					f.PassTest(id, secret)
					break
				}
				f.EndBlocks(f.Ctx.BlockHeight() + 1)
				for _, p := range members[1:] {
					a := p.Accuse(r.RequestID(), withholder)
					require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
				}
				f.Events(&types.EventKeyEndangered{})
				f.EndBlocks(f.Ctx.BlockHeight() + 300)
				requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "expired")
				said := reasonOf(t, f, &types.EventKeyEndangered{})
				if round == 0 {
					require.Empty(t, said)
				} else {
					require.Contains(t, said, "nobody is blamed who kept the test of the last one from its signature; "+c.said+withholder)
				}
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				for _, a := range key.Absentees {
					require.False(t, a.Accused)
				}
				height = key.AutoReshareHeight
			}
			key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
			require.EqualValues(t, 1, key.Epoch)
			require.Contains(t, key.Participants, withholder)
		})
	}
}

// reasonOf is what the last event of a type that was emitted gives as its reason; empty if
// there is none. The typed reason that EventKeyEndangered has beside it is one of those that are
// counted, and stands in the words.
func reasonOf(t *testing.T, f *chain.Fixture, event proto.Message) (reason string) {
	t.Helper()
	for _, e := range f.Ctx.EventManager().Events() {
		said, there := e.GetAttribute("reason")
		if !there || e.Type != proto.MessageName(event) {
			continue
		}
		reason = said.Value
		if _, ok := event.(*types.EventKeyEndangered); ok {
			typed, _ := e.GetAttribute("typed_reason")
			word := mpctypes.Reason(strings.Trim(typed.Value, `"`))
			require.Contains(t, types.EndangeredReasons(), word)
			require.Contains(t, reason, string(word)+": ")
		}
	}
	return reason
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

// A participant says that its share is missing, attests a session that it invented, and
// accuses all others: the key does not go to those in whose favour it may do so, however
// often it does.
func TestInventedAttestationMovesNothing(t *testing.T) {
	f, _ := autoResharing(t)
	for i := 5; i < 7; i++ {
		f.Register(f.AddValidator(i))
	}
	setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 50 })
	liar := f.Participants[3]
	miss(t, f, liar)
	f.EndBlocks(52) // it was made at 1
	for round := range 3 {
		key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		r := requireReshare(t, f, key.ReshareId, types.RESHARE_STATUS_PENDING, "")
		require.ElementsMatch(t, chain.Operators(f.Participants[:4]...), r.Participants, "round %d", round)
		word := liar.AttestReshare(r.Id, 0, chain.Session(r.Id), chain.NewSecret("k").Payload(4))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &word))
		for _, p := range f.Participants[:3] {
			a := liar.Accuse(r.RequestID(), p.Operator)
			_ = f.Keeper.ApplyAccusation(f.Ctx, &a) // it may stand there still
		}
		f.EndBlocks(f.Ctx.BlockHeight() + 601)
		requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
		key = requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		require.Empty(t, key.Absentees)
		f.EndBlocks(key.AutoReshareHeight + 1)
	}
}

// However many leave, no more than t of the next committee are not of the one before.
func TestStrangersAloneGetNoKey(t *testing.T) {
	f, _ := autoResharing(t)
	for i := 5; i < 9; i++ {
		f.Register(f.AddValidator(i))
	}
	for _, p := range f.Participants[:3] {
		p.Jail()
	}
	f.EndBlocks(11)
	r := requireReshare(t, f, types.AutoReshareID("k", 10), types.RESHARE_STATUS_PENDING, "")
	require.Len(t, newcomers(r), 2)
	require.Len(t, r.Participants, 3)
}
