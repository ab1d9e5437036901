package mpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoregistry"

	"cosmossdk.io/client/v2/autocli"
	"cosmossdk.io/client/v2/autocli/flag"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/types/module"

	"github.com/sequencer-mpc/sequencer/x/mpc"
	"github.com/sequencer-mpc/sequencer/x/mpc/testutil"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestModule(t *testing.T) {
	f := testutil.NewEmpty(t)
	var heights []int64
	m := mpc.NewAppModule(f.Cdc, f.Keeper, func(height int64) { heights = append(heights, height) })
	require.Equal(t, types.ModuleName, m.Name())

	gs := m.DefaultGenesis(f.Cdc)
	require.NoError(t, m.ValidateGenesis(f.Cdc, nil, gs))
	require.ErrorContains(t, m.ValidateGenesis(f.Cdc, nil, json.RawMessage("{]")), "decode the genesis state of mpc")
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
	f := testutil.New(t, 0)
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

// conn answers queries from a fixture and remembers what was asked.
type conn struct {
	asked string
}

func (c *conn) Invoke(_ context.Context, method string, _, _ any, _ ...grpc.CallOption) error {
	c.asked = method
	return nil
}

func (*conn) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, nil
}

func TestCommands(t *testing.T) {
	f := testutil.New(t, 0)
	m := mpc.NewAppModule(f.Cdc, f.Keeper, nil)
	files, err := proto.MergedRegistry()
	require.NoError(t, err)
	c := &conn{}
	b := &autocli.Builder{
		Builder: flag.Builder{
			TypeResolver: protoregistry.GlobalTypes, FileResolver: files,
			AddressCodec: address.NewBech32Codec("seq"), ValidatorAddressCodec: address.NewBech32Codec("seqvaloper"),
			ConsensusAddressCodec: address.NewBech32Codec("seqvalcons"),
		},
		GetClientConn:     func(*cobra.Command) (grpc.ClientConnInterface, error) { return c, nil },
		AddQueryConnFlags: flags.AddQueryFlagsToCmd,
		AddTxConnFlags:    flags.AddTxFlagsToCmd,
	}
	require.NoError(t, b.ValidateAndComplete())
	ctx := client.Context{}.WithCodec(f.Cdc).WithInterfaceRegistry(f.Cdc.InterfaceRegistry())

	t.Run("query", func(t *testing.T) {
		for rpc, args := range map[string][]string{
			"Params": {"params"}, "Participant": {"participant", testutil.Operator(0)}, "Participants": {"participants"},
			"Key": {"key", "k"}, "Keys": {"keys", "--status", "ready", "--owner", f.Requester},
			"Signature": {"signature", "s"}, "Signatures": {"signatures", "k", "--status", "ready"},
			"PendingRequests": {"pending", "--kind", "sign"},
			"CanKeyGen":       {"can-keygen", "2"}, "CanSign": {"can-sign", "k"},
		} {
			cmd := &cobra.Command{Use: "mpc"}
			require.NoError(t, b.AddQueryServiceCommands(cmd, m.AutoCLIOptions().Query))
			var out bytes.Buffer
			cmd.SetOut(&out)
			cmd.SetErr(&out)
			cmd.SetArgs(append(args, "--output", "json"))
			require.NoError(t, cmd.ExecuteContext(context.WithValue(context.Background(), client.ClientContextKey, &ctx)), "%s: %s", rpc, out.String())
			require.Equal(t, "/sequencer.mpc.v1.Query/"+rpc, c.asked)
		}
	})
	t.Run("tx", func(t *testing.T) {
		cmd := &cobra.Command{Use: "mpc"}
		require.NoError(t, b.AddMsgServiceCommands(cmd, m.AutoCLIOptions().Tx))
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		require.ElementsMatch(t, []string{"keygen", "sign", "delete", "revoke", "update-params-proposal"}, names)
	})
}
