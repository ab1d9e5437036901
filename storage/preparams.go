package storage

import (
	"encoding/binary"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// MaxPreparamsBytes bounds a set of pre-parameters. tss-lib's are ten numbers
// of up to 2048 bits, 6 KiB in decimal; ten times that fit.
const MaxPreparamsBytes = 64 << 10

// AddPreparams seals and stores a set, 1 to MaxPreparamsBytes bytes, and
// returns its id. Ids ascend from 1 and are never given twice.
func (db *DB) AddPreparams(set []byte) (uint64, error) {
	if len(set) < 1 || len(set) > MaxPreparamsBytes {
		return 0, fmt.Errorf("add pre-parameters: %w: a set has 1 to %d bytes, not %d", ErrInvalid, MaxPreparamsBytes, len(set))
	}
	var id uint64
	err := db.write(func(c *change) error {
		id = c.main.next.nextPreparams
		c.main.next.nextPreparams++
		s, err := c.newKey(preparamsEntry(prefixPreparamsKey, id))
		if err != nil {
			return err
		}
		return c.seal(s, preparamsEntry(prefixPreparams, id), set)
	})
	if err != nil {
		return 0, fmt.Errorf("add pre-parameters: %w", err)
	}
	return id, nil
}

// Preparams lists the ids of unused sets, oldest first.
func (db *DB) Preparams() ([]uint64, error) {
	var ids []uint64
	err := db.read(func() error {
		return db.scan([]byte{prefixPreparams}, func(key, _ []byte) error {
			if len(key) != 1+8 {
				return fmt.Errorf("entry %q: %w: its id has no 8 bytes", key, ErrEntryDamaged)
			}
			ids = append(ids, binary.BigEndian.Uint64(key[1:]))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list pre-parameters: %w", err)
	}
	return ids, nil
}

// OpenPreparams returns a set, which the caller owns and wipes, or
// types.ErrNoPreparams.
func (db *DB) OpenPreparams(id uint64) ([]byte, error) {
	var set []byte
	err := db.read(func() (err error) {
		set, err = db.load(preparamsEntry(prefixPreparams, id))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open pre-parameters: %w", err)
	}
	if set == nil {
		return nil, fmt.Errorf("open pre-parameters: %w: set %d is not there", types.ErrNoPreparams, id)
	}
	return set, nil
}

// BurnPreparams destroys a set and its key, and returns when no file holds the
// key any more. types.ErrNoPreparams if the set is not there: whoever gets nil
// is the only one who may use what it opened before.
func (db *DB) BurnPreparams(id uint64) error {
	err := db.write(func(c *change) error {
		there, err := db.has(preparamsEntry(prefixPreparams, id))
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("%w: set %d is not there", types.ErrNoPreparams, id)
		}
		if err := c.destroy(preparamsEntry(prefixPreparamsKey, id)); err != nil {
			return err
		}
		return c.destroy(preparamsEntry(prefixPreparams, id))
	})
	if err != nil {
		return fmt.Errorf("burn pre-parameters: %w", err)
	}
	return nil
}
