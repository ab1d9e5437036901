package cli

import (
	"bytes"
	"context"
	"sync"
	"testing"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cosmos/gogoproto/proto"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/server"
	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
	"github.com/cosmos/cosmos-sdk/types/module"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
	"github.com/sequencer-mpc/sequencer/x/mpc"
)

const hostPrefix = "host"

// operator is a validator operator address of that chain.
var operator, _ = addresscodec.NewBech32Codec(hostPrefix + "valoper").BytesToString(bytes.Repeat([]byte{7}, 20))

// hostContext is what the root command of some chain knows, which has nothing to do
// with ours.
func hostContext(t *testing.T) client.Context {
	t.Helper()
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: signing.Options{
			AddressCodec:          addresscodec.NewBech32Codec(hostPrefix),
			ValidatorAddressCodec: addresscodec.NewBech32Codec(hostPrefix + "valoper"),
		},
	})
	require.NoError(t, err)
	return client.Context{}.WithCodec(codec.NewProtoCodec(registry)).WithInterfaceRegistry(registry).WithViper("HOST")
}

func codecOf(t *testing.T) codec.Codec { return hostContext(t).Codec }

var configTemplate sync.Mutex

// host is that root command.
func host(t *testing.T) *cobra.Command {
	t.Helper()
	ctx := hostContext(t)
	root := &cobra.Command{Use: "hostd", SilenceUsage: true, PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
		ctx, err := client.ReadPersistentCommandFlags(ctx.WithCmdContext(cmd.Context()), cmd.Flags())
		if err != nil {
			return err
		}
		if err := client.SetCmdClientContextHandler(ctx, cmd); err != nil {
			return err
		}
		configTemplate.Lock() // which the SDK sets for the whole process
		defer configTemplate.Unlock()
		svrCtx, err := server.InterceptConfigsAndCreateContext(cmd, mpcnode.Template, mpcnode.DefaultAppConfig("0coin"), cmtcfg.DefaultConfig())
		if err != nil {
			return err
		}
		return server.SetCmdServerContext(cmd, svrCtx)
	}}
	basics := module.NewBasicManager(mpc.NewAppModule(ctx.Codec, nil, nil))
	root.AddCommand(WithIdentity(genutilcli.InitCmd(basics, "")), Command())
	return root
}

// run runs the chain's program on a home and returns what it wrote to standard output.
func run(t *testing.T, home string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := host(t)
	root.SetOut(&out)
	root.SetErr(new(bytes.Buffer))
	root.SetArgs(append(args, "--home", home))
	err := execute(root, home)
	return out.String(), err
}

// execute is svrcmd.Execute with the flags that it adds, without what CometBFT sets for the
// whole process: a program runs one command, these tests run many at the same time.
func execute(root *cobra.Command, home string) error {
	root.PersistentFlags().String(flags.FlagHome, home, "")
	root.PersistentFlags().String(flags.FlagLogLevel, "info", "")
	root.PersistentFlags().String(flags.FlagLogFormat, "plain", "")
	root.PersistentFlags().Bool(flags.FlagLogNoColor, false, "")
	root.PersistentFlags().Bool(server.FlagTrace, false, "")
	return root.ExecuteContext(svrcmd.CreateExecuteContext(context.Background()))
}

// fullNode is the home of a node without an identity.
func fullNode(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	_, err := run(t, home, "init", "node", "--chain-id", "seq-1", "--no-mpc")
	require.NoError(t, err)
	return home
}

// validator is that of one with an identity, see nodehome.AddVault.
func validator(t *testing.T) string {
	t.Helper()
	home := fullNode(t)
	nodehome.AddVault(t, home)
	return home
}
