package storage

import (
	"bytes"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// DestroyKey destroys all records of a key, then leaves the tombstone that
// keeps new ones out for ever. It returns when no file holds what they were
// sealed under. It may be called again, and for a key that this node never had.
// After a crash the records may be gone without a tombstone: the caller that was
// not answered calls again. The tombstone says whether there were shares.
func (db *DB) DestroyKey(id types.KeyID) error {
	if err := types.ValidateID(string(id)); err != nil {
		return fmt.Errorf("destroy key: %w: %w", ErrInvalid, err)
	}
	if err := db.write(func(c *change) error { return c.doom(id) }); err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	if err := db.write(func(c *change) error { return c.destroyKey(id) }); err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	return nil
}

// doom notes that a key has shares, which are going to be destroyed: a crash in the
// middle of that leaves neither them nor a tombstone that knows of them.
func (c *change) doom(id types.KeyID) error {
	doomed, err := c.db.has(doomedEntry(id))
	if err != nil || doomed {
		return err
	}
	shares := false
	err = c.db.scan(keyRecords(prefixShare, id), func(_, _ []byte) error { shares = true; return nil })
	if err != nil || !shares {
		return err
	}
	return c.seal(c.db.keys.sealer, doomedEntry(id), nil)
}

// destroyKey ends a key that has no tombstone yet.
func (c *change) destroyKey(id types.KeyID) error {
	dead, err := c.db.has(tombstoneEntry(id))
	if err != nil || dead {
		return err
	}
	var had []byte
	doomed, err := c.db.has(doomedEntry(id))
	if err != nil {
		return err
	}
	if doomed {
		had = []byte{hadShares}
	}
	var wrapped [][]byte
	err = c.db.scan(keyRecords(prefixRecordKey, id), func(key, _ []byte) error {
		wrapped = append(wrapped, bytes.Clone(key))
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range wrapped {
		if err := c.destroyRecord(key); err != nil {
			return err
		}
	}
	if err := c.destroy(doomedEntry(id)); err != nil {
		return err
	}
	return c.seal(c.db.keys.sealer, tombstoneEntry(id), had)
}

// hadShares is what is sealed in the tombstone of a key of which shares were destroyed;
// nothing is in that of another.
const hadShares = 1

// HadShares reports whether DestroyKey found shares of a key, in this call or in one that
// a crash cut short.
func (db *DB) HadShares(id types.KeyID) (bool, error) {
	var had []byte
	err := db.read(func() (err error) {
		had, err = db.load(tombstoneEntry(id))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read tombstone: %w", err)
	}
	return len(had) == 1 && had[0] == hadShares, nil
}

// Tombstones lists destroyed keys, ascending.
func (db *DB) Tombstones() ([]types.KeyID, error) {
	var ids []types.KeyID
	err := db.read(func() error {
		return db.scan([]byte{prefixTombstone}, func(key, value []byte) error {
			if _, err := db.unseal(key, value); err != nil {
				return err
			}
			ids = append(ids, types.KeyID(key[1:]))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list tombstones: %w", err)
	}
	return ids, nil
}
