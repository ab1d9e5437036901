package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/cli"
)

// initCmd is the SDK's init, with this chain's consensus parameters, the chain's id in
// client.toml and an MPC identity.
func initCmd(a *app.App) *cobra.Command {
	cmd := genutilcli.InitCmd(a.Basics(), app.DefaultHome)
	stock := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := stock(cmd, args); err != nil {
			return err
		}
		if err := setConsensusParams(server.GetServerContextFromCmd(cmd).Config.GenesisFile()); err != nil {
			return err
		}
		chainID, err := cmd.Flags().GetString(flags.FlagChainID)
		if err != nil || chainID == "" {
			return err
		}
		return setClientChain(client.GetClientContextFromCmd(cmd).HomeDir, chainID)
	}
	cmd.Short = "Make the files of a new node: keys, genesis, configuration, MPC identity"
	cmd.Long = `Makes the files of a new node in its home: the keys of CometBFT, a genesis file
without accounts, config.toml, app.toml, client.toml, and for validators the MPC
identity.`
	cmd.Example = `  sequencerd init alice --chain-id seq-1

  # with a passphrase file; keep a copy of it elsewhere
  mkdir -p ~/.sequencerd/config
  (umask 077; head -c 32 /dev/urandom | base64 > ~/.sequencerd/config/mpc.pass)
  sequencerd init alice --chain-id seq-1 --mpc-passphrase file:config/mpc.pass

  # a node that only follows the chain
  sequencerd init sentry --chain-id seq-1 --no-mpc`
	return cli.WithIdentity(cmd)
}

// setConsensusParams replaces CometBFT's defaults in a genesis file by ours, all
// but the kind of consensus keys, which is a flag.
func setConsensusParams(path string) error {
	genesis, err := genutiltypes.AppGenesisFromFile(path)
	if err != nil {
		return fmt.Errorf("read the genesis file: %w", err)
	}
	params := app.ConsensusParams()
	params.Validator = genesis.Consensus.Params.Validator
	genesis.Consensus.Params = params
	if err := genesis.SaveAs(path); err != nil {
		return fmt.Errorf("write the genesis file: %w", err)
	}
	return nil
}
