package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/server"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const flagNoMPC = "no-mpc"

// initHelp is what WithIdentity adds to the help of a command.
const initHelp = `

With the identity come an encrypted database and a first set of pre-parameters, made
on all cores. The passphrase protects identity and key shares and is needed at each
start. Without it they are lost. A node that only follows the chain needs neither:
--no-mpc.

--mpc-passphrase names the source of the passphrase, never the passphrase itself.
A passphrase file is there before init, lies below the home unless its path is
absolute, and only its owner can read it.`

// WithIdentity lets a chain's init command make the MPC identity of a validator too,
// with an encrypted database and a first set of pre-parameters; the flag --no-mpc
// leaves them out. The passphrase comes first: one that cannot be had, or that was typed
// wrong, must not leave half a node.
func WithIdentity(cmd *cobra.Command) *cobra.Command {
	stock := cmd.RunE
	cmd.Long += initHelp
	cmd.Flags().Bool(flagNoMPC, false, "make no MPC identity: the node follows the chain and passes MPC messages on")
	addPassphraseFlag(cmd, "written to app.toml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		noMPC, err := cmd.Flags().GetBool(flagNoMPC)
		if err != nil {
			return err
		}
		if noMPC {
			return stock(cmd, args)
		}
		if err := checkNoGenesis(cmd); err != nil {
			return err
		}
		identity, err := planIdentity(cmd)
		if err != nil {
			return withRemedy(err, mpcnode.ErrNoTerminal, "a node that only follows the chain needs no passphrase: --"+flagNoMPC)
		}
		defer identity.wipe()
		if err := stock(cmd, args); err != nil {
			return err
		}
		if err := identity.make(cmd); err != nil {
			if identity.there {
				return err
			}
			return fmt.Errorf(types.ForProgram("%w; everything but the MPC identity was made: go on with sequencerd mpc identity create"), err)
		}
		return nil
	}
	return cmd
}

// checkNoGenesis refuses what the SDK's init refuses, before anybody is asked for a
// passphrase: to make a genesis file where there is one, without --overwrite.
func checkNoGenesis(cmd *cobra.Command) error {
	overwrite := cmd.Flags().Lookup(genutilcli.FlagOverwrite)
	if overwrite == nil || overwrite.Value.String() == "true" {
		return nil
	}
	path := server.GetServerContextFromCmd(cmd).Config.GenesisFile()
	switch _, err := os.Stat(path); {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look for a genesis file: %w", err)
	}
	return fmt.Errorf(types.ForProgram("there is a genesis file already, %s: this is the home of a node; --%s makes another genesis, sequencerd mpc identity create only the MPC identity"),
		path, genutilcli.FlagOverwrite)
}
