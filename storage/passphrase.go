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
// Nor is it one that only identity or database has old, and the other next already, as
// where a copy of one of them from before an earlier change was put back: that one gets
// next too. A crash then leaves it as it was, or with next.
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
		return confirmPassphrase(identity, dir, old, next, opts)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.changePassphrase(identity, old, next, opts)
}

// confirmPassphrase is for a database that has the new passphrase and no other. The
// identity has it too, after a change that was made already, or gets it.
func confirmPassphrase(identity, dir string, old, next []byte, opts Options) error {
	db, err := Open(dir, next, opts)
	if err != nil {
		return neither(err)
	}
	id, err := LoadIdentity(identity, next)
	if errors.Is(err, ErrWrongPassphrase) {
		err = resealIdentity(identity, old, next, opts)
	}
	id.Wipe()
	if err == nil {
		err = db.SettlePassphrase()
	}
	return errors.Join(err, db.Close())
}

// resealIdentity gives an identity alone another passphrase, at once.
func resealIdentity(identity string, old, next []byte, opts Options) error {
	id, err := LoadIdentity(identity, old)
	if err != nil {
		return neither(err)
	}
	defer id.Wipe()
	file, err := sealIdentity(id, next, opts.kdf(), opts.rand())
	if err == nil {
		err = replace(identity, file.encode())
	}
	if err != nil {
		return fmt.Errorf("change passphrase: %w", err)
	}
	return nil
}

// neither says of which file both passphrases are wrong.
func neither(err error) error {
	if errors.Is(err, ErrWrongPassphrase) {
		return fmt.Errorf("neither the old nor the new passphrase is that of one file: %w", err)
	}
	return err
}

// changePassphrase takes three steps: the database opens with either
// passphrase, the identity goes over to the new one at once, the database
// forgets the old one. So at each moment the database opens with what opens the
// identity, and the second step decides.
func (db *DB) changePassphrase(identity string, old, next []byte, opts Options) error {
	id, err := LoadIdentity(identity, old)
	if errors.Is(err, ErrWrongPassphrase) {
		return db.finishChange(identity, old, next, opts)
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

// finishChange is for an identity that has the new passphrase. The database has both after a
// change that was interrupted after the second step, and the last one is left to do; one that
// has the old one alone is of before the change, and gets the new one.
func (db *DB) finishChange(identity string, old, next []byte, opts Options) error {
	id, err := LoadIdentity(identity, next)
	if err != nil {
		return neither(err)
	}
	id.Wipe()
	key, err := db.headerOf(next)
	if err == nil && key == nil {
		key = nextHeaderKey
		err = db.SettlePassphrase() // an earlier change, to something else
		if err == nil {
			err = db.addHeader(old, next, opts)
		}
	}
	if err == nil {
		err = db.keepHeader(key)
	}
	if err != nil {
		return fmt.Errorf("change passphrase: %w", err)
	}
	return nil
}

// headerOf finds the header that a passphrase opens; nil if there is none.
func (db *DB) headerOf(passphrase []byte) (key []byte, err error) {
	err = db.read(func() error {
		for _, k := range [][]byte{nextHeaderKey, headerKey} {
			head, there, err := db.header(k)
			if err != nil {
				return err
			}
			if !there {
				continue
			}
			dataKey, err := head.unwrap(passphrase)
			types.Wipe(dataKey)
			if !errors.Is(err, ErrWrongPassphrase) {
				key = k
				return err
			}
		}
		return nil
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
