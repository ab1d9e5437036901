package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

const (
	// flagNewPassphrase names the source of a passphrase that is to be set.
	flagNewPassphrase = "new-mpc-passphrase"
	// flagWriteSource writes that source into app.toml.
	flagWriteSource = "write-source"
)

func passphraseCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "passphrase", Short: "The passphrase of this node's MPC folder", RunE: client.ValidateCmd,
	}
	cmd.AddCommand(passphraseChangeCmd())
	return cmd
}

func passphraseChangeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "change",
		Short: "Give identity and database another passphrase",
		Long: `Gives identity and database of this node another passphrase. Stop the node first.

Only the wrapping of the keys changes, so it takes a moment whatever the database
holds. A crash in the middle leaves one of the two passphrases that opens
everything: call it again, with the same two.

If only one of the two has the old passphrase, and the other the new one already, as where
a copy of the database from before an earlier change was put back, that one gets it too.

Copies of the MPC folder that were made before open with the old passphrase as
ever, and backups with what they were made for.`,
		Args: cobra.NoArgs,
		RunE: changePassphrase,
	}
	addPassphraseFlag(cmd, "of the old passphrase, "+forThisCommand)
	cmd.Flags().String(flagNewPassphrase, "prompt", "source of the new passphrase, not the passphrase: prompt, file:PATH, env:NAME or credential:NAME")
	cmd.Flags().Bool(flagWriteSource, false, "write the source of the new passphrase into app.toml, for start to find it")
	return cmd
}

func changePassphrase(cmd *cobra.Command, _ []string) error {
	f, err := filesOf(cmd)
	if err != nil {
		return err
	}
	if err := f.needWhole(); err != nil {
		return err
	}
	next, err := passphraseSource(cmd, flagNewPassphrase)
	if err != nil {
		return err
	}
	stored, err := mpcnode.StoredPassphraseSource(f.appToml())
	if err != nil {
		return err
	}
	if err := rewrap(f, next); err != nil {
		return err
	}
	f.record(cmd, mpcnode.Operation{Event: audit.PassphraseChanged, Note: "identity and database have another one"})
	write, err := cmd.Flags().GetBool(flagWriteSource)
	if err != nil {
		return err
	}
	cmd.Printf("identity and database have the new passphrase\n")
	switch {
	case next.String() == stored:
		return nil
	case write:
		return mpcnode.StorePassphraseSource(f.appToml(), next.String())
	case stored != "prompt":
		cmd.Printf("before the node starts again: put the new passphrase where app.toml says it is (%s), or name another source there\n", stored)
	}
	return nil
}

// rewrap reads both passphrases and makes the change.
func rewrap(f nodeFiles, next mpcnode.PassphraseSource) error {
	what := "the MPC folder " + f.paths.Folder
	old, err := f.readPassphrase()
	if err != nil {
		return err
	}
	defer types.Wipe(old)
	fresh, err := next.ReadNew(f.home, what+", the new one")
	if err != nil {
		return fmt.Errorf("--%s: %w", flagNewPassphrase, err)
	}
	defer types.Wipe(fresh)
	return storage.ChangePassphrase(f.paths.Identity, f.paths.Database, old, fresh, storage.Options{})
}

// passphraseSource is the source that a flag names.
func passphraseSource(cmd *cobra.Command, flag string) (mpcnode.PassphraseSource, error) {
	text, err := cmd.Flags().GetString(flag)
	if err != nil {
		return mpcnode.PassphraseSource{}, err
	}
	source, err := mpcnode.ParsePassphraseSource(text)
	if err != nil {
		return mpcnode.PassphraseSource{}, fmt.Errorf("--%s: %w", flag, err)
	}
	return source, nil
}
