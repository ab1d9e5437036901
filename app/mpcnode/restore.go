package mpcnode

import (
	"errors"
	"fmt"
	"os"

	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// VaultRestored says what RestoreVault did.
type VaultRestored struct {
	storage.Restored
	// DatabaseMade and IdentityMade: there was none.
	DatabaseMade bool `json:"database_made"`
	IdentityMade bool `json:"identity_made"`
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

// RestoreVault puts back what a node lacks of a backup. What is there must open
// with the passphrase; what is not is made with it. An identity that is there
// stays, even if the backup has another one. Errors are those of storage.Open,
// storage.LoadIdentity and storage.DB.Restore.
func RestoreVault(paths Paths, passphrase []byte, saved *backup.Saved) (done VaultRestored, err error) {
	identity, err := HasIdentity(paths)
	if err != nil {
		return done, err
	}
	if identity {
		id, err := storage.LoadIdentity(paths.Identity, passphrase)
		if err != nil {
			return done, err
		}
		id.Wipe()
	}
	if err := os.MkdirAll(paths.Folder, 0o700); err != nil {
		return done, fmt.Errorf("make the MPC folder: %w", err)
	}
	db, made, err := openOrCreate(paths.Database, passphrase)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	done.DatabaseMade = made
	if done.Restored, err = db.Restore(saved.Contents); err != nil {
		return done, err
	}
	if identity {
		return done, nil
	}
	done.IdentityMade = true
	return done, storage.RestoreIdentity(paths.Identity, passphrase, saved.Seeds, storage.Options{})
}

func openOrCreate(dir string, passphrase []byte) (db *storage.DB, made bool, err error) {
	there, err := storage.Exists(dir)
	if err != nil {
		return nil, false, err
	}
	if there {
		db, err = storage.Open(dir, passphrase, storage.Options{})
		return db, false, err
	}
	db, err = storage.Create(dir, passphrase, storage.Options{})
	return db, true, err
}
