package storage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/util"
)

// part is one of the two goleveldb databases in the folder.
type part struct {
	// name is that of its folder below the one of the MPC database.
	name string
	dir  string
	// kinds are the prefixes of the entries that it may hold.
	kinds []byte
	// stateKey is where its state stands.
	stateKey []byte
	files    folder
	// engine is nil after Close, and after it could not be opened again.
	engine *leveldb.DB
	state  state
}

// Folders of the two databases.
const (
	wrappedName = "keys"
	mainName    = "main"
)

// wrappedPart holds the header and the wrapped keys: all that destroying has to
// remove from files, and nothing else.
func wrappedPart(dir string) *part {
	return &part{
		name: wrappedName, dir: filepath.Join(dir, wrappedName), stateKey: wrappedStateKey,
		kinds: []byte{prefixWrappedState, prefixHeader, prefixNextHeader, prefixRecordKey, prefixPreparamsKey},
	}
}

// mainPart holds everything else.
func mainPart(dir string) *part {
	return &part{
		name: mainName, dir: filepath.Join(dir, mainName), stateKey: mainStateKey,
		kinds: []byte{
			prefixMainState, prefixRecord, prefixShare, prefixPreparams, prefixBinding, prefixTombstone, prefixDoomed,
			prefixAudit, prefixChain, prefixCompared,
		},
	}
}

// may reports whether an entry belongs here.
func (p *part) may(key []byte) bool { return len(key) > 0 && bytes.IndexByte(p.kinds, key[0]) >= 0 }

// lock takes the lock on the files, or a share of it. It makes no folder.
func (p *part) lock(shared bool) error {
	info, err := os.Stat(p.dir)
	if err != nil {
		return damaged("find folder "+p.name, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is no folder", ErrFilesDamaged, p.name)
	}
	files, err := lockFolder(p.dir, shared)
	p.files = files
	return err
}

// open opens goleveldb on the locked files.
func (p *part) open(readOnly, create bool) error {
	engine, err := openEngine(p.files, readOnly, create)
	if err != nil {
		return damaged("open goleveldb database "+p.name, err)
	}
	p.engine = engine
	return nil
}

// closeEngine closes goleveldb, if it is open, and keeps the lock.
func (p *part) closeEngine() error {
	if p.engine == nil {
		return nil
	}
	err := p.engine.Close()
	p.engine = nil
	return err
}

// close closes whatever is open.
func (p *part) close() error {
	err := p.closeEngine()
	if p.files.Storage != nil {
		err = errors.Join(err, p.files.Close())
		p.files = folder{}
	}
	return err
}

// get returns a copy of a stored value, nil if there is none.
func (p *part) get(key []byte) ([]byte, error) {
	value, err := p.engine.Get(key, nil)
	switch {
	case errors.Is(err, leveldb.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, damaged(fmt.Sprintf("read entry %q", key), err)
	}
	return value, nil
}

// scan calls f for all entries with a prefix, ascending. The slices are valid
// until f returns.
func (p *part) scan(prefix []byte, f func(key, value []byte) error) error {
	it := p.engine.NewIterator(util.BytesPrefix(prefix), nil)
	defer it.Release()
	for it.Next() {
		if err := f(it.Key(), it.Value()); err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return damaged("read goleveldb database "+p.name, err)
	}
	return nil
}

// shred removes deleted entries from all files. Compacting everything moves the
// journal's content into tables, starts a new journal, and merges every
// deletion with what it deletes, since no iterator is open. goleveldb unlinks
// the old files at some later time; opening it again unlinks them at once. It
// may be done again after a crash at any point.
func (p *part) shred() error {
	if err := p.engine.CompactRange(util.Range{}); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	if err := p.closeEngine(); err != nil {
		return fmt.Errorf("close to remove old files: %w", err)
	}
	if err := p.open(false, false); err != nil {
		return fmt.Errorf("open after removing old files: %w", err)
	}
	return syncFolder(p.dir)
}
