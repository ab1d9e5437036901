package keeper_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestKeyGenRefuses(t *testing.T) {
	ecdsa := types.ALGORITHM_ECDSA_SECP256K1
	op := chain.Operator
	cases := map[string]struct {
		msg   types.MsgKeyGen
		setup func(*testing.T, *chain.Fixture)
		want  error
	}{
		"bad id":            {msg: types.MsgKeyGen{KeyId: "-", Algorithm: ecdsa, Threshold: 1}, want: types.ErrBadID},
		"id too long":       {msg: types.MsgKeyGen{KeyId: strings.Repeat("a", 65), Algorithm: ecdsa, Threshold: 1}, want: types.ErrBadID},
		"no algorithm":      {msg: types.MsgKeyGen{KeyId: "k", Threshold: 1}, want: types.ErrUnsupportedAlgorithm},
		"t is 0":            {msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa}, want: types.ErrBadThreshold},
		"t is n":            {msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 2, Participants: []string{op(0), op(1)}}, want: types.ErrBadThreshold},
		"t is huge":         {msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1 << 31}, want: types.ErrBadThreshold},
		"too few for t":     {msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 4}, want: types.ErrTooFewParticipants},
		"twice":             {msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1, Participants: []string{op(0), op(0), op(1)}}, want: types.ErrDuplicateParticipant},
		"twice, upper case": {msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1, Participants: []string{op(0), strings.ToUpper(op(0))}}, want: types.ErrDuplicateParticipant},
		"no operator":       {msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1, Participants: []string{op(0), "x"}}, want: types.ErrUnknownParticipant},
		"no validator":      {msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1, Participants: []string{op(0), op(9)}}, want: types.ErrUnknownParticipant},
		"not registered": {
			msg:   types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1, Participants: []string{op(0), op(4)}},
			setup: func(_ *testing.T, f *chain.Fixture) { f.AddValidator(4) }, want: types.ErrUnregistered,
		},
		"jailed": {
			msg:   types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1, Participants: []string{op(0), op(1)}},
			setup: func(_ *testing.T, f *chain.Fixture) { f.Participants[1].Staked.Jailed = true }, want: types.ErrNotBonded,
		},
		"unbonding": {
			msg:   types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1, Participants: []string{op(0), op(1)}},
			setup: func(_ *testing.T, f *chain.Fixture) { f.Participants[1].Staked.Status = stakingtypes.Unbonding }, want: types.ErrNotBonded,
		},
		"too many": {
			msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1, Participants: []string{op(0), op(1), op(2), op(3)}},
			setup: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.MaxParticipants = 3 })
			}, want: types.ErrTooManyParticipants,
		},
		"no requester": {msg: types.MsgKeyGen{KeyId: "k", Requester: chain.Account("stranger"), Algorithm: ecdsa, Threshold: 1}, want: types.ErrNotRequester},
		"no address":   {msg: types.MsgKeyGen{KeyId: "k", Requester: "stranger", Algorithm: ecdsa, Threshold: 1}, want: types.ErrBadAddress},
		"id is being worked on": {
			msg:   types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 2},
			setup: func(_ *testing.T, f *chain.Fixture) { f.KeyGen("k", 1) }, want: types.ErrRequestPending,
		},
		"id is taken": {
			msg:   types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 2},
			setup: func(_ *testing.T, f *chain.Fixture) { f.ReadyKey("k", 1) }, want: types.ErrIDTaken,
		},
		"id is somebody else's": {
			msg:   types.MsgKeyGen{KeyId: "k", Requester: "authority", Algorithm: ecdsa, Threshold: 1},
			setup: func(_ *testing.T, f *chain.Fixture) { f.ReadyKey("k", 1) }, want: types.ErrIDTaken,
		},
		"all requests open": {
			msg: types.MsgKeyGen{KeyId: "k", Requester: "authority", Algorithm: ecdsa, Threshold: 1},
			setup: func(t *testing.T, f *chain.Fixture) {
				f.KeyGen("one", 1)
				setParams(t, f, func(p *types.Params) { p.MaxPending, p.MaxPendingPerRequester = 1, 1 })
			}, want: types.ErrTooManyPending,
		},
		"own requests open": {
			msg: types.MsgKeyGen{KeyId: "k", Algorithm: ecdsa, Threshold: 1},
			setup: func(t *testing.T, f *chain.Fixture) {
				f.KeyGen("one", 1)
				setParams(t, f, func(p *types.Params) { p.MaxPendingPerRequester = 1 })
			}, want: types.ErrTooManyPending,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 4)
			if c.setup != nil {
				c.setup(t, f)
			}
			switch c.msg.Requester {
			case "":
				c.msg.Requester = f.Requester
			case "authority":
				c.msg.Requester = f.Authority
			}
			_, err := f.Msg.KeyGen(f.Ctx, &c.msg)
			require.ErrorIs(t, err, c.want)
			require.NotEmpty(t, types.ReasonOf(err))
			require.Contains(t, err.Error(), string(types.ReasonOf(err)), "the reason's word stands in the error")
		})
	}
}

func TestKeyGenParticipants(t *testing.T) {
	f := chain.New(t, 5)
	unregistered := f.AddValidator(5)
	jailed := f.Participants[1]
	jailed.Staked.Jailed = true
	setParams(t, f, func(p *types.Params) { p.MaxParticipants = 3 })

	// By power: 0, 2, 3; 1 is jailed, the fourth is one too many.
	key := f.KeyGen("auto", 1)
	require.ElementsMatch(t, []string{chain.Operator(0), chain.Operator(2), chain.Operator(3)}, key.Participants)
	require.NotContains(t, key.Participants, unregistered.Operator)
	require.IsIncreasing(t, key.Participants)

	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	require.Len(t, requests, 1)
	r := requests[0]
	require.EqualValues(t, 1, r.Height)
	require.EqualValues(t, 601, r.ExpiryHeight)
	require.EqualValues(t, 60, r.AttemptBlocks)
	require.True(t, r.KeySession.IsZero())
	for _, m := range r.Members {
		require.EqualValues(t, 1, m.IdentityVersion)
		require.Equal(t, chain.Public(chain.IdentityKey(string(m.Operator))), m.IdentityKey)
	}

	// What happens to a validator afterwards changes nothing.
	f.Participants[0].Staked.Jailed = true
	f.Participants[2].Staked.Status = stakingtypes.Unbonded
	again, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	require.Equal(t, requests, again)
}

func TestAskingAgainIsFree(t *testing.T) {
	f := chain.New(t, 3)
	first := f.KeyGen("k", 1)
	require.Equal(t, 1, f.Events(&types.EventKeyGenRequested{}))
	require.Equal(t, first, f.KeyGen("k", 1))
	require.Zero(t, f.Events(&types.EventKeyGenRequested{}))

	f.EndBlocks(602)
	failed := requireKey(t, f, "k", types.KEY_STATUS_ERROR, "expired")
	require.Equal(t, failed, f.KeyGen("k", 1), "a failed id stays failed")

	// Order and letter case of what is named do not matter.
	ops := []string{chain.Operator(0), chain.Operator(1)}
	msg := types.MsgKeyGen{Requester: f.Requester, KeyId: "named", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 1, Participants: ops}
	a, err := f.Msg.KeyGen(f.Ctx, &msg)
	require.NoError(t, err)
	msg.Participants = []string{strings.ToUpper(ops[1]), ops[0]}
	msg.Requester = strings.ToUpper(f.Requester)
	b, err := f.Msg.KeyGen(f.Ctx, &msg)
	require.NoError(t, err)
	require.Equal(t, a, b)
}

func TestMessagesNeedTheAuthority(t *testing.T) {
	f := chain.New(t, 3)
	_, err := f.Msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Requester, Params: types.DefaultParams()})
	require.ErrorIs(t, err, types.ErrUnauthorized)
	_, err = f.Msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Authority + "x", Params: types.DefaultParams()})
	require.ErrorIs(t, err, types.ErrBadAddress)
	_, err = f.Msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Authority})
	require.ErrorIs(t, err, types.ErrBadParams)
	p := types.DefaultParams()
	p.Requesters = []string{"nobody"}
	_, err = f.Msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Authority, Params: p})
	require.ErrorIs(t, err, types.ErrBadParams)

	// The authority asks without being a requester.
	setParams(t, f, func(p *types.Params) { p.Requesters = nil })
	_, err = f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{Requester: f.Authority, KeyId: "k", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 1})
	require.NoError(t, err)
}
