package storage

import (
	"bytes"
	"fmt"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/opt"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// change is an atomic write in the making. It touches each entry at most once.
type change struct {
	db    *DB
	batch leveldb.Batch
	next  state
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
	c := &change{db: db, next: db.state}
	if err := f(c); err != nil {
		return err
	}
	if c.batch.Len() == 0 {
		return nil
	}
	if err := c.commit(); err != nil {
		return err
	}
	if db.state.shredding {
		return db.shred()
	}
	return nil
}

// put stores a value that is sealed already, or the header.
func (c *change) put(key, value []byte) error {
	old, err := c.db.get(key)
	if err != nil {
		return err
	}
	if old == nil {
		c.next.entries++
	} else {
		c.next.toggle(c.db.keys.entryMAC(key, old))
	}
	c.next.toggle(c.db.keys.entryMAC(key, value))
	c.batch.Put(key, value)
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

// destroy deletes an entry, if it is there, and sees to it that nothing of it
// stays in the files.
func (c *change) destroy(key []byte) error {
	old, err := c.db.get(key)
	if err != nil || old == nil {
		return err
	}
	c.next.entries--
	c.next.toggle(c.db.keys.entryMAC(key, old))
	c.next.shredding = true
	c.batch.Delete(bytes.Clone(key))
	return nil
}

// commit writes the batch with the state that follows from it, then the mark.
func (c *change) commit() error {
	c.next.generation++
	sealed, err := c.db.keys.sealer.seal(c.db.rand, stateKey, c.next.encode())
	if err != nil {
		return err
	}
	c.batch.Put(stateKey, sealed)
	if err := c.db.engine.Write(&c.batch, &opt.WriteOptions{Sync: true}); err != nil {
		return c.db.fail("write batch", err)
	}
	if err := c.db.mark.write(c.next.generation); err != nil {
		return c.db.fail("acknowledge batch", err)
	}
	c.db.state = c.next
	return nil
}

// fail ends writing: what the disk has is not known any more.
func (db *DB) fail(action string, err error) error {
	db.failed = fmt.Errorf("%s: %w: %w", action, ErrFailed, err)
	return db.failed
}
