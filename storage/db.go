package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dir  string
	rand io.Reader

	mu sync.RWMutex
	// wrapped is the key database, which is small and rewritten whole when
	// something is destroyed; main has everything else.
	wrapped, main *part
	mark          *mark
	keys          keys
	// openedByNext: the passphrase is the one of a change that was interrupted.
	openedByNext bool
	leftovers    Leftovers
	// failed is why nothing is written any more.
	failed error
}

// Exists reports whether a folder holds a database, damaged or not.
func Exists(dir string) (bool, error) {
	for _, name := range []string{wrappedName, mainName, markName} {
		_, err := os.Lstat(filepath.Join(dir, name))
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("look for the MPC database: %w", err)
		}
	}
	return false, nil
}

// Create makes a database in a folder that is not there or empty, and opens it.
// The folder appears with a complete database in it or not at all. Errors:
// ErrEmptyPassphrase, ErrExists, ErrInvalid (KDF out of bounds).
func Create(dir string, passphrase []byte, opts Options) (*DB, error) {
	return create(dir, passphrase, opts, nil)
}

// CreateFilled is Create of a database that is never seen without what fill puts into it:
// if that fails, or the machine does, there is none.
func CreateFilled(dir string, passphrase []byte, opts Options, fill func(*DB) error) (*DB, error) {
	return create(dir, passphrase, opts, fill)
}

func create(dir string, passphrase []byte, opts Options, fill func(*DB) error) (*DB, error) {
	if len(passphrase) == 0 {
		return nil, ErrEmptyPassphrase
	}
	if err := checkVacant(dir); err != nil {
		return nil, err
	}
	head, dataKey, err := newHeader(passphrase, opts.kdf(), opts.rand())
	if err != nil {
		return nil, fmt.Errorf("create MPC database: %w", err)
	}
	k, err := newKeys(dataKey)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(parent(dir), 0o700); err != nil {
		return nil, fmt.Errorf("create MPC database: %w", err)
	}
	temp, err := os.MkdirTemp(parent(dir), TempPattern(dir))
	if err != nil {
		return nil, fmt.Errorf("create MPC database: %w", err)
	}
	defer os.RemoveAll(temp)
	if err := build(temp, head, k, opts); err != nil {
		return nil, fmt.Errorf("create MPC database: %w", err)
	}
	if fill != nil {
		if err := fillAt(temp, passphrase, opts, fill); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		return nil, fmt.Errorf("create MPC database: %w", err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return nil, fmt.Errorf("create MPC database: %w", err)
	}
	if err := syncFolder(parent(dir)); err != nil {
		return nil, fmt.Errorf("create MPC database: %w", err)
	}
	return open(dir, opts, func(header) (keys, error) { return k, nil })
}

// fillAt opens a database at the place where it is built.
func fillAt(temp string, passphrase []byte, opts Options, fill func(*DB) error) error {
	db, err := Open(temp, passphrase, opts)
	if err != nil {
		return err
	}
	return errors.Join(fill(db), db.Close())
}

// checkVacant refuses a folder with anything in it.
func checkVacant(dir string) error {
	names, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("create MPC database: %w", err)
	case len(names) > 0:
		return fmt.Errorf("%w: %s", ErrExists, dir)
	}
	return nil
}

// build writes the header and the first states.
func build(dir string, head header, k keys, opts Options) (err error) {
	own := keys{sealer: k.sealer, mac: bytes.Clone(k.mac)} // closing wipes them
	db := unopened(dir, opts)
	db.keys, db.main.state.nextPreparams = own, 1
	defer func() { err = errors.Join(err, db.closeFiles()) }()
	for _, p := range db.parts() {
		if err := os.Mkdir(p.dir, 0o700); err != nil {
			return fmt.Errorf("make folder %s: %w", p.name, err)
		}
		if err := p.lock(false); err != nil {
			return err
		}
		if err := p.open(false, true); err != nil {
			return err
		}
	}
	if db.mark, err = createMark(dir); err != nil {
		return err
	}
	if err := db.write(func(c *change) error { return c.put(headerKey, head.encode()) }); err != nil {
		return err
	}
	return syncFolder(dir)
}

// Open opens the database in a folder. It reads and checks everything before it
// changes anything, and removes what an interrupted Create left beside the folder, if it
// can: Leftovers says what became of that. Errors:
// ErrEmptyPassphrase, ErrNoDatabase, ErrInUse,
// ErrWrongPassphrase, ErrNewerFormat, ErrHeaderDamaged, ErrEntryDamaged,
// ErrFilesDamaged, ErrEntriesMissing.
func Open(dir string, passphrase []byte, opts Options) (*DB, error) {
	if err := checkThere(dir, passphrase); err != nil {
		return nil, err
	}
	return open(dir, opts, withPassphrase(passphrase))
}

// checkThere refuses what cannot be opened at all.
func checkThere(dir string, passphrase []byte) error {
	if len(passphrase) == 0 {
		return ErrEmptyPassphrase
	}
	exists, err := Exists(dir)
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("%w: %s", ErrNoDatabase, dir)
	}
	return nil
}

// withPassphrase gets the keys of a header.
func withPassphrase(passphrase []byte) func(header) (keys, error) {
	return func(h header) (keys, error) {
		dataKey, err := h.unwrap(passphrase)
		if err != nil {
			return keys{}, err
		}
		return newKeys(dataKey)
	}
}

func unopened(dir string, opts Options) *DB {
	return &DB{dir: dir, rand: opts.rand(), wrapped: wrappedPart(dir), main: mainPart(dir)}
}

// parts are the two databases in the order in which they are locked.
func (db *DB) parts() []*part { return []*part{db.wrapped, db.main} }

// open takes hold of the files, then opens the database.
func open(dir string, opts Options, unlock func(header) (keys, error)) (*DB, error) {
	db := unopened(dir, opts)
	err := db.hold(false)
	if err == nil {
		err = db.start(unlock)
	}
	if err != nil {
		return nil, errors.Join(err, db.closeFiles())
	}
	// Nobody else can make one here while this one is there and locked.
	db.leftovers = RemoveLeftovers(dir)
	return db, nil
}

// hold locks the folder and opens the mark, to look at them with others or to write alone.
func (db *DB) hold(toLook bool) (err error) {
	for _, p := range db.parts() {
		if err := p.lock(toLook); err != nil {
			return err
		}
	}
	db.mark, err = openMark(db.dir, toLook)
	return err
}

// start looks at the database read-only, then opens it for good, and makes up
// for what a crash left undone.
func (db *DB) start(unlock func(header) (keys, error)) error {
	orphans, err := db.inspect(unlock)
	if err != nil {
		return err
	}
	if err := errors.Join(db.main.closeEngine(), db.wrapped.closeEngine()); err != nil {
		return err
	}
	for _, p := range db.parts() {
		if err := p.open(false, false); err != nil {
			return err
		}
	}
	if !db.interrupted() {
		return db.acknowledge()
	}
	return db.settle(orphans)
}

// Leftovers are what was found beside the database when it was opened. That something could not be
// removed is no error of Open: the database is whole without it.
func (db *DB) Leftovers() Leftovers { return db.leftovers }

// Close ends all use of the database and lets go of the folder. It waits for
// calls in progress; a second call does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.failed == nil || errors.Is(db.failed, ErrLooking) {
		db.failed = ErrClosed
	}
	return db.closeFiles()
}

// closeFiles closes whatever is open, and lets go of the lock last.
func (db *DB) closeFiles() error {
	var errs []error
	if db.mark != nil {
		errs = append(errs, db.mark.close())
		db.mark = nil
	}
	errs = append(errs, db.main.close(), db.wrapped.close())
	db.keys.wipe()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close MPC database: %w", err)
	}
	return nil
}
