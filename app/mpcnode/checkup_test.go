package mpcnode

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
	chaintest "github.com/sequencer-mpc/sequencer/testutil/chain"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// keeperApp is an application with a real keeper, and its queries.
type keeperApp struct {
	App
	f       *chaintest.Fixture
	queries *baseapp.GRPCQueryRouter
}

func newKeeperApp(f *chaintest.Fixture) *keeperApp {
	a := &keeperApp{f: f, queries: baseapp.NewGRPCQueryRouter()}
	a.queries.SetInterfaceRegistry(codectypes.NewInterfaceRegistry())
	mpcmodule.RegisterQueryServer(a.queries, f.Query)
	stakingtypes.RegisterQueryServer(a.queries, &validators{f: f})
	return a
}

// validators answers what is asked of x/staking.
type validators struct {
	stakingtypes.UnimplementedQueryServer
	f *chaintest.Fixture
}

func (v *validators) Validator(_ context.Context, req *stakingtypes.QueryValidatorRequest) (*stakingtypes.QueryValidatorResponse, error) {
	for _, known := range v.f.Staking.Validators {
		if known.OperatorAddress == req.ValidatorAddr {
			return &stakingtypes.QueryValidatorResponse{Validator: *known}, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "validator %s not found", req.ValidatorAddr)
}

func (a *keeperApp) ChainID() string        { return chaintest.ChainID }
func (a *keeperApp) LastBlockHeight() int64 { return a.f.Ctx.BlockHeight() }
func (a *keeperApp) MPCState() State        { return a.f.Keeper }
func (a *keeperApp) CreateQueryContext(int64, bool) (sdk.Context, error) {
	return a.f.Ctx, nil
}

func (a *keeperApp) Query(_ context.Context, req *abci.RequestQuery) (*abci.ResponseQuery, error) {
	resp, err := a.queries.Route(req.Path)(a.f.Ctx, req)
	if err != nil {
		return sdkerrors.QueryResult(err, false), nil
	}
	return resp, nil
}

// All are there: straight, by relay, with their versions, clocks and shares.
func TestCheckupOfAHealthyNode(t *testing.T) {
	s := newStage(t, 4, func(s *stage) {
		r := types.Record{
			RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{9}}, Data: []byte("share"), Status: types.StatusPending,
			Algorithm: types.ECDSASecp256k1,
		}
		store := s.stores[s.operator(2)]
		require.NoError(t, store.PutRecord(r))
		r.Status = types.StatusReady
		require.NoError(t, store.PutRecord(r))
	})
	s.app.f.ReadyKey("key", 2)
	s.strangers = []p2p.Stranger{{ID: "stranger", Address: "1.2.3.4:26656"}}
	c := s.examineAnswered("key", "", 1, 2, 3)
	require.Equal(t, IdentityReport{Keys: 1, Operator: string(s.operator(0)), Version: 1, Current: 1}, c.Identity)
	require.Equal(t, s.strangers, c.Strangers)
	require.Equal(t, 2, c.PreparamsTarget)
	require.WithinDuration(t, c.Clock.Now, c.Clock.BlockTime, time.Minute)
	self := s.participant(c, 0)
	require.True(t, self.Self && !self.Answered && !self.Direct)
	for i := 1; i < 4; i++ {
		p := s.participant(c, i)
		require.Equal(t, uint32(1), p.AnsweredAs)
		require.False(t, p.Outdated())
		require.True(t, p.Answered)
		require.Equal(t, i != 3, p.Direct)
		require.Equal(t, "v1", p.Version)
		require.Positive(t, p.RoundTrip)
		require.InDelta(t, 0, p.ClockAhead, 1+p.RoundTrip/2)
		require.Equal(t, i == 2, p.HasShare)
	}
	require.NotNil(t, c.Key)
	require.Equal(t, "READY", c.Key.Status)
	require.Len(t, c.Key.Participants, 4)
	require.Equal(t, []HeldKey{{KeyID: "key", Threshold: 2, Participants: c.Key.Participants}}, c.Held)
}

func TestCheckupWithOneDown(t *testing.T) {
	s := newStage(t, 3, func(s *stage) { s.down[s.operator(2)] = true })
	c := s.examineAnswered("", "", 1)
	require.False(t, s.participant(c, 2).Answered)
}

// A clock that is wrong by a minute shows against those of the others.
func TestCheckupWithAWrongClock(t *testing.T) {
	s := newStage(t, 3, func(s *stage) { s.ahead[s.operator(0)] = time.Minute })
	c := s.examineAnswered("", "", 1, 2)
	for i := 1; i < 3; i++ {
		p := s.participant(c, i)
		require.InDelta(t, -60, p.ClockAhead, 1+p.RoundTrip/2)
	}
	require.Greater(t, c.Clock.Now.Sub(c.Clock.BlockTime), 50*time.Second)
}

// What the chain says of keys and requests, in each of their states.
func TestCheckupOfRequests(t *testing.T) {
	s := newStage(t, 3, func(s *stage) {})
	s.app.f.ReadyKey("ready", 1)
	s.app.f.KeySign("late", "ready", "text")
	s.app.f.KeyGen("failed", 1)
	c := s.examine("failed", "late")
	require.Equal(t, "PENDING", c.Key.Status)
	require.Len(t, c.Requests, 1)
	open := c.Requests[0]
	require.Equal(t, "PENDING", open.Status)
	require.Greater(t, open.ExpiryHeight, s.app.f.Ctx.BlockHeight())

	params, err := s.app.f.Keeper.Params(s.app.f.Ctx)
	require.NoError(t, err)
	s.app.f.EndBlocks(s.app.f.Ctx.BlockHeight() + int64(max(params.KeygenLifetimeBlocks, params.SignLifetimeBlocks)) + 1)
	c = s.examine("failed", "late")
	require.Equal(t, "ERROR", c.Key.Status)
	require.Equal(t, string(types.ErrExpired), c.Key.Reason)
	require.NotEmpty(t, c.Key.Remedy)
	late := c.Requests[0]
	require.Equal(t, []string{"sign", "late", "ready", "ERROR", "expired"}, []string{late.Kind, late.ID, late.KeyID, late.Status, late.Reason})
	require.Positive(t, late.DecidedHeight)
	require.Zero(t, late.ExpiryHeight)

	_, err = s.app.f.Msg.KeyDelete(s.app.f.Ctx, &mpcmodule.MsgKeyDelete{Requester: s.app.f.Requester, KeyId: "ready"})
	require.NoError(t, err)
	c = s.examine("ready", "")
	require.Equal(t, "DELETING", c.Key.Status)
	require.Positive(t, c.Key.RetireHeight)
	s.app.f.EndBlocks(c.Key.RetireHeight + 1)
	require.Equal(t, "DELETED", s.examine("ready", "").Key.Status)

	c = s.examine("nobody", "asked")
	require.Nil(t, c.Key)
	require.Empty(t, c.Requests)
}

// A node whose engine has ended says so, and everything else that it knows.
func TestCheckupOfAStoppedEngine(t *testing.T) {
	s := newStage(t, 2, func(*stage) {})
	e, err := mpc.New(mpc.Options{ChainID: chaintest.ChainID, Chain: idleChain{}, Transport: idleTransport{}}, 1)
	require.NoError(t, err)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, e.Run(stopped))
	state := &engineState{engine: e}
	state.fail(errors.New("the disk is full"))
	c := s.examineEngine(state, "", "")
	require.False(t, c.Asked)
	require.Equal(t, mpc.ErrStopped.Error(), c.AskError)
	require.Contains(t, c.Status.Engine, "the disk is full")
	require.Equal(t, string(s.operator(0)), c.Identity.Operator)
}

// hung is an engine whose loop does not come back, from a disk that hangs.
type hung struct{}

func (hung) Probe(ctx context.Context, _ types.KeyID) ([]mpc.Answer, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hung) Status() mpc.Status { return mpc.Status{} }

// An engine that hangs does not keep the node from saying the rest in time.
func TestCheckupOfAnEngineThatHangs(t *testing.T) {
	f := chaintest.NewPlain(t, 2)
	synctest.Test(t, func(t *testing.T) {
		app := newKeeperApp(f)
		x := &examiner{
			app: app, chain: chainQueries{mpcmodule.NewQueryClient(askApp{app})}, engine: hung{}, peers: p2p.NewReactor(p2p.Options{ChainID: "c"}),
			status: func() StatusReport { return StatusReport{Engine: EngineRunning} }, now: time.Now,
		}
		asked := time.Now()
		c := x.examine(t.Context(), Question{Held: true})
		require.Less(t, time.Since(asked), socketTimeout)
		require.False(t, c.Asked)
		require.Equal(t, "the engine does not answer", c.AskError)
		require.Len(t, c.Participants, 2)
	})
}

// A node without an identity asks nobody, and says what it knows all the same.
func TestCheckupOfAFullNode(t *testing.T) {
	f := chaintest.NewPlain(t, 2)
	app := newKeeperApp(f)
	e, err := mpc.New(mpc.Options{ChainID: chaintest.ChainID, Chain: idleChain{}, Transport: idleTransport{}}, 1)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	x := &examiner{
		app: app, chain: chainQueries{mpcmodule.NewQueryClient(askApp{app})}, engine: e, peers: p2p.NewReactor(p2p.Options{ChainID: "c"}),
		status: func() StatusReport { return StatusReport{} }, now: time.Now,
	}
	c := x.examine(t.Context(), Question{Held: true})
	require.Empty(t, c.ChainError)
	require.False(t, c.Asked)
	require.Empty(t, c.AskError)
	require.Equal(t, IdentityReport{}, c.Identity)
	require.Len(t, c.Participants, 2)

	f.Ctx = f.Ctx.WithBlockHeight(0)
	require.Contains(t, x.examine(t.Context(), Question{Held: true}).ChainError, "there is no block yet")
	require.ErrorContains(t, askApp{app}.Invoke(t.Context(), "/x", client.Context{}, nil), "no messages")
}
