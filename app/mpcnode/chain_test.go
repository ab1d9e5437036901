package mpcnode

import (
	"context"
	"errors"
	"testing"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// fakeApp has one committed block. What the chain adapter does not use panics.
type fakeApp struct {
	App
	height int64
	time   time.Time
	state  fakeState
	err    error
}

func (a *fakeApp) LastBlockHeight() int64 { return a.height }
func (a *fakeApp) MPCState() State        { return a.state }
func (a *fakeApp) CreateQueryContext(height int64, prove bool) (sdk.Context, error) {
	if prove {
		return sdk.Context{}, errors.New("a proof costs time")
	}
	ctx := sdk.NewContext(nil, cmtproto.Header{Height: height, Time: a.time}, true, log.NewNopLogger())
	return ctx.WithGasMeter(storetypes.NewGasMeter(queryGasLimit)), a.err
}

// queryGasLimit is what an operator allows those that ask.
const queryGasLimit = 1000

type fakeState struct {
	requests []types.Request
	err      error
	panics   bool
}

func (s fakeState) EngineRequests(ctx context.Context) ([]types.Request, error) {
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(2*queryGasLimit, "many requests")
	if s.panics {
		panic("no such version")
	}
	return s.requests, s.err
}

func (fakeState) EngineAttested(context.Context) (map[types.AttestedAttempt]bool, error) {
	return map[types.AttestedAttempt]bool{{Operator: "op"}: true}, nil
}

func (fakeState) EngineRoster(context.Context) (*types.Roster, error) {
	return types.NewRoster(map[types.Operator][]types.Identity{"op": nil}), nil
}

func (fakeState) EngineOperatorOf(context.Context, []byte) (types.Operator, bool, error) {
	return "", false, nil
}

func (fakeState) EngineRosterChanges(context.Context) (uint64, error) { return 1, nil }

func (fakeState) EngineFaults(context.Context) ([]types.Fault, error) {
	return []types.Fault{{Participant: "op", Reason: types.ErrStalled}}, nil
}

func (fakeState) EngineKey(_ context.Context, id types.KeyID) (types.Key, bool, error) {
	return types.Key{ID: id}, id == "known", nil
}

func (fakeState) EnginePresignTarget(context.Context) (int, error) { return 3, nil }

func (fakeState) EngineFaultBlocks(context.Context) (int64, error) { return 700, nil }

func (fakeState) EngineKeyChanges(context.Context, uint64) (uint64, []types.KeyID, bool, error) {
	return 0, nil, false, nil
}

func (fakeState) EngineUnacknowledged(context.Context, types.Operator) ([]types.KeyID, error) {
	return []types.KeyID{"deleted"}, nil
}

func (fakeState) EngineProven(_ context.Context, op types.Operator, session types.Context) (bool, error) {
	return op == "liar" && session == types.Context{1}, nil
}

func (fakeState) EngineOutcome(_ context.Context, id types.RequestID) (types.Outcome, bool, error) {
	if id.ID == "unreadable" {
		return types.Outcome{Height: 8}, true, errors.New("not to be read")
	}
	return types.Outcome{Height: 8, Reason: types.ErrExpired}, id.ID == "ended", nil
}

func (fakeState) EngineFailedSigns(_ context.Context, looks int) ([]string, error) {
	return []string{"failed"}[:min(looks, 1)], nil
}

func (fakeState) EngineReshareEnded(_ context.Context, id string) (types.EndedReshare, bool, error) {
	return types.EndedReshare{KeyID: types.KeyID("of " + id), RetireHeight: 7}, id == "ended", nil
}

func (fakeState) EngineReadyKeys(context.Context) ([]types.Key, error) {
	return []types.Key{{ID: "known", Session: types.Context{1}}}, nil
}

func (fakeState) PayloadKinds() *types.PayloadKinds { return nil }

func (fakeState) EngineCheckSign(_ context.Context, id string) error {
	switch id {
	case "refused":
		return mpctypes.ErrPolicy.Wrap("not to strangers")
	case "unreadable":
		return errors.New("no such version")
	}
	return nil
}

func (fakeState) EngineKeysOf(context.Context, types.Operator) ([]types.Key, error) { return nil, nil }

func (fakeState) EngineSignature(_ context.Context, id string) (types.SignatureResult, bool, error) {
	return types.SignatureResult{RequestID: id}, id == "known", nil
}

type waits bool

func (w waits) WaitSync() bool { return bool(w) }

func fakeChain(app *fakeApp, wait waits, seen func(sight)) *chain {
	c := newChain(app, wait, cmtcfg.DefaultConsensusConfig(), seen)
	c.now = func() time.Time { return time.Unix(10_000, 0) }
	return c
}

func TestChainView(t *testing.T) {
	app := &fakeApp{height: 9, time: time.Unix(9_999, 0), state: fakeState{requests: []types.Request{{KeyID: "k"}}}}
	var seen *mpc.View
	var presigns map[types.RequestID]bool
	c := fakeChain(app, false, func(s sight) {
		seen, presigns = s.View, s.presigns
		o, known := s.ended(types.RequestID{Kind: types.KindSign, ID: "ended"})
		require.True(t, known)
		require.Equal(t, types.Outcome{Height: 8, Reason: types.ErrExpired}, o)
		_, known = s.ended(types.RequestID{Kind: types.KindSign, ID: "unreadable"})
		require.False(t, known)
		failed, err := s.failed(1)
		require.NoError(t, err)
		require.Equal(t, []string{"failed"}, failed)
	})
	v, err := c.View(t.Context(), []types.KeyID{"known", "unknown"})
	require.NoError(t, err)
	require.Equal(t, int64(9), v.Height)
	require.True(t, app.time.Equal(v.Time))
	require.False(t, v.CatchingUp)
	require.Equal(t, app.state.requests, v.Requests)
	require.Equal(t, map[types.KeyID]types.Key{"known": {ID: "known"}}, v.Keys)
	require.Equal(t, []types.Operator{"op"}, v.Roster.Operators())
	require.Equal(t, 3, v.Presign)
	require.Equal(t, int64(700), v.FaultBlocks)
	require.True(t, v.Attested[types.AttestedAttempt{Operator: "op"}])
	require.Same(t, v, seen)
	require.True(t, presigns[types.PresignID(&types.Key{Session: types.Context{1}})])
	again, err := c.View(t.Context(), nil)
	require.NoError(t, err)
	require.Same(t, v.Roster, again.Roster)

	owed, err := c.Unacknowledged(t.Context(), "op")
	require.NoError(t, err)
	require.Equal(t, []types.KeyID{"deleted"}, owed)
	proven, err := c.Proven(t.Context(), "liar", types.Context{1})
	require.NoError(t, err)
	require.True(t, proven)
	proven, err = c.Proven(t.Context(), "liar", types.Context{2})
	require.NoError(t, err)
	require.False(t, proven)
	for _, id := range []string{"ended", "unknown"} {
		end, ended, err := c.ReshareEnded(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, id == "ended", ended)
		require.Equal(t, types.EndedReshare{KeyID: types.KeyID("of " + id), RetireHeight: 7}, end)
	}
	_, known, err := c.Key(t.Context(), "unknown")
	require.NoError(t, err)
	require.False(t, known)
	s, known, err := c.Signature(t.Context(), "known")
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, "known", s.RequestID)
}

func TestChainCatchesUp(t *testing.T) {
	for _, c := range []struct {
		name string
		age  time.Duration
		wait waits
		want bool
	}{
		{"a fresh block", time.Second, false, false},
		{"a fresh block in block sync", time.Second, true, true},
		{"the oldest that counts as fresh", 40 * time.Second, false, false}, // 10 * (3 s + 1 s)
		{"an old block", 41 * time.Second, false, true},
		{"a block of the future", -time.Minute, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := &fakeApp{height: 1, time: time.Unix(10_000, 0).Add(-c.age)}
			v, err := fakeChain(app, c.wait, func(sight) {}).View(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, c.want, v.CatchingUp)
		})
	}
}

func TestChainThatCannotBeRead(t *testing.T) {
	broken := errors.New("pruned")
	for name, app := range map[string]*fakeApp{
		"no such height":      {height: 3, err: broken},
		"no state":            {height: 3, state: fakeState{err: broken}},
		"a store that panics": {height: 3, state: fakeState{panics: true}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fakeChain(app, false, func(sight) {}).View(t.Context(), nil)
			require.Error(t, err)
		})
	}
}

// Before the first block there is nothing to do, and nothing wrong.
func TestChainBeforeItsFirstBlock(t *testing.T) {
	c := fakeChain(&fakeApp{}, false, func(sight) { t.Error("that is no view of a block") })
	v, err := c.View(t.Context(), []types.KeyID{"known"})
	require.NoError(t, err)
	require.True(t, v.CatchingUp)
	require.Zero(t, v.Height)
	require.Empty(t, v.Requests)
	require.Empty(t, v.Keys)
	require.Empty(t, v.Roster.Operators())
	again, err := c.View(t.Context(), nil)
	require.NoError(t, err)
	require.Same(t, v.Roster, again.Roster)
	_, _, err = c.Key(t.Context(), "known")
	require.ErrorContains(t, err, "no block yet")
}

// A module's refusal keeps its reason; what cannot be read has one, too.
func TestChainCheckSign(t *testing.T) {
	app := &fakeApp{height: 9, time: time.Unix(9_999, 0)}
	c := fakeChain(app, false, func(sight) {})
	require.NoError(t, c.CheckSign(t.Context(), "good"))
	require.Equal(t, types.ErrPolicy, types.ReasonOf(c.CheckSign(t.Context(), "refused")))
	require.Equal(t, types.ErrStorage, types.ReasonOf(c.CheckSign(t.Context(), "unreadable")))
	app.err = errors.New("no such version")
	require.Equal(t, types.ErrStorage, types.ReasonOf(c.CheckSign(t.Context(), "good")))
}
