package mpcnode

import (
	"errors"
	"fmt"
	"os"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// VaultRestored says what was put back.
type VaultRestored struct {
	storage.Restored
	// DatabaseMade and IdentityMade: there was none.
	DatabaseMade bool `json:"database_made"`
	IdentityMade bool `json:"identity_made"`
	// IdentityKeys counts the identity keys that were put back.
	IdentityKeys int `json:"identity_keys"`
	// OtherIdentity: there is one with keys that the backup does not have, and it
	// stayed as it was.
	OtherIdentity bool `json:"other_identity"`
	// IdentityOnly: nothing was put into the database.
	IdentityOnly bool `json:"identity_only,omitempty"`
}

// VaultIsEmpty reports whether a node has neither identity nor database.
func VaultIsEmpty(paths Paths) (bool, error) {
	identity, err := HasIdentity(paths)
	if err != nil {
		return false, err
	}
	database, err := storage.Exists(paths.Database)
	return !identity && !database, err
}

// RestoreVault puts back what a node lacks of a backup, which must be of this node and
// its chain. What is there must open with the passphrase; what is not is made with it.
// An identity that is there stays; of an older copy of the one in the backup the keys
// that it lacks are put back. Errors are ErrOtherChain, ErrOtherNode, those of
// storage.Open, storage.LoadIdentity and storage.DB.Restore.
func RestoreVault(paths Paths, passphrase []byte, saved *backup.Saved, from Origin) (done VaultRestored, err error) {
	owner, err := from.check(paths, saved)
	if err != nil {
		return done, err
	}
	if err := checkIdentityOpens(paths, passphrase); err != nil {
		return done, err
	}
	if err := os.MkdirAll(paths.Folder, 0o700); err != nil {
		return done, fmt.Errorf("make the MPC folder: %w", err)
	}
	if err := done.restoreDatabase(paths.Database, passphrase, saved, owner); err != nil {
		return done, err
	}
	err = done.restoreIdentity(paths, passphrase, saved)
	if errors.Is(err, storage.ErrIdentityExists) {
		done.OtherIdentity, err = true, nil
	}
	return done, err
}

// RestoreIdentityAlone puts back the identity of a backup and nothing else, whatever
// the database beside it has, which must open with the passphrase. Where there is none
// the node says so when it starts. Errors are ErrOtherChain, ErrOtherNode, those of
// storage.Open and storage.RestoreIdentity.
func RestoreIdentityAlone(paths Paths, passphrase []byte, saved *backup.Saved, from Origin) (done VaultRestored, err error) {
	done.IdentityOnly = true
	owner, err := from.check(paths, saved)
	if err != nil {
		return done, err
	}
	if err := checkIdentityOpens(paths, passphrase); err != nil {
		return done, err
	}
	err = checkDatabase(paths, passphrase, func(db *storage.DB) error { return sameOwner(db, owner) })
	if err != nil && !errors.Is(err, storage.ErrNoDatabase) {
		return done, err
	}
	if err := os.MkdirAll(paths.Folder, 0o700); err != nil {
		return done, fmt.Errorf("make the MPC folder: %w", err)
	}
	return done, done.restoreIdentity(paths, passphrase, saved)
}

func (r *VaultRestored) restoreIdentity(paths Paths, passphrase []byte, saved *backup.Saved) error {
	there, err := HasIdentity(paths)
	if err != nil {
		return err
	}
	r.IdentityKeys, err = storage.RestoreIdentity(paths.Identity, passphrase, saved.Seeds, storage.Options{})
	r.IdentityMade = err == nil && !there
	return err
}

// checkIdentityOpens: if there is an identity, it is one of this passphrase. What is
// made beside it has the same one, for a node is started with one.
func checkIdentityOpens(paths Paths, passphrase []byte) error {
	id, err := storage.LoadIdentity(paths.Identity, passphrase)
	if errors.Is(err, storage.ErrNoIdentity) {
		return nil
	}
	id.Wipe()
	return err
}

// checkDatabase: there is a database, it is whole, of this passphrase, and as wanted.
func checkDatabase(paths Paths, passphrase []byte, wanted func(*storage.DB) error) error {
	db, err := storage.Open(paths.Database, passphrase, storage.Options{})
	if err != nil {
		return err
	}
	return errors.Join(wanted(db), db.Close())
}

// restoreDatabase puts shares into the database. Where there is none, none is left if
// that fails: a node that starts with an empty one says on chain that its shares are lost.
func (r *VaultRestored) restoreDatabase(dir string, passphrase []byte, saved *backup.Saved, owner types.Operator) (err error) {
	there, err := storage.Exists(dir)
	if err != nil {
		return err
	}
	restore := func(db *storage.DB) error {
		if err := sameOwner(db, owner); err != nil {
			return err
		}
		r.Restored, err = db.Restore(saved.Contents)
		return err
	}
	var db *storage.DB
	if there {
		db, err = storage.Open(dir, passphrase, storage.Options{})
	} else {
		db, err = storage.CreateFilled(dir, passphrase, storage.Options{}, restore)
	}
	if err != nil {
		return err
	}
	if there {
		err = restore(db)
	}
	r.DatabaseMade = !there
	return errors.Join(err, db.Close())
}
