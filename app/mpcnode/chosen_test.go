package mpcnode

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
	chaintest "github.com/sequencer-mpc/sequencer/testutil/chain"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Whom the chain would choose is what the chain says: not everybody that ever registered.
func TestCheckupAsksWhomTheChainWouldChoose(t *testing.T) {
	f := chaintest.NewPlain(t, 4)
	x := newAloneExaminer(f)
	ask := func(q Question) *ChosenReport {
		q.Choose = true
		c := x.examine(t.Context(), q)
		require.Empty(t, c.ChainError)
		require.NotNil(t, c.Chosen)
		return c.Chosen
	}
	f.ReadyKey("key", 2)
	require.Nil(t, x.examine(t.Context(), Question{}).Chosen, "nobody asked")
	require.ElementsMatch(t, chaintest.Operators(f.Participants...), ask(Question{}).Operators)

	f.Participants[3].Jail()
	require.Equal(t, &ChosenReport{Operators: sortedOperators(f.Participants[:3]...)}, ask(Question{}))
	refused := ask(Question{Committee: chaintest.Operators(f.Participants[2:]...)})
	require.Empty(t, refused.Operators)
	require.Equal(t, string(types.ErrNotBonded), refused.Reason)
	require.Equal(t, f.Participants[3].Operator, refused.Refusal)
	refused = ask(Question{Threshold: 3})
	require.Equal(t, string(types.ErrTooFewParticipants), refused.Reason)
	require.Contains(t, refused.Refusal, "there are 3")

	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	params.MaxParticipants = 2
	require.NoError(t, f.Keeper.SetParams(f.Ctx, params))
	require.Equal(t, sortedOperators(f.Participants[:2]...), ask(Question{}).Operators)
	params.MaxParticipants = 4
	require.NoError(t, f.Keeper.SetParams(f.Ctx, params))

	// A reshare needs its key beside those that it chooses, with the threshold of now.
	require.Equal(t, &ChosenReport{Operators: sortedOperators(f.Participants[:3]...)}, ask(Question{Key: "key"}))
	f.Reshare("more", "key", 2)
	refused = ask(Question{Key: "key"})
	require.Equal(t, string(types.ErrResharePending), refused.Reason)
	require.Len(t, refused.Operators, 3)
	f.Participants[2].Jail()
	require.Equal(t, string(types.ErrTooFewParticipants), ask(Question{Key: "key"}).Reason)
	require.Len(t, ask(Question{Key: "key", Threshold: 1}).Operators, 2)
}

// Keys that too few are left to sign with are told from others.
func TestCheckupCountsKeysThatSign(t *testing.T) {
	f := chaintest.NewPlain(t, 4)
	f.ReadyKey("a", 1)
	f.ReadyKey("b", 2)
	x := newAloneExaminer(f)
	count := func() [2]int {
		c := x.examine(t.Context(), Question{})
		require.Empty(t, c.ChainError)
		return [2]int{c.ReadyKeys, c.SpentKeys}
	}
	require.Equal(t, [2]int{2, 0}, count())
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[2].Operator))
	require.Equal(t, [2]int{2, 0}, count())
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[3].Operator))
	require.Equal(t, [2]int{1, 1}, count())
}

func sortedOperators(participants ...*chaintest.Participant) []string {
	all := chaintest.Operators(participants...)
	slices.Sort(all)
	return all
}

func TestCheckupOfTheValidator(t *testing.T) {
	f := chaintest.NewPlain(t, 2)
	x := newAloneExaminer(f)
	validator := f.Participants[0].Staked
	for _, c := range []struct {
		jailed bool
		status stakingtypes.BondStatus
		want   string
	}{
		{false, stakingtypes.Bonded, ValidatorBonded},
		{true, stakingtypes.Unbonding, ValidatorJailed},
		{false, stakingtypes.Unbonding, ValidatorUnbonding},
		{false, stakingtypes.Unbonded, ValidatorUnbonded},
	} {
		validator.Jailed, validator.Status = c.jailed, c.status
		require.Equal(t, c.want, x.examine(t.Context(), Question{}).Validator)
	}
	f.Staking.Validators = f.Staking.Validators[1:]
	require.Equal(t, ValidatorGone, x.examine(t.Context(), Question{}).Validator)
	x.public = nil
	require.Empty(t, x.examine(t.Context(), Question{}).Validator)
}

// alone is an engine that hears nobody.
type alone struct{}

func (alone) Probe(context.Context, types.KeyID) ([]mpc.Answer, error) { return nil, nil }
func (alone) Status() mpc.Status                                       { return mpc.Status{} }

// newAloneExaminer is that of the first participant.
func newAloneExaminer(f *chaintest.Fixture) *examiner {
	app := newKeeperApp(f)
	return &examiner{
		app: app, chain: chainQueries{mpcmodule.NewQueryClient(askApp{app})}, engine: alone{}, peers: p2p.NewReactor(p2p.Options{ChainID: "c"}),
		public: []ed25519.PublicKey{chaintest.Public(f.Participants[0].Identity)}, status: func() StatusReport { return StatusReport{} }, now: time.Now,
	}
}

// What is asked is what the node reads.
func TestQuestionOverTheSocket(t *testing.T) {
	for _, q := range []Question{
		{}, {Key: "k&y", Request: "r=1", Held: true}, {Choose: true, Committee: []string{"a", "b"}, Threshold: 7},
	} {
		read, err := readQuestion(httptest.NewRequestWithContext(t.Context(), http.MethodGet, pathCheckup+"?"+q.encode(), nil))
		require.NoError(t, err)
		require.Equal(t, q, read)
	}
	for _, bad := range []string{"key=" + strings.Repeat("k", types.MaxIDBytes+1), "threshold=many"} {
		_, err := readQuestion(httptest.NewRequestWithContext(t.Context(), http.MethodGet, pathCheckup+"?"+bad, nil))
		require.Error(t, err)
	}
}

func TestSplitRefusal(t *testing.T) {
	remedy := types.ErrNotBonded.Remedy()
	for text, want := range map[string][2]string{
		"op-1: participant_not_bonded: " + remedy:   {"op-1", "participant_not_bonded"},
		"participant_not_bonded: " + remedy:         {"participant_not_bonded", "participant_not_bonded"},
		"pruned: participant_not_bonded: " + remedy: {"pruned", "participant_not_bonded"},
		"out of luck": {"out of luck", ""},
		"":            {"", ""},
		"op-1: participant_not_bonded: " + remedy + ", and something besides": {"op-1: participant_not_bonded: " + remedy + ", and something besides", ""},
	} {
		detail, reason := splitRefusal(text)
		require.Equal(t, want, [2]string{detail, reason}, text)
	}
}
