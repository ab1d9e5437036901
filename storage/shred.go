package storage

import (
	"github.com/syndtr/goleveldb/leveldb/util"
)

// shred removes deleted entries from all files. Compacting everything moves the
// journal's content into tables, starts a new journal, and merges every
// deletion with what it deletes, since no iterator is open. goleveldb unlinks
// the old files at some later time; opening it again unlinks them at once. The
// caller holds the write lock. A crash at any point leaves the flag set.
func (db *DB) shred() error {
	if err := db.engine.CompactRange(util.Range{}); err != nil {
		return db.fail("compact", err)
	}
	err := db.engine.Close()
	db.engine = nil
	if err != nil {
		return db.fail("close to remove old files", err)
	}
	if db.engine, err = openEngine(db.files, false, false); err != nil {
		db.engine = nil
		return db.fail("open after removing old files", err)
	}
	if err := syncFolder(db.dir); err != nil {
		return db.fail("remove old files", err)
	}
	c := &change{db: db, next: db.state}
	c.next.shredding = false
	return c.commit()
}
