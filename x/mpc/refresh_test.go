package mpc_test

import (
	"context"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/libs/bytes"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	rpcclient "github.com/cometbft/cometbft/rpc/client"
	coretypes "github.com/cometbft/cometbft/rpc/core/types"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// fixtureNode answers queries of the module and of x/consensus from a fixture, as a node's RPC does.
type fixtureNode struct {
	client.CometRPC
	f       *chain.Fixture
	queries *baseapp.GRPCQueryRouter
}

func newFixtureNode(f *chain.Fixture) fixtureNode {
	n := newNodeWithoutConsensus(f)
	consensustypes.RegisterQueryServer(n.queries, consensusQueries{f})
	return n
}

func newNodeWithoutConsensus(f *chain.Fixture) fixtureNode {
	n := fixtureNode{f: f, queries: baseapp.NewGRPCQueryRouter()}
	n.queries.SetInterfaceRegistry(f.Cdc.InterfaceRegistry())
	types.RegisterQueryServer(n.queries, f.Query)
	return n
}

// ABCIQueryWithOptions gives queries a context without consensus parameters, as baseapp does.
func (n fixtureNode) ABCIQueryWithOptions(_ context.Context, path string, data bytes.HexBytes, _ rpcclient.ABCIQueryOptions) (*coretypes.ResultABCIQuery, error) {
	handle := n.queries.Route(path)
	if handle == nil {
		return &coretypes.ResultABCIQuery{Response: *sdkerrors.QueryResult(sdkerrors.ErrUnknownRequest.Wrap("unknown query path"), false)}, nil
	}
	answer, err := handle(n.f.Ctx.WithConsensusParams(cmtproto.ConsensusParams{}), &abci.RequestQuery{Path: path, Data: data})
	if err != nil {
		answer = sdkerrors.QueryResult(err, false)
	}
	answer.Height = n.f.Ctx.BlockHeight()
	return &coretypes.ResultABCIQuery{Response: *answer}, nil
}

// consensusQueries answers what the blocks of a fixture are executed with.
type consensusQueries struct{ f *chain.Fixture }

func (q consensusQueries) Params(context.Context, *consensustypes.QueryParamsRequest) (*consensustypes.QueryParamsResponse, error) {
	params := q.f.Ctx.ConsensusParams()
	return &consensustypes.QueryParamsResponse{Params: &params}, nil
}

// A refresh names the participants that the key has, and its threshold: a reshare without
// names is one to all that are bonded.
func TestRefreshCommand(t *testing.T) {
	c := newCommandLine(t)
	c.fixture = chain.NewPlain(t, 3)
	f := c.fixture
	f.ReadyKey("k", 1)
	key, err := f.Keeper.Key(f.Ctx, "k")
	require.NoError(t, err)
	require.Len(t, key.Participants, 3)
	f.Register(f.AddValidator(3))
	c.node = newFixtureNode(f)

	msg := c.message(c.run(c.addTx, "refresh", "r", "k", "--from", f.Requester, "--generate-only", "--chain-id", chain.ChainID))
	want := &types.MsgKeyReshare{Requester: f.Requester, ReshareId: "r", KeyId: "k", Threshold: 1, Participants: key.Participants}
	require.Equal(t, want, msg)
	widened, err := f.Query.CanReshare(f.Ctx, &types.QueryCanReshareRequest{KeyId: "k", Threshold: 1})
	require.NoError(t, err)
	require.Len(t, widened.Participants, 4, "whom no names would take")
	asked, err := f.Msg.KeyReshare(f.Ctx, want)
	require.NoError(t, err)
	require.Equal(t, key.Participants, asked.Reshare.Participants)
}

// What cannot be refreshed says why before anything is sent, and what to do.
func TestRefreshIsRefused(t *testing.T) {
	c := newCommandLine(t)
	c.fixture = chain.NewPlain(t, 3)
	f := c.fixture
	f.KeyGen("made", 1)
	f.ReadyKey("gone", 1)
	_, err := f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: "gone"})
	require.NoError(t, err)
	c.node = newFixtureNode(f)
	for name, tt := range map[string]struct {
		args []string
		says []string
	}{
		"unknown":        {[]string{"r", "nobody"}, []string{"key nobody", "unknown_key", "query mpc keys"}},
		"not ready":      {[]string{"r", "made"}, []string{"key_not_ready", "wait until it is READY"}},
		"deleted":        {[]string{"r", "gone"}, []string{"key_deleted", "tx mpc undelete"}},
		"offline":        {[]string{"r", "gone", "--offline", "--account-number", "1", "--sequence", "1"}, []string{"--offline", "--participants"}},
		"a bad id":       {[]string{"r", "a b"}, []string{"a b", "unknown_key"}},
		"too many words": {[]string{"r", "k", "2"}, []string{"accepts 2 arg"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.try(c.addTx, append([]string{"refresh", "--from", f.Requester, "--generate-only"}, tt.args...)...)
			for _, said := range tt.says {
				require.ErrorContains(t, err, said, out)
			}
		})
	}
}
