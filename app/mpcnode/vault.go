package mpcnode

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// Errors of a node whose MPC folder is not whole.
var (
	// ErrNoIdentity: there is a database, but the identity is gone.
	ErrNoIdentity = errors.New(types.ForProgram("there is an MPC database but no identity file; restore it from a backup (sequencerd mpc backup restore), or move the database away to run without an identity"))
	// ErrNoDatabase: there is an identity, but the database is gone.
	ErrNoDatabase = fmt.Errorf("%w: there is an MPC identity but no database; %s", types.ErrDatabaseLost, types.ErrDatabaseLost.Remedy())
)

// Vault is what a node keeps secret: its identity keys and the database of key
// shares. That of a node without an identity is empty.
type Vault struct {
	identity storage.Identity
	keys     []ed25519.PrivateKey
	db       *storage.DB
	// public are the identity's keys, also where nothing was opened.
	public []ed25519.PublicKey
	// lost is why a node with an identity has nothing to work with.
	lost error
}

// OpenVault opens identity and database with the passphrase that the
// configuration names. A node without an identity, or with MPC switched off,
// needs no passphrase and gets an empty vault. So does one that lost its database,
// which Lost then says: it can still follow the chain.
func OpenVault(cfg Config, home string) (*Vault, error) {
	paths := cfg.PathsOf(home)
	if !cfg.Enabled {
		return &Vault{}, nil
	}
	whole, err := checkWhole(paths)
	if errors.Is(err, ErrNoDatabase) {
		return lostVault(paths, err), nil
	}
	if err != nil || !whole {
		return &Vault{}, err
	}
	passphrase, err := ReadPassphrase(cfg, home)
	if err != nil {
		return nil, err
	}
	defer types.Wipe(passphrase)
	return openVault(paths, passphrase)
}

// lostVault is that of a node without its database. Its identity file may be damaged
// too, and then nobody knows whose it is.
func lostVault(paths Paths, lost error) *Vault {
	public, err := storage.ReadIdentityPublic(paths.Identity)
	return &Vault{lost: errors.Join(lost, err), public: public}
}

// OpenVaultWith opens identity and database with this passphrase. Errors:
// ErrNoIdentity, ErrNoDatabase, those of storage.LoadIdentity and storage.Open.
func OpenVaultWith(paths Paths, passphrase []byte) (*Vault, error) {
	whole, err := checkWhole(paths)
	if err != nil {
		return nil, err
	}
	if !whole {
		return nil, fmt.Errorf("%w (%s)", storage.ErrNoIdentity, paths.Identity)
	}
	return openVault(paths, passphrase)
}

// ReadPassphrase gets the passphrase of a node's MPC folder from where the
// configuration says. The caller wipes it.
func ReadPassphrase(cfg Config, home string) ([]byte, error) {
	source, err := ParsePassphraseSource(cfg.Passphrase)
	if err != nil {
		return nil, err
	}
	return source.Read(home, "the MPC folder "+cfg.PathsOf(home).Folder)
}

// checkWhole reports whether there are identity and database, and an error if
// there is one of them alone.
func checkWhole(paths Paths) (bool, error) {
	identity, err := HasIdentity(paths)
	if err != nil {
		return false, err
	}
	database, err := storage.Exists(paths.Database)
	switch {
	case err != nil:
		return false, err
	case identity && !database:
		return false, fmt.Errorf("%w (%s)", ErrNoDatabase, paths.Database)
	case database && !identity:
		return false, fmt.Errorf("%w (%s)", ErrNoIdentity, paths.Identity)
	}
	return identity, nil
}

// HasIdentity reports whether a node has an identity file.
func HasIdentity(paths Paths) (bool, error) {
	_, err := os.Lstat(paths.Identity)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	}
	return false, fmt.Errorf("look for the MPC identity: %w", err)
}

func openVault(paths Paths, passphrase []byte) (*Vault, error) {
	identity, err := storage.LoadIdentity(paths.Identity, passphrase)
	if err != nil {
		return nil, err
	}
	v := &Vault{identity: identity, public: identity.PublicKeys()}
	for _, public := range identity.PublicKeys() {
		key, _ := identity.Key(public) // its own public key
		v.keys = append(v.keys, key)
	}
	if v.db, err = storage.Open(paths.Database, passphrase, storage.Options{}); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	// Both opened with it: if it was being changed, this is the one that stays.
	if err := v.db.SettlePassphrase(); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// CreateVault makes an identity and an empty database where there are neither,
// and opens them.
func CreateVault(cfg Config, home string, passphrase []byte) (*Vault, error) {
	paths := cfg.PathsOf(home)
	if err := os.MkdirAll(paths.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the MPC folder: %w", err)
	}
	// The database first: a crash in between leaves a folder that the next try
	// reports, and no identity that could be registered without a database.
	db, err := storage.Create(paths.Database, passphrase, storage.Options{})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	if _, err := storage.CreateIdentity(paths.Identity, passphrase, storage.Options{}); err != nil {
		return nil, err
	}
	return openVault(paths, passphrase)
}

// Present reports whether the node has an identity.
func (v *Vault) Present() bool { return v.db != nil }

// Keys are the identity keys, the newest last. They are wiped by Close.
func (v *Vault) Keys() []ed25519.PrivateKey { return v.keys }

// PublicKeys are those of the identity, the newest last, in a vault that lost its
// database too.
func (v *Vault) PublicKeys() []ed25519.PublicKey { return v.public }

// Lost is why a node that has an identity takes no part, with its typed reason; nil
// if all is well.
func (v *Vault) Lost() error { return v.lost }

// Database is the open database; nil if the vault is empty.
func (v *Vault) Database() *storage.DB { return v.db }

// Close wipes the keys and closes the database.
func (v *Vault) Close() error {
	v.identity.Wipe()
	v.keys = nil
	if v.db == nil {
		return nil
	}
	err := v.db.Close()
	v.db = nil
	return err
}
