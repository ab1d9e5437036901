package mpc_test

import (
	"encoding/json"
	"testing"

	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/types/module"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestModule(t *testing.T) {
	f := chain.NewEmpty(t)
	var heights []int64
	m := mpc.NewAppModule(f.Cdc, f.Keeper, func(height int64) { heights = append(heights, height) })
	require.Equal(t, types.ModuleName, m.Name())

	gs := m.DefaultGenesis(f.Cdc)
	require.NoError(t, m.ValidateGenesis(f.Cdc, nil, gs))
	require.ErrorContains(t, m.ValidateGenesis(f.Cdc, nil, json.RawMessage("{]")), "decode the genesis state of mpc")
	stranger := types.DefaultGenesis()
	stranger.Params.Requesters = []string{"cosmos1xyz"}
	require.NoError(t, stranger.Validate(), "without the codecs it looks right")
	require.ErrorIs(t, m.ValidateGenesis(f.Cdc, nil, f.Cdc.MustMarshalJSON(stranger)), types.ErrBadParams)
	require.NoError(t, mpc.NewAppModule(f.Cdc, nil, nil).ValidateGenesis(f.Cdc, nil, gs), "of a program without a keeper")
	m.InitGenesis(f.Ctx, f.Cdc, gs)
	require.JSONEq(t, string(gs), string(m.ExportGenesis(f.Ctx, f.Cdc)))
	require.Panics(t, func() { m.InitGenesis(f.Ctx, f.Cdc, json.RawMessage(`{}`)) }, "parameters of zero")

	f.Ctx = f.Ctx.WithBlockHeight(7)
	require.NoError(t, m.EndBlock(f.Ctx))
	require.NoError(t, m.PrepareCheckState(f.Ctx))
	require.Equal(t, []int64{7}, heights)
	require.NoError(t, mpc.NewAppModule(f.Cdc, f.Keeper, nil).PrepareCheckState(f.Ctx))
}

func TestModuleServices(t *testing.T) {
	f := chain.New(t, 0)
	m := mpc.NewAppModule(f.Cdc, f.Keeper, nil)
	msgs, queries := baseapp.NewMsgServiceRouter(), baseapp.NewGRPCQueryRouter()
	msgs.SetInterfaceRegistry(f.Cdc.InterfaceRegistry())
	queries.SetInterfaceRegistry(f.Cdc.InterfaceRegistry())
	m.RegisterServices(module.NewConfigurator(f.Cdc, msgs, queries))
	require.NotNil(t, msgs.HandlerByTypeURL("/sequencer.mpc.v1.MsgKeyGen"))
	require.NotNil(t, queries.Route("/sequencer.mpc.v1.Query/Keys"))
	require.Panics(t, func() { f.Keeper.AddHooks("late", vault{}) }, "services are registered: hooks are sealed")

	amino := codec.NewLegacyAmino()
	m.RegisterLegacyAminoCodec(amino)
	bz, err := amino.MarshalJSON(&types.MsgKeyDelete{Requester: "a", KeyId: "k"})
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"sequencer/x/mpc/MsgKeyDelete","value":{"requester":"a","key_id":"k"}}`, string(bz))
	m.RegisterGRPCGatewayRoutes(client.Context{}, gwruntime.NewServeMux())
}
