package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/grpc/cmtservice"
	nodeservice "github.com/cosmos/cosmos-sdk/client/grpc/node"
	"github.com/cosmos/cosmos-sdk/client/rpc"
	"github.com/cosmos/cosmos-sdk/server"
	authcmd "github.com/cosmos/cosmos-sdk/x/auth/client/cli"
	authzcli "github.com/cosmos/cosmos-sdk/x/authz/client/cli"
	bankcli "github.com/cosmos/cosmos-sdk/x/bank/client/cli"
	distrcli "github.com/cosmos/cosmos-sdk/x/distribution/client/cli"
	stakingcli "github.com/cosmos/cosmos-sdk/x/staking/client/cli"

	"github.com/sequencer-mpc/sequencer/app"
)

// addModuleCommands adds "query" and "tx" with everything that the modules and
// the node offer.
func addModuleCommands(root *cobra.Command, a *app.App, clientCtx client.Context) error {
	root.AddCommand(queryCmd(), txCmd())
	auto := a.AutoCLI()
	auto.ClientCtx = clientCtx
	comet := cmtservice.NewCometBFTCommands()
	auto.ModuleOptions[comet.Name()] = comet.AutoCLIOptions()
	nodeCommands := nodeservice.NewNodeCommands()
	auto.ModuleOptions[nodeCommands.Name()] = nodeCommands.AutoCLIOptions()
	if err := auto.EnhanceRootCommand(root); err != nil {
		return fmt.Errorf("add the modules' commands: %w", err)
	}
	return nil
}

func queryCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "query", Aliases: []string{"q"}, Short: "Ask a node about the chain",
		SuggestionsMinimumDistance: 2, RunE: client.ValidateCmd,
	}
	cmd.AddCommand(
		rpc.QueryEventForTxCmd(), rpc.ValidatorCommand(), rpc.WaitTxCmd(),
		server.QueryBlockCmd(), server.QueryBlocksCmd(), server.QueryBlockResultsCmd(),
		authcmd.QueryTxsByEventsCmd(), authcmd.QueryTxCmd(),
	)
	cmd.PersistentFlags().String(flags.FlagChainID, "", "The network chain ID")
	return cmd
}

func txCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "tx", Short: "Make, sign and send transactions",
		SuggestionsMinimumDistance: 2, RunE: client.ValidateCmd,
	}
	cmd.AddCommand(
		authcmd.GetSignCommand(), authcmd.GetSignBatchCommand(), authcmd.GetMultiSignCommand(),
		authcmd.GetMultiSignBatchCmd(), authcmd.GetValidateSignaturesCommand(), authcmd.GetBroadcastCommand(),
		authcmd.GetEncodeCommand(), authcmd.GetDecodeCommand(), authcmd.GetSimulateCmd(),
		authzcli.GetTxCmd(app.AccountCodec()),
		bankcli.NewTxCmd(app.AccountCodec()),
		distrcli.NewTxCmd(app.ValidatorCodec(), app.AccountCodec()),
		stakingcli.NewTxCmd(app.ValidatorCodec(), app.AccountCodec()),
	)
	cmd.PersistentFlags().String(flags.FlagChainID, "", "The network chain ID")
	return cmd
}
