package cmd

import (
	"fmt"
	"io"
	"os"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/spf13/cobra"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client"
	clientconfig "github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/client/debug"
	"github.com/cosmos/cosmos-sdk/client/keys"
	"github.com/cosmos/cosmos-sdk/client/pruning"
	"github.com/cosmos/cosmos-sdk/client/snapshot"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/version"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/cli"
	ethereumcli "github.com/sequencer-mpc/sequencer/app/payload/ethereum/cli"
	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
)

// EnvPrefix begins the environment variables that stand for flags.
const EnvPrefix = "SEQUENCERD"

// NewRoot makes the whole command tree. It panics if the modules' commands
// contradict each other, which no input can cause.
func NewRoot() *cobra.Command {
	a := app.NewTool()
	clientCtx := client.Context{}.
		WithCodec(a.Codec).WithInterfaceRegistry(a.InterfaceRegistry).WithTxConfig(a.TxConfig).WithLegacyAmino(a.Amino).
		WithInput(os.Stdin).WithAccountRetriever(authtypes.AccountRetriever{}).
		WithHomeDir(app.DefaultHome).WithViper(EnvPrefix)
	root := &cobra.Command{
		Use:   app.Binary,
		Short: "Node of the sequencer chain, which makes threshold keys and signs with them",
		Long: `Runs a node of the sequencer chain. Its validators hold threshold keys
together: the chain asks for a key or a signature, the validators' nodes
make it among themselves, and the result goes back on chain.

  sequencerd localnet --validators 4 --output DIR    a network on this machine
  sequencerd init MONIKER                            files of a new node
  sequencerd start                                   run it
  sequencerd mpc --help                              identity, keys, sessions, payloads`,
		SilenceUsage:      true,
		SilenceErrors:     false,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return prepare(cmd, clientCtx) },
	}
	addCommands(root, a)
	root.AddCommand(settlementCmd(clientCtx))
	if err := addModuleCommands(root, a, clientCtx); err != nil {
		panic(err)
	}
	return root
}

// prepare reads client.toml, config.toml and app.toml, and writes those that
// are missing.
func prepare(cmd *cobra.Command, clientCtx client.Context) error {
	// Cobra's Println, which the SDK's queries use, writes to standard error if no
	// output is set: nobody could pipe an answer.
	cmd.SetOut(cmd.OutOrStdout())
	if err := prepareClient(cmd, clientCtx); err != nil {
		return err
	}
	svrCtx, err := server.InterceptConfigsAndCreateContext(cmd, mpcnode.Template, mpcnode.DefaultAppConfig(app.MinGasPrice), cmtcfg.DefaultConfig())
	if err != nil {
		return err
	}
	logger, err := server.CreateSDKLogger(svrCtx, logOutput(cmd))
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	svrCtx.Logger = logger.With(log.ModuleKey, "server")
	return server.SetCmdServerContext(cmd, svrCtx)
}

// prepareClient reads client.toml only.
func prepareClient(cmd *cobra.Command, clientCtx client.Context) error {
	clientCtx = clientCtx.WithCmdContext(cmd.Context())
	clientCtx, err := client.ReadPersistentCommandFlags(clientCtx, cmd.Flags())
	if err != nil {
		return err
	}
	if clientCtx, err = clientconfig.ReadFromClientConfig(clientCtx); err != nil {
		return fmt.Errorf("read client.toml: %w", err)
	}
	return client.SetCmdClientContextHandler(clientCtx, cmd)
}

// settlementCmd needs nothing of a node's files: its flag --rpc would be taken for the
// section of config.toml.
func settlementCmd(clientCtx client.Context) *cobra.Command {
	cmd := relay.Command(app.ValidatorCodec())
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return prepareClient(cmd, clientCtx) }
	return cmd
}

// logOutput is where the log of a command goes. What start has to say is its log.
// Every other command may have an answer for a pipe, as export does, and the log of
// the application that it opens must not stand in it.
func logOutput(cmd *cobra.Command) io.Writer {
	if cmd.Name() == startName {
		return cmd.OutOrStdout()
	}
	return cmd.ErrOrStderr()
}

// startName is the command that runs a node.
const startName = "start"

func addCommands(root *cobra.Command, a *app.App) {
	home := app.DefaultHome
	mpcnode.AddCommands(root, home, newApp, exportApp, server.StartCmdOptions{})
	root.AddCommand(
		initCmd(a),
		genesisCmd(a),
		server.StatusCommand(),
		keys.Commands(),
		debug.Cmd(),
		pruning.Cmd(newApp, home),
		snapshot.Cmd(newApp),
		server.ModuleHashByHeightQuery(newApp),
		cli.Command(cli.PayloadCommand(a.MPC.PayloadKinds(), ethereumcli.Builders()...)),
		localnetCmd(),
	)
	version.AppName = app.Binary
}
