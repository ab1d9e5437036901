package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// flagSharesLost says that the operator knows what an empty database means.
const flagSharesLost = "shares-are-lost"

func databaseCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "database", Short: "The encrypted database of this node's key shares", RunE: client.ValidateCmd,
	}
	cmd.AddCommand(databaseCreateCmd())
	return cmd
}

func databaseCreateCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an empty database for the identity of a node that lost its own for good",
		Long: `Makes an empty database beside the identity of this node, whose database is lost
and in no backup. Stop the node first. The identity stays, and with it what the chain
knows of this node: nothing is registered anew.

If there is a backup, restore it instead: sequencerd mpc backup restore. A database
that is damaged is not lost; move its folder away and keep it.

The shares that the database had are gone. When the node runs again it says on chain,
within some minutes, of which keys it has none, where "query mpc key" shows it and
auto_reshare acts on it; keys are signed for by the others meanwhile. To get shares
again, let the owners of the keys refresh them, which keeps their participants and
thresholds:

  sequencerd query mpc keys --status ready
  sequencerd tx mpc refresh RESHARE KEY --from OWNER --gas auto --gas-adjustment 1.5

The key of a module is refreshed by a proposal that passes:

  sequencerd tx mpc refresh-proposal --help`,
		Args: cobra.NoArgs,
		RunE: createDatabase,
	}
	addPassphraseFlag(cmd, "of the identity, "+forThisCommand)
	cmd.Flags().Bool(flagSharesLost, false, "needed: the shares are in no backup and no other copy of the folder")
	return cmd
}

func createDatabase(cmd *cobra.Command, _ []string) error {
	f, err := filesOf(cmd)
	if err != nil {
		return err
	}
	if err := f.needIdentity(); err != nil {
		return err
	}
	lost, err := cmd.Flags().GetBool(flagSharesLost)
	if err != nil {
		return err
	}
	if !lost {
		return fmt.Errorf(types.ForProgram("an empty database has no shares; if those of this node are in a backup restore it: sequencerd mpc backup restore, and only if they are lost for good give --%s"), flagSharesLost)
	}
	passphrase, err := f.readPassphrase()
	if err != nil {
		return err
	}
	defer types.Wipe(passphrase)
	if err := mpcnode.CreateDatabaseBeside(f.paths, passphrase); err != nil {
		return err
	}
	f.record(cmd, mpcnode.Operation{Event: audit.DatabaseMade, Note: "empty: the shares before are lost"})
	cmd.Print(types.ForProgram("made an empty database; the identity was kept\nnow start the node, then have the keys refreshed of which it has no share: sequencerd mpc keys, sequencerd tx mpc refresh\n"))
	return nil
}

// record writes an operation into the audit log. What was done is done: a log that
// cannot be written is told of.
func (f nodeFiles) record(cmd *cobra.Command, o mpcnode.Operation) {
	if err := mpcnode.Record(cmd.Context(), f.paths, o); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "the audit log has no line of this: %v\n", err)
	}
}
