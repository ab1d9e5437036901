package main

import (
	"errors"
	"fmt"
	"os"

	cmtcfg "github.com/cometbft/cometbft/config"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cobra"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client"
	clientconfig "github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/client/keys"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	authcmd "github.com/cosmos/cosmos-sdk/x/auth/client/cli"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/cli"

	"example.com/chain/app"
)

// envPrefix begins the environment variables that stand for flags.
const envPrefix = "EXAMPLED"

// newRoot makes the command tree.
func newRoot() *cobra.Command {
	tool := app.New(log.NewNopLogger(), dbm.NewMemDB())
	clientCtx := client.Context{}.
		WithCodec(tool.Codec).WithInterfaceRegistry(tool.InterfaceRegistry).WithTxConfig(tool.TxConfig).WithLegacyAmino(tool.Amino).
		WithInput(os.Stdin).WithAccountRetriever(authtypes.AccountRetriever{}).
		WithHomeDir(app.DefaultHome).WithViper(envPrefix)
	root := &cobra.Command{
		Use: "exampled", Short: "Node of the example chain", SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return prepare(cmd, clientCtx) },
	}
	mpcnode.AddCommands(root, app.DefaultHome, newApp, exportApp, server.StartCmdOptions{})
	root.AddCommand(
		cli.WithIdentity(genutilcli.InitCmd(tool.Basics, app.DefaultHome)),
		cli.Command(),
		genutilcli.Commands(tool.TxConfig, tool.Basics, app.DefaultHome),
		server.StatusCommand(), keys.Commands(), queryCmd(), txCmd(),
	)
	auto := tool.AutoCLI()
	auto.ClientCtx = clientCtx
	if err := auto.EnhanceRootCommand(root); err != nil {
		panic(fmt.Errorf("add the modules' commands: %w", err))
	}
	return root
}

// prepare reads client.toml, config.toml and app.toml, and writes those that are
// missing.
func prepare(cmd *cobra.Command, clientCtx client.Context) error {
	cmd.SetOut(cmd.OutOrStdout())
	clientCtx, err := client.ReadPersistentCommandFlags(clientCtx.WithCmdContext(cmd.Context()), cmd.Flags())
	if err != nil {
		return err
	}
	if clientCtx, err = clientconfig.ReadFromClientConfig(clientCtx); err != nil {
		return err
	}
	if err := client.SetCmdClientContextHandler(clientCtx, cmd); err != nil {
		return err
	}
	svrCtx, err := server.InterceptConfigsAndCreateContext(cmd, mpcnode.Template, mpcnode.DefaultAppConfig(app.MinGasPrice), cmtcfg.DefaultConfig())
	if err != nil {
		return err
	}
	if svrCtx.Logger, err = server.CreateSDKLogger(svrCtx, cmd.OutOrStdout()); err != nil {
		return err
	}
	return server.SetCmdServerContext(cmd, svrCtx)
}

func newApp(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
	return app.New(logger, db, server.DefaultBaseappOptions(opts)...)
}

func exportApp(log.Logger, dbm.DB, int64, bool, []string, servertypes.AppOptions, []string) (servertypes.ExportedApp, error) {
	return servertypes.ExportedApp{}, errors.New("the example chain does not export its state")
}

func queryCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "query", Aliases: []string{"q"}, Short: "Ask a node about the chain", RunE: client.ValidateCmd}
	cmd.AddCommand(authcmd.QueryTxCmd(), server.QueryBlockCmd(), checkpointCmd())
	return cmd
}

func txCmd() *cobra.Command {
	return &cobra.Command{Use: "tx", Short: "Make, sign and send transactions", RunE: client.ValidateCmd}
}
