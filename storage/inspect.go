package storage

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"syscall"

	"github.com/syndtr/goleveldb/leveldb"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// inspect opens both databases to be read, reads everything without changing a file,
// fills in keys and states, and returns the orphans that settle is to remove.
// goleveldb panics on some damaged files that pass its checksums; all of its reading
// happens on this goroutine, so that is caught.
func (db *DB) inspect(unlock func(header) (keys, error)) (orphans [][]byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			// Closing could wait for a lock that the panic left taken.
			db.wrapped.engine, db.main.engine = nil, nil
			err = fmt.Errorf("%w: goleveldb cannot read them: %v", ErrFilesDamaged, p)
		}
	}()
	for _, p := range db.parts() {
		if err := checkEntryPoint(p.dir); err != nil {
			return nil, err
		}
		if err := p.open(true, false); err != nil {
			return nil, err
		}
	}
	if db.keys, err = db.unlock(unlock); err != nil {
		return nil, err
	}
	return db.verify()
}

// unlock gets the keys from the header, or from the one beside it that a change
// of the passphrase left when it was interrupted.
func (db *DB) unlock(unlock func(header) (keys, error)) (keys, error) {
	head, _, err := db.header(headerKey)
	if err != nil {
		return keys{}, err
	}
	k, wrong := unlock(head)
	if !errors.Is(wrong, ErrWrongPassphrase) {
		return k, wrong
	}
	next, there, err := db.header(nextHeaderKey)
	if err != nil {
		return keys{}, err
	}
	if !there {
		return keys{}, fmt.Errorf("open the MPC database in %s: %w", db.dir, wrong)
	}
	db.openedByNext = true
	if k, err = unlock(next); err != nil {
		return keys{}, fmt.Errorf("open the MPC database in %s: %w", db.dir, err)
	}
	return k, nil
}

// header reads one of the two headers. Only the one of a change may be missing.
func (db *DB) header(key []byte) (h header, there bool, err error) {
	b, err := db.get(key)
	switch {
	case err != nil:
		return header{}, false, err
	case b == nil && bytes.Equal(key, headerKey):
		return header{}, false, fmt.Errorf("%w: it is missing", ErrHeaderDamaged)
	case b == nil:
		return header{}, false, nil
	}
	h, err = decodeHeader(b)
	return h, true, err
}

// verify compares both databases with the mark and with each other, and opens
// every entry.
func (db *DB) verify() (orphans [][]byte, err error) {
	if err := db.verifyGenerations(); err != nil {
		return nil, err
	}
	for _, p := range db.parts() {
		more, err := db.verifyEntries(p)
		if err != nil {
			return nil, err
		}
		orphans = append(orphans, more...)
	}
	if len(orphans) > 0 && !db.interrupted() {
		return nil, fmt.Errorf("%w: entry %q lacks the one in the other database", ErrEntriesMissing, orphans[0])
	}
	return orphans, nil
}

// verifyGenerations reads the states, and refuses a database that is older than
// the mark or the other database knows it to be.
func (db *DB) verifyGenerations() error {
	marked, err := db.mark.read(db.keys)
	if err != nil {
		return err
	}
	for _, p := range db.parts() {
		if p.state, err = db.readState(p); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		part     *part
		at       uint64
		knownFor string
	}{
		{db.main, marked, "acknowledged"},
		{db.wrapped, db.main.state.seen, "seen by " + mainName},
		{db.main, db.wrapped.state.seen, "seen by " + wrappedName},
	} {
		if c.part.state.generation < c.at {
			return fmt.Errorf("%w: write %d of %s was %s, %d is the last one here",
				ErrEntriesMissing, c.at, c.part.name, c.knownFor, c.part.state.generation)
		}
	}
	return nil
}

func (db *DB) readState(p *part) (state, error) {
	sealed, err := p.get(p.stateKey)
	if err != nil {
		return state{}, err
	}
	if sealed == nil {
		return state{}, fmt.Errorf("%w: the state of %s is missing", ErrEntriesMissing, p.name)
	}
	plain, err := db.keys.sealer.open(p.stateKey, sealed)
	if err != nil {
		return state{}, fmt.Errorf("state of %s: %w", p.name, err)
	}
	return decodeState(plain)
}

// verifyEntries opens the entries of one database and compares with its state.
func (db *DB) verifyEntries(p *part) (orphans [][]byte, err error) {
	found := p.state
	found.entries, found.digest = 0, [sha256.Size]byte{}
	err = p.scan(nil, func(key, value []byte) error {
		if bytes.Equal(key, p.stateKey) {
			return nil
		}
		if !p.may(key) {
			return fmt.Errorf("entry %q: %w: there is no such kind of entry in %s", key, ErrEntryDamaged, p.name)
		}
		found.entries++
		found.toggle(db.keys.entryMAC(key, value))
		complete, err := db.verifyEntry(key, value)
		if !complete {
			orphans = append(orphans, bytes.Clone(key))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if found != p.state {
		return nil, fmt.Errorf("%w: %d entries are in %s, %d were stored, or some are older than they were",
			ErrEntriesMissing, found.entries, p.name, p.state.entries)
	}
	return orphans, nil
}

// verifyEntry opens one entry and decodes it where that says more. It reports
// whether a wrapped key has what it is for, and a sealed entry its key.
func (db *DB) verifyEntry(key, value []byte) (complete bool, err error) {
	if key[0] == prefixHeader || key[0] == prefixNextHeader {
		return true, nil
	}
	s, complete, err := db.sealerOf(key)
	if err != nil || !complete {
		return complete, err
	}
	plain, err := s.open(key, value)
	if err != nil {
		return true, fmt.Errorf("entry %q: %w", key, err)
	}
	defer types.Wipe(plain)
	switch key[0] {
	case prefixRecordKey, prefixPreparamsKey:
		return db.has(sealedUnder(key))
	case prefixRecord:
		_, err = decodeRecord(plain)
	case prefixBinding:
		_, err = decodeBinding(plain)
	case prefixAudit:
		_, err = decodeAuditHead(plain)
	case prefixChain:
		_, err = decodeChainSeen(plain)
	case prefixCompared:
		_, err = decodeCompared(plain)
	}
	if err != nil {
		return true, fmt.Errorf("entry %q: %w", key, err)
	}
	return true, nil
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
