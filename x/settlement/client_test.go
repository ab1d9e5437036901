package settlement_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/server/api"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/settlement"
	"github.com/sequencer-mpc/sequencer/x/settlement/keeper"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// state has one batch, whose transaction was reported by one validator.
func state() types.GenesisState {
	r := types.Range{FirstBlock: 1, LastBlock: 9, StateRoot: make([]byte, types.RootBytes)}
	next := types.Range{FirstBlock: 10, LastBlock: 19, StateRoot: make([]byte, types.RootBytes)}
	t := types.Transaction{
		Id: 1, Purpose: types.PURPOSE_STATE, Batch: 1, KeyId: "settlement:k", Contract: "0x00000000000000000000000000000000000000aa",
		Status: types.TRANSACTION_STATUS_OPEN,
	}
	t.Begin(types.DefaultParams(), types.Offer{})
	hash := "0x1111111111111111111111111111111111111111111111111111111111111111"
	return types.GenesisState{
		Params:       types.DefaultParams(),
		Keys:         []types.Key{{Id: "settlement:k", Status: types.KEY_STATUS_READY, NextNonce: 1}},
		Lines:        []types.Line{{Purpose: types.PURPOSE_STATE, KeyId: "settlement:k", NextBatch: 2, NextBlock: 10}},
		Batches:      []types.Batch{{Purpose: types.PURPOSE_STATE, Number: 1, Range: r, TransactionId: 1}},
		Transactions: []types.Transaction{t},
		Proposals:    []types.Proposal{{Purpose: types.PURPOSE_STATE, Batch: 2, Operator: chain.Operator(0), Range: next}},
		Reports:      []types.Report{{TransactionId: 1, Operator: chain.Operator(0), Receipt: types.Receipt{Hash: hash, BlockHash: hash}}},
	}
}

// Every query has a route, which says what the module says. In a path the gateway knows
// enums by number only.
func TestRoutes(t *testing.T) {
	store := storetypes.NewKVStoreKey(types.StoreKey)
	f := chain.NewBeside(t, 1, store)
	k := keeper.NewKeeper(f.Cdc, runtime.NewKVStoreService(store), f.Staking, f.Keeper.ForModule(types.ModuleName), f.Authority,
		address.NewBech32Codec("seqvaloper"))
	require.NoError(t, k.InitGenesis(f.Ctx, state()))
	query := keeper.NewQueryServer(k)
	mux := api.New(client.Context{}.WithInterfaceRegistry(f.Cdc.InterfaceRegistry()), log.NewNopLogger(), nil).GRPCGatewayRouter
	require.NoError(t, types.RegisterQueryHandlerServer(t.Context(), mux, query))
	get := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/sequencer/settlement/v1"+path, nil)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sdk.SdkContextKey, f.Ctx)))
		return w
	}
	answers := map[string]struct {
		path string
		ask  func() (proto.Message, error)
	}{
		"Params": {"/params", func() (proto.Message, error) { return query.Params(f.Ctx, &types.QueryParamsRequest{}) }},
		"Lines":  {"/lines", func() (proto.Message, error) { return query.Lines(f.Ctx, &types.QueryLinesRequest{}) }},
		"Keys":   {"/keys", func() (proto.Message, error) { return query.Keys(f.Ctx, &types.QueryKeysRequest{}) }},
		"Proposals": {"/lines/2/proposals", func() (proto.Message, error) {
			return query.Proposals(f.Ctx, &types.QueryProposalsRequest{Purpose: types.PURPOSE_STATE})
		}},
		"Batch": {"/lines/2/batches/1", func() (proto.Message, error) {
			return query.Batch(f.Ctx, &types.QueryBatchRequest{Purpose: types.PURPOSE_STATE, Number: 1})
		}},
		"Batches": {"/lines/2/batches", func() (proto.Message, error) {
			return query.Batches(f.Ctx, &types.QueryBatchesRequest{Purpose: types.PURPOSE_STATE})
		}},
		"Transaction": {"/transactions/1", func() (proto.Message, error) {
			return query.Transaction(f.Ctx, &types.QueryTransactionRequest{Id: 1})
		}},
		"Transactions": {"/transactions?pagination.limit=1", func() (proto.Message, error) {
			return query.Transactions(f.Ctx, &types.QueryTransactionsRequest{})
		}},
		"Open": {"/open", func() (proto.Message, error) { return query.Open(f.Ctx, &types.QueryOpenRequest{}) }},
	}
	for _, rpc := range methods(t, "Query") {
		t.Run(rpc, func(t *testing.T) {
			a, ok := answers[rpc]
			require.True(t, ok, "no route")
			want, err := a.ask()
			require.NoError(t, err)
			text, err := f.Cdc.MarshalJSON(want)
			require.NoError(t, err)
			got := get(a.path)
			require.Equal(t, http.StatusOK, got.Code, got.Body)
			require.JSONEq(t, string(text), got.Body.String())
			require.Contains(t, string(text), "{")
		})
	}
	none := get("/transactions/9")
	require.Equal(t, http.StatusNotFound, none.Code)
	require.Contains(t, none.Body.String(), "unknown_transaction")
}

// Every query and message has its command, or is left out on purpose.
func TestCommands(t *testing.T) {
	options := settlement.AppModule{}.AutoCLIOptions()
	for service, described := range map[string]int{"Query": len(options.Query.RpcCommandOptions), "Msg": len(options.Tx.RpcCommandOptions)} {
		require.Len(t, methods(t, service), described, service)
	}
	have := make(map[string]bool)
	for _, o := range append(options.Query.RpcCommandOptions, options.Tx.RpcCommandOptions...) {
		have[o.RpcMethod] = true
		require.True(t, o.Skip || o.Short != "", o.RpcMethod)
	}
	for _, m := range append(methods(t, "Query"), methods(t, "Msg")...) {
		require.True(t, have[m], m)
	}
}

// methods are the names of a service's.
func methods(t *testing.T, service string) (names []string) {
	t.Helper()
	files, err := proto.MergedRegistry()
	require.NoError(t, err)
	d, err := files.FindDescriptorByName(protoreflect.FullName("sequencer.settlement.v1." + service))
	require.NoError(t, err)
	all := d.(protoreflect.ServiceDescriptor).Methods()
	for i := range all.Len() {
		names = append(names, string(all.Get(i).Name()))
	}
	return names
}
