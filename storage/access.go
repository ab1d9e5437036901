package storage

import (
	"errors"
	"fmt"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/util"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// read runs f with the database open and no writer at work.
func (db *DB) read(f func() error) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.engine == nil {
		return db.failed
	}
	return f()
}

// get returns a copy of a stored value, nil if there is none. The caller holds
// the lock.
func (db *DB) get(key []byte) ([]byte, error) {
	value, err := db.engine.Get(key, nil)
	switch {
	case errors.Is(err, leveldb.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, damaged(fmt.Sprintf("read entry %q", key), err)
	}
	return value, nil
}

// has reports whether there is an entry. The caller holds the lock.
func (db *DB) has(key []byte) (bool, error) {
	value, err := db.get(key)
	return value != nil, err
}

// scan calls f for all entries with a prefix, ascending. The slices are valid
// until f returns. The caller holds the lock.
func (db *DB) scan(prefix []byte, f func(key, value []byte) error) error {
	it := db.engine.NewIterator(util.BytesPrefix(prefix), nil)
	defer it.Release()
	for it.Next() {
		if err := f(it.Key(), it.Value()); err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return damaged("read MPC database", err)
	}
	return nil
}

// load returns what an entry seals, nil if there is no entry. The caller holds
// the lock, and wipes a secret.
func (db *DB) load(key []byte) ([]byte, error) {
	value, err := db.get(key)
	if err != nil || value == nil {
		return nil, err
	}
	return db.unseal(key, value)
}

// unseal opens a value with the key that doc.go's table names for its entry.
func (db *DB) unseal(key, value []byte) ([]byte, error) {
	s, err := db.sealerOf(key)
	if err != nil {
		return nil, err
	}
	plain, err := s.open(key, value)
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", key, err)
	}
	return plain, nil
}

// sealerOf finds the key that an entry is sealed under.
func (db *DB) sealerOf(key []byte) (sealer, error) {
	var under []byte
	switch key[0] {
	case prefixRecord, prefixShare:
		under = withPrefix(prefixRecordKey, key)
	case prefixPreparams:
		under = withPrefix(prefixPreparamsKey, key)
	default:
		return db.keys.sealer, nil
	}
	raw, err := db.load(under)
	if err != nil {
		return sealer{}, err
	}
	defer types.Wipe(raw)
	if raw == nil {
		return sealer{}, fmt.Errorf("%w: the key of entry %q is missing", ErrEntryDamaged, key)
	}
	s, err := newSealer(raw)
	if err != nil {
		return sealer{}, fmt.Errorf("%w: the key of entry %q: %w", ErrEntryDamaged, key, err)
	}
	return s, nil
}
