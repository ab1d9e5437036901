package mpcnode

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// Errors of a node whose MPC folder is not whole. Such a node follows the chain.
var (
	// ErrNoIdentity: there is a database, but the identity is gone.
	ErrNoIdentity = fmt.Errorf("%w: there is an MPC database but no identity file; %s", types.ErrIdentityLost, types.ErrIdentityLost.Remedy())
	// ErrNoDatabase: there is an identity, but the database is gone.
	ErrNoDatabase = fmt.Errorf("%w: there is an MPC identity but no database; %s", types.ErrDatabaseLost, types.ErrDatabaseLost.Remedy())
)

// ErrPassphrasesDiffer says that the passphrase is that of the identity, and not of the
// database beside it.
var ErrPassphrasesDiffer = errors.New(types.ForProgram("identity and database have different passphrases, as where a copy of the database from before a change of the passphrase was put back; give the database that of the identity: sequencerd mpc passphrase change --mpc-passphrase prompt --new-mpc-passphrase SOURCE, where SOURCE has that of the identity and the prompt asks for that of the database"))

// Vault is what a node keeps secret: its identity keys and the database of key
// shares. That of a node without an identity is empty.
type Vault struct {
	identity storage.Identity
	keys     []ed25519.PrivateKey
	db       *storage.DB
	// public are the identity's keys, also where nothing was opened.
	public []ed25519.PublicKey
	// lost is why a node that should take part has nothing to work with; lostKeys are its
	// identity keys, if they could be opened.
	lost     error
	lostKeys []ed25519.PrivateKey
}

// OpenVault opens identity and database with the passphrase that the
// configuration names. A node without an identity, or with MPC switched off,
// needs no passphrase and gets an empty vault. So does one whose database or identity
// is gone, or damaged, which Lost then says: it can still follow the chain, and nothing
// is made or changed in the place of what is there. A passphrase that is wrong, or that
// cannot be had, is an error where there is a database.
func OpenVault(cfg Config, home string) (*Vault, error) {
	paths := cfg.PathsOf(home)
	if !cfg.Enabled {
		return &Vault{}, nil
	}
	whole, err := CheckWhole(paths)
	if errors.Is(err, ErrNoIdentity) {
		return lostVault(paths, err, nil, nil), nil
	}
	if errors.Is(err, ErrNoDatabase) {
		passphrase, unread := ReadPassphrase(cfg, home)
		defer types.Wipe(passphrase)
		return lostVault(paths, err, passphrase, unread), nil
	}
	if err != nil || !whole {
		return &Vault{}, err
	}
	passphrase, err := ReadPassphrase(cfg, home)
	if err != nil {
		return nil, err
	}
	defer types.Wipe(passphrase)
	v, err := openVault(paths, passphrase)
	if reason := DamageOf(err); reason != "" {
		return lostVault(paths, fmt.Errorf("%w: %w", reason, err), passphrase, nil), nil
	}
	return v, err
}

// DamageOf is the reason for an error that says that what is on disk is not what was
// written; empty for any other.
func DamageOf(err error) types.Reason {
	among := func(kinds ...storage.Error) bool {
		return slices.ContainsFunc(kinds, func(k storage.Error) bool { return errors.Is(err, k) })
	}
	switch {
	case among(storage.ErrHeaderDamaged, storage.ErrEntryDamaged, storage.ErrFilesDamaged, storage.ErrEntriesMissing):
		return types.ErrDatabaseDamaged
	case among(storage.ErrIdentityDamaged, storage.ErrIdentityMismatch):
		return types.ErrIdentityLost
	}
	return ""
}

// lostVault is that of a node without its database or its identity. Of an identity
// file that is damaged too nobody knows whose it is. One that is whole is opened, if the
// passphrase could be read: it can still say that the shares are missing.
func lostVault(paths Paths, lost error, passphrase []byte, unread error) *Vault {
	v := &Vault{lost: lost}
	if errors.Is(lost, types.ErrIdentityLost) {
		v.public, _ = storage.ReadIdentityPublic(paths.Identity) // what is wrong was said already
		return v
	}
	var err error
	if v.public, err = storage.ReadIdentityPublic(paths.Identity); err == nil {
		err = unread
	}
	if err == nil {
		v.identity, err = storage.LoadIdentity(paths.Identity, passphrase)
	}
	if err != nil {
		v.lost = errors.Join(lost, fmt.Errorf("nor can it say on chain that its shares are missing: %w", err))
		return v
	}
	v.lostKeys = v.identity.PrivateKeys()
	return v
}

// OpenVaultWith opens identity and database with this passphrase. Errors:
// ErrNoIdentity, ErrNoDatabase, those of storage.LoadIdentity and storage.Open.
func OpenVaultWith(paths Paths, passphrase []byte) (*Vault, error) {
	whole, err := CheckWhole(paths)
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

// CheckWhole reports whether there are identity and database; ErrNoIdentity or
// ErrNoDatabase if there is one of them alone.
func CheckWhole(paths Paths) (bool, error) {
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
	v := &Vault{identity: identity, public: identity.PublicKeys(), keys: identity.PrivateKeys()}
	if v.db, err = storage.Open(paths.Database, passphrase, storage.Options{}); err != nil {
		if errors.Is(err, storage.ErrWrongPassphrase) {
			err = fmt.Errorf("%w: %w", ErrPassphrasesDiffer, err)
		}
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

// CreateIdentityBeside makes a new identity beside a database whose identity is gone.
// The database must open with the passphrase, and stays as it is: shares belong to the
// operator, whichever identity speaks for it. Errors: those of storage.Open and
// storage.CreateIdentity.
func CreateIdentityBeside(paths Paths, passphrase []byte) (ed25519.PublicKey, error) {
	if err := checkDatabase(paths, passphrase, func(*storage.DB) error { return nil }); err != nil {
		return nil, err
	}
	return storage.CreateIdentity(paths.Identity, passphrase, storage.Options{})
}

// CreateDatabaseBeside makes an empty database beside an identity whose database is
// lost for good. The identity must open with the passphrase. Errors: those of
// storage.LoadIdentity and storage.Create.
//
// The identity goes on with a database that has no bindings: package backup says why
// those that are lost are not needed.
func CreateDatabaseBeside(paths Paths, passphrase []byte) error {
	id, err := storage.LoadIdentity(paths.Identity, passphrase)
	if err != nil {
		return err
	}
	id.Wipe()
	db, err := storage.Create(paths.Database, passphrase, storage.Options{})
	if err != nil {
		return err
	}
	return db.Close()
}

// Present reports whether the node has an identity.
func (v *Vault) Present() bool { return v.db != nil }

// Keys are the identity keys, the newest last. They are wiped by Close.
func (v *Vault) Keys() []ed25519.PrivateKey { return v.keys }

// PublicKeys are those of the identity, the newest last, in a vault that lost its
// database too.
func (v *Vault) PublicKeys() []ed25519.PublicKey { return v.public }

// LostKeys are the identity keys of a vault that lost its database, the newest last;
// none if the identity does not open. They say that its shares are missing, and sign
// nothing else. They are wiped by Close.
func (v *Vault) LostKeys() []ed25519.PrivateKey { return v.lostKeys }

// Lost is why a node that should take part takes none, with its typed reason; nil
// if all is well.
func (v *Vault) Lost() error { return v.lost }

// Database is the open database; nil if the vault is empty.
func (v *Vault) Database() *storage.DB { return v.db }

// Close wipes the keys and closes the database.
func (v *Vault) Close() error {
	v.identity.Wipe()
	v.keys, v.lostKeys = nil, nil
	if v.db == nil {
		return nil
	}
	err := v.db.Close()
	v.db = nil
	return err
}
