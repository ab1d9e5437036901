package storage

import (
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// read runs f with the database open and no writer at work.
func (db *DB) read(f func() error) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.wrapped.engine == nil || db.main.engine == nil {
		return db.failed
	}
	return f()
}

// partOf is the database that an entry belongs to.
func (db *DB) partOf(key []byte) *part {
	if db.wrapped.may(key) {
		return db.wrapped
	}
	return db.main
}

// get returns a copy of a stored value, nil if there is none. The caller holds
// the lock.
func (db *DB) get(key []byte) ([]byte, error) { return db.partOf(key).get(key) }

// has reports whether there is an entry. The caller holds the lock.
func (db *DB) has(key []byte) (bool, error) {
	value, err := db.get(key)
	return value != nil, err
}

// scan calls f for all entries with a prefix of at least one byte, ascending.
// The slices are valid until f returns. The caller holds the lock.
func (db *DB) scan(prefix []byte, f func(key, value []byte) error) error {
	return db.partOf(prefix).scan(prefix, f)
}

// load returns what an entry seals, nil if there is no entry or its key was
// destroyed. The caller holds the lock, and wipes a secret.
func (db *DB) load(key []byte) ([]byte, error) {
	value, err := db.get(key)
	if err != nil || value == nil {
		return nil, err
	}
	return db.unseal(key, value)
}

// unseal opens a value with the key that doc.go's table names for its entry. It
// returns nil if that key was destroyed: so it is after a destruction that
// failed half way, until Open finishes it.
func (db *DB) unseal(key, value []byte) ([]byte, error) {
	s, there, err := db.sealerOf(key)
	if err != nil || !there {
		return nil, err
	}
	plain, err := s.open(key, value)
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", key, err)
	}
	return plain, nil
}

// sealerOf finds the key that an entry is sealed under, and reports whether it
// is there.
func (db *DB) sealerOf(key []byte) (sealer, bool, error) {
	under := wrappedKeyOf(key)
	if under == nil {
		return db.keys.sealer, true, nil
	}
	raw, err := db.load(under)
	if err != nil || raw == nil {
		return sealer{}, false, err
	}
	defer types.Wipe(raw)
	s, err := newSealer(raw)
	if err != nil {
		return sealer{}, false, fmt.Errorf("%w: the key of entry %q: %w", ErrEntryDamaged, key, err)
	}
	return s, true, nil
}
