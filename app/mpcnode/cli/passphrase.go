package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/storage"
)

// flagPassphrase names a source of the passphrase, see filesOf.
const flagPassphrase = "mpc-passphrase"

// addPassphraseFlag lets a command take the passphrase from another source than
// app.toml names. use says what becomes of the source.
func addPassphraseFlag(cmd *cobra.Command, use string) {
	cmd.Flags().String(flagPassphrase, "", "source of the passphrase, not the passphrase: prompt, file:PATH, env:NAME or credential:NAME; "+use+" (default: the source that app.toml names)")
}

// forThisCommand is the use of a source that is not written down.
const forThisCommand = "for this command only"

// readPassphrase gets the passphrase of what the node has already. The caller
// wipes it. A source may exist for the node alone, as systemd's credentials do.
func (f nodeFiles) readPassphrase() ([]byte, error) {
	passphrase, err := mpcnode.ReadPassphrase(f.cfg, f.home)
	if err != nil {
		return nil, fmt.Errorf("%w; another source for this command: --%s prompt, or file:PATH, env:NAME", err, flagPassphrase)
	}
	return passphrase, nil
}

// needIdentity is an error on a node without an identity, which must not be asked
// for a passphrase that it does not have.
func (f nodeFiles) needIdentity() error {
	if err := f.needWhole(); !errors.Is(err, mpcnode.ErrNoDatabase) {
		return err
	}
	return nil
}

// needWhole is an error on a node without identity or database. One that has lost one of them
// is not told to make anything anew: a backup may have it.
func (f nodeFiles) needWhole() error {
	whole, err := mpcnode.CheckWhole(f.paths)
	if err == nil && !whole {
		err = fmt.Errorf("%w (%s)", storage.ErrNoIdentity, f.paths.Identity)
	}
	return err
}
