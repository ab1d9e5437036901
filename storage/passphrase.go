package storage

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// ChangePassphrase makes next the passphrase of an identity file and the
// database of the same node, in place of old. Nothing but the wrapping of the
// data key and the sealing of the identity changes, and afterwards no file holds
// the old wrapping. A crash at any point leaves one of the two passphrases that
// opens both; calling it again then, with the same two, finishes the change.
// What was done already is no error.
//
// Errors are those of Open and LoadIdentity, ErrInUse while a node runs above
// all; ErrEmptyPassphrase, ErrSamePassphrase.
func ChangePassphrase(identity, dir string, old, next []byte, opts Options) (err error) {
	switch {
	case len(old) == 0 || len(next) == 0:
		return ErrEmptyPassphrase
	case bytes.Equal(old, next):
		return ErrSamePassphrase
	}
	db, err := Open(dir, old, opts)
	if errors.Is(err, ErrWrongPassphrase) {
		return confirmPassphrase(identity, dir, next, opts)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.changePassphrase(identity, old, next, opts)
}

// confirmPassphrase is all there is to do when the change was made already.
func confirmPassphrase(identity, dir string, passphrase []byte, opts Options) error {
	db, err := Open(dir, passphrase, opts)
	if err != nil {
		return err
	}
	id, err := LoadIdentity(identity, passphrase)
	if err == nil {
		id.Wipe()
		err = db.SettlePassphrase()
	}
	return errors.Join(err, db.Close())
}

// changePassphrase takes three steps: the database opens with either
// passphrase, the identity goes over to the new one at once, the database
// forgets the old one. So at each moment the database opens with what opens the
// identity, and the second step decides.
func (db *DB) changePassphrase(identity string, old, next []byte, opts Options) error {
	id, err := LoadIdentity(identity, old)
	if errors.Is(err, ErrWrongPassphrase) {
		return db.finishChange(identity, next)
	}
	if err != nil {
		return err
	}
	defer id.Wipe()
	if err := db.SettlePassphrase(); err != nil { // an earlier change, to something else
		return err
	}
	file, err := sealIdentity(id, next, opts.kdf(), opts.rand())
	if err != nil {
		return fmt.Errorf("change passphrase: %w", err)
	}
	if err := db.addHeader(old, next, opts); err != nil {
		return fmt.Errorf("change passphrase: %w", err)
	}
	if err := replace(identity, file.encode()); err != nil {
		return fmt.Errorf("change passphrase: %w", err)
	}
	if err := db.keepHeader(nextHeaderKey); err != nil {
		return fmt.Errorf("change passphrase: %w", err)
	}
	return nil
}

// finishChange does the last step of a change that was interrupted after the
// second: the identity has the new passphrase, the database both.
func (db *DB) finishChange(identity string, next []byte) error {
	id, err := LoadIdentity(identity, next)
	if err != nil {
		return err
	}
	id.Wipe()
	key, err := db.headerOf(next)
	if err != nil {
		return err
	}
	if err := db.keepHeader(key); err != nil {
		return fmt.Errorf("change passphrase: %w", err)
	}
	return nil
}

// headerOf finds the header that a passphrase opens.
func (db *DB) headerOf(passphrase []byte) (key []byte, err error) {
	err = db.read(func() error {
		for _, key = range [][]byte{nextHeaderKey, headerKey} {
			head, there, err := db.header(key)
			if err != nil {
				return err
			}
			if !there {
				continue
			}
			dataKey, err := head.unwrap(passphrase)
			types.Wipe(dataKey)
			if !errors.Is(err, ErrWrongPassphrase) {
				return err
			}
		}
		return fmt.Errorf("the identity has another passphrase than the database: %w", ErrWrongPassphrase)
	})
	return key, err
}

// addHeader lets the database open with another passphrase as well.
func (db *DB) addHeader(old, next []byte, opts Options) error {
	return db.write(func(c *change) error {
		head, _, err := db.header(headerKey)
		if err != nil {
			return err
		}
		dataKey, err := head.unwrap(old)
		if err != nil {
			return err
		}
		defer types.Wipe(dataKey)
		fresh, err := randomBytes(opts.rand(), freshBytes)
		if err != nil {
			return err
		}
		head, err = wrapKey(dataKey, next, opts.kdf(), fresh)
		if err != nil {
			return err
		}
		return c.put(nextHeaderKey, head.encode())
	})
}

// keepHeader makes one of the two headers the only one.
func (db *DB) keepHeader(key []byte) error {
	err := db.write(func(c *change) error {
		next, err := db.get(nextHeaderKey)
		if err != nil || next == nil {
			return err
		}
		if bytes.Equal(key, nextHeaderKey) {
			if err := c.put(headerKey, next); err != nil {
				return err
			}
		}
		return c.destroy(nextHeaderKey)
	})
	if err == nil {
		db.openedByNext = false
	}
	return err
}

// SettlePassphrase ends a change of the passphrase that was interrupted, in
// favour of the passphrase that opened the database: no file holds the wrapping
// under the other one afterwards. The caller has seen that it opens the identity
// too. Without such a change it does nothing.
func (db *DB) SettlePassphrase() error {
	key := headerKey
	if db.openedByNext {
		key = nextHeaderKey
	}
	if err := db.keepHeader(key); err != nil {
		return fmt.Errorf("settle the passphrase: %w", err)
	}
	return nil
}
