package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/server"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app"
)

const flagNoMPC = "no-mpc"

// initCmd is the SDK's init, with this chain's consensus parameters and an MPC
// identity.
func initCmd(a *app.App) *cobra.Command {
	cmd := genutilcli.InitCmd(a.Basics(), app.DefaultHome)
	stock := cmd.RunE
	cmd.Short = "Make the files of a new node: keys, genesis, configuration, MPC identity"
	cmd.Long = `Makes the files of a new node in its home: the keys of CometBFT, a genesis file
without accounts, config.toml, app.toml, client.toml, and for validators the MPC
identity with an encrypted database and a first set of pre-parameters, made on
all cores.

The passphrase protects identity and key shares and is needed at each start.
Without it they are lost. A node that only follows the chain needs neither:
--no-mpc.

--mpc-passphrase names the source of the passphrase, never the passphrase itself.
A passphrase file is there before init, lies below the home unless its path is
absolute, and only its owner can read it.`
	cmd.Example = `  sequencerd init alice --chain-id seq-1

  # with a passphrase file; keep a copy of it elsewhere
  mkdir -p ~/.sequencerd/config
  (umask 077; head -c 32 /dev/urandom | base64 > ~/.sequencerd/config/mpc.pass)
  sequencerd init alice --chain-id seq-1 --mpc-passphrase file:config/mpc.pass

  # a node that only follows the chain
  sequencerd init sentry --chain-id seq-1 --no-mpc`
	cmd.Flags().Bool(flagNoMPC, false, "make no MPC identity: the node follows the chain and passes MPC messages on")
	addPassphraseFlag(cmd, "written to app.toml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		noMPC, err := cmd.Flags().GetBool(flagNoMPC)
		if err != nil {
			return err
		}
		if noMPC {
			return initFiles(cmd, args, stock)
		}
		// The passphrase first: one that cannot be had, or that was typed wrong, must
		// not leave half a node.
		identity, err := planIdentity(cmd)
		if err != nil {
			return err
		}
		defer identity.wipe()
		if err := initFiles(cmd, args, stock); err != nil {
			return err
		}
		if err := identity.make(cmd); err != nil {
			return fmt.Errorf("%w; everything but the MPC identity was made: go on with sequencerd mpc identity create", err)
		}
		return nil
	}
	return cmd
}

// initFiles makes the files that all nodes have.
func initFiles(cmd *cobra.Command, args []string, stock func(*cobra.Command, []string) error) error {
	if err := stock(cmd, args); err != nil {
		return err
	}
	return setConsensusParams(server.GetServerContextFromCmd(cmd).Config.GenesisFile())
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
