package storage

import (
	"bytes"
	"fmt"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/opt"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// change is a write in the making: a batch for each of the two databases. It
// touches each entry at most once.
type change struct {
	db            *DB
	wrapped, main batch
}

// batch is an atomic write to one database, with the state that follows.
type batch struct {
	part *part
	ops  leveldb.Batch
	next state
}

// newChange is one that does nothing yet. The caller holds the write lock.
func (db *DB) newChange() *change {
	c := &change{
		db:      db,
		wrapped: batch{part: db.wrapped, next: db.wrapped.state},
		main:    batch{part: db.main, next: db.main.state},
	}
	c.wrapped.next.shredding = false
	return c
}

// write lets f make a change and returns when it is on disk, and when the keys
// that it destroyed are in no file any more. If f makes no change, nothing is
// written.
func (db *DB) write(f func(*change) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.failed != nil {
		return db.failed
	}
	c := db.newChange()
	if err := f(c); err != nil {
		return err
	}
	if c.wrapped.ops.Len() == 0 && c.main.ops.Len() == 0 {
		return nil
	}
	return c.commit()
}

// batchOf is the batch of the database that an entry belongs to.
func (c *change) batchOf(key []byte) *batch {
	if c.wrapped.part.may(key) {
		return &c.wrapped
	}
	return &c.main
}

// put stores a value that is sealed already, or the header.
func (c *change) put(key, value []byte) error {
	old, err := c.db.get(key)
	if err != nil {
		return err
	}
	b := c.batchOf(key)
	if old == nil {
		b.next.entries++
	} else {
		b.next.toggle(c.db.keys.entryMAC(key, old))
	}
	b.next.toggle(c.db.keys.entryMAC(key, value))
	b.ops.Put(key, value)
	return nil
}

// seal stores a value under a key that the caller chose.
func (c *change) seal(s sealer, key, plain []byte) error {
	sealed, err := s.seal(c.db.rand, key, plain)
	if err != nil {
		return err
	}
	return c.put(key, sealed)
}

// newKey makes a random key, stores it sealed, and returns its sealer.
func (c *change) newKey(key []byte) (sealer, error) {
	raw, err := randomBytes(c.db.rand, chacha20poly1305.KeySize)
	if err != nil {
		return sealer{}, err
	}
	defer types.Wipe(raw)
	if err := c.seal(c.db.keys.sealer, key, raw); err != nil {
		return sealer{}, err
	}
	return newSealer(raw)
}

// destroy deletes an entry, if it is there. Of a wrapped key nothing stays in
// the files; what it sealed is worth nothing then, and goleveldb drops it from
// its files whenever it compacts them.
func (c *change) destroy(key []byte) error {
	old, err := c.db.get(key)
	if err != nil || old == nil {
		return err
	}
	b := c.batchOf(key)
	b.next.entries--
	b.next.toggle(c.db.keys.entryMAC(key, old))
	b.ops.Delete(bytes.Clone(key))
	if b == &c.wrapped {
		b.next.shredding = true
	}
	return nil
}

// commit takes the four steps of a write, of which doc.go says what a crash
// after each leaves: wrapped keys, shredding, everything else, the mark.
func (c *change) commit() error {
	db := c.db
	if c.wrapped.ops.Len() > 0 {
		if err := db.writeBatch(&c.wrapped, db.main.state.generation); err != nil {
			return err
		}
	}
	if c.wrapped.next.shredding {
		if err := db.wrapped.shred(); err != nil {
			return db.fail("remove destroyed keys from the files", err)
		}
	}
	if err := db.writeBatch(&c.main, db.wrapped.state.generation); err != nil {
		return err
	}
	if err := db.acknowledge(); err != nil {
		return db.fail("acknowledge batch", err)
	}
	return nil
}

// writeBatch writes one batch, synced, with the generation that the other
// database has now.
func (db *DB) writeBatch(b *batch, seen uint64) error {
	b.next.generation++
	b.next.seen = seen
	sealed, err := db.keys.sealer.seal(db.rand, b.part.stateKey, b.next.encode())
	if err != nil {
		return db.fail("seal state", err)
	}
	b.ops.Put(b.part.stateKey, sealed)
	if err := b.part.engine.Write(&b.ops, &opt.WriteOptions{Sync: true}); err != nil {
		return db.fail("write batch", err)
	}
	b.part.state = b.next
	return nil
}

// acknowledge writes the mark: whoever opens the database again finds what is
// in it now, or an error.
func (db *DB) acknowledge() error {
	return db.mark.write(db.keys, db.main.state.generation)
}

// fail ends writing: what the disk has is not known any more.
func (db *DB) fail(action string, err error) error {
	db.failed = fmt.Errorf("%s: %w: %w", action, ErrFailed, err)
	return db.failed
}
