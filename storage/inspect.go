package storage

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/syndtr/goleveldb/leveldb"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// inspect reads the whole database without changing a file, and fills in keys,
// mark and state. goleveldb panics on some damaged files that pass its
// checksums; all of its reading happens on this goroutine, so that is caught.
func (db *DB) inspect(unlock func(header) (keys, error)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// Closing could wait for a lock that the panic left taken.
			db.engine = nil
			err = fmt.Errorf("%w: goleveldb cannot read them: %v", ErrFilesDamaged, p)
		}
	}()
	if db.engine, err = openEngine(db.files, true, false); err != nil {
		return damaged("open MPC database", err)
	}
	err = db.inspectOpen(unlock)
	closeErr := db.engine.Close()
	db.engine = nil
	return errors.Join(err, closeErr)
}

func (db *DB) inspectOpen(unlock func(header) (keys, error)) error {
	err := db.unlock(unlock)
	if err != nil {
		return err
	}
	if db.mark, err = openMark(db.dir, db.keys); err != nil {
		return damaged("open MPC database", err)
	}
	return db.verify()
}

// unlock reads the header and gets the keys.
func (db *DB) unlock(unlock func(header) (keys, error)) error {
	b, err := db.get(headerKey)
	if err != nil {
		return err
	}
	if b == nil {
		return fmt.Errorf("%w: it is missing", ErrHeaderDamaged)
	}
	head, err := decodeHeader(b)
	if err != nil {
		return err
	}
	db.keys, err = unlock(head)
	return err
}

// verify opens every entry and compares with the state and the mark.
func (db *DB) verify() error {
	sealed, err := db.get(stateKey)
	if err != nil {
		return err
	}
	if sealed == nil {
		return fmt.Errorf("%w: the state is missing", ErrEntriesMissing)
	}
	plain, err := db.keys.sealer.open(stateKey, sealed)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if db.state, err = decodeState(plain); err != nil {
		return err
	}
	marked, err := db.mark.read()
	if err != nil {
		return err
	}
	if db.state.generation < marked {
		return fmt.Errorf("%w: write %d was acknowledged, %d is the last one here", ErrEntriesMissing, marked, db.state.generation)
	}
	return db.verifyEntries()
}

func (db *DB) verifyEntries() error {
	found := state{generation: db.state.generation, nextPreparams: db.state.nextPreparams, shredding: db.state.shredding}
	err := db.scan(nil, func(key, value []byte) error {
		if string(key) == string(stateKey) {
			return nil
		}
		found.entries++
		found.toggle(db.keys.entryMAC(key, value))
		return db.verifyEntry(key, value)
	})
	if err != nil {
		return err
	}
	if found != db.state {
		return fmt.Errorf("%w: %d entries are here, %d were stored, or some are older than they were",
			ErrEntriesMissing, found.entries, db.state.entries)
	}
	return nil
}

// verifyEntry opens one entry and decodes it where that says more.
func (db *DB) verifyEntry(key, value []byte) error {
	if key[0] == prefixHeader {
		return nil
	}
	plain, err := db.unseal(key, value)
	if err != nil {
		return err
	}
	defer types.Wipe(plain)
	switch key[0] {
	case prefixRecord:
		_, err = decodeRecord(plain)
	case prefixBinding:
		_, err = decodeBinding(plain)
	case prefixRecordKey, prefixShare, prefixPreparamsKey, prefixPreparams, prefixTombstone:
	default:
		err = fmt.Errorf("%w: there is no such kind of entry", ErrEntryDamaged)
	}
	if err != nil {
		return fmt.Errorf("entry %q: %w", key, err)
	}
	return nil
}

// damaged says that goleveldb's files are not as it left them, unless it is the
// operating system that refused (permission, too many open files, a failing
// disk), which no backup mends.
func damaged(action string, err error) error {
	var refused syscall.Errno
	if (errors.As(err, &refused) && refused != syscall.ENOENT) || errors.Is(err, leveldb.ErrClosed) {
		return fmt.Errorf("%s: %w: %w", action, types.ErrStorage, err)
	}
	return fmt.Errorf("%s: %w: %w", action, ErrFilesDamaged, err)
}
