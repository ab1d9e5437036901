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
	err := db.write(func(c *change) error {
		dead, err := db.has(tombstoneEntry(id))
		if err != nil || dead {
			return err
		}
		var had []byte
		err = db.scan(keyRecords(prefixShare, id), func(_, _ []byte) error {
			had = []byte{hadShares}
			return nil
		})
		if err != nil {
			return err
		}
		var wrapped [][]byte
		err = db.scan(keyRecords(prefixRecordKey, id), func(key, _ []byte) error {
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
		return c.seal(db.keys.sealer, tombstoneEntry(id), had)
	})
	if err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	return nil
}

// hadShares is what is sealed in the tombstone of a key of which shares were destroyed;
// nothing is in that of another.
const hadShares = 1

// HadShares reports whether DestroyKey found shares of a key. After a crash while it
// destroyed them it does not know, and the answer is no.
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
