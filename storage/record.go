package storage

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// PutRecord creates or replaces a record. It keeps nothing of what it is given.
//
//   - The status must be one that may follow the stored one
//     (types.Status.CanMoveTo), else ErrStatus. A new record is PENDING.
//   - Data nil means "as stored": a record that has a share keeps it. Data with
//     a share stores it, once; the same share again is no error. Another share,
//     or one that is empty but not nil, is ErrFixed.
//   - Once there is a share, what describes it is fixed with it: Context,
//     Commitment, Algorithm, PublicKey, Payload, Participants and Threshold, else ErrFixed.
//   - READY needs a share, stored or given, else types.ErrShareMissing.
//   - HasData is the store's own; the caller's is ignored.
//   - A key with a tombstone takes no record: types.ErrKeyDeleted.
//   - A field outside its bounds is ErrInvalid.
func (db *DB) PutRecord(r types.Record) error {
	if err := validateRecord(&r); err != nil {
		return fmt.Errorf("put record: %w", err)
	}
	err := db.write(func(c *change) error {
		dead, err := db.has(tombstoneEntry(r.KeyID))
		if err != nil {
			return err
		}
		if dead {
			return fmt.Errorf("%w: no record of key %s is stored any more", types.ErrKeyDeleted, r.KeyID)
		}
		return c.putRecord(r)
	})
	if err != nil {
		return fmt.Errorf("put record: %w", err)
	}
	return nil
}

func (c *change) putRecord(r types.Record) error {
	old, err := c.db.record(r.RecordKey)
	if err != nil {
		return err
	}
	if !old.Status.CanMoveTo(r.Status) {
		return fmt.Errorf("%w: %s after %s", ErrStatus, r.Status, old.Status)
	}
	if err := c.checkShare(old, r); err != nil {
		return err
	}
	addShare := !old.HasData && r.Data != nil
	r.HasData = old.HasData || addShare
	if r.Status == types.StatusReady && !r.HasData {
		return fmt.Errorf("%w: a record without one cannot be READY", types.ErrShareMissing)
	}
	plain, err := encodeRecord(&r)
	if err != nil {
		return err
	}
	s, there, err := c.db.sealerOf(recordEntry(prefixRecord, r.RecordKey))
	if err == nil && !there {
		s, err = c.newKey(recordEntry(prefixRecordKey, r.RecordKey))
	}
	if err != nil {
		return err
	}
	if addShare {
		if err := c.seal(s, recordEntry(prefixShare, r.RecordKey), r.Data); err != nil {
			return err
		}
	}
	return c.seal(s, recordEntry(prefixRecord, r.RecordKey), plain)
}

// checkShare protects a share, and what it is a share of.
func (c *change) checkShare(old, r types.Record) error {
	if r.Data != nil && len(r.Data) == 0 {
		return fmt.Errorf("%w: an empty share is none", ErrFixed)
	}
	if !old.HasData {
		return nil
	}
	if old.Context != r.Context || old.Commitment != r.Commitment || old.Algorithm != r.Algorithm || old.Threshold != r.Threshold ||
		!bytes.Equal(old.PublicKey, r.PublicKey) || !bytes.Equal(old.Payload, r.Payload) ||
		!slices.Equal(old.Participants, r.Participants) {
		return fmt.Errorf("%w: context, commitment, algorithm, threshold, public key, payload or participants differ", ErrFixed)
	}
	if r.Data == nil {
		return nil
	}
	share, err := c.db.load(recordEntry(prefixShare, r.RecordKey))
	if err != nil {
		return err
	}
	defer types.Wipe(share)
	if subtle.ConstantTimeCompare(share, r.Data) != 1 {
		return fmt.Errorf("%w: the share differs", ErrFixed)
	}
	return nil
}

// record loads a record without its share; its status is NONE if there is none.
func (db *DB) record(k types.RecordKey) (types.Record, error) {
	plain, err := db.load(recordEntry(prefixRecord, k))
	if err != nil || plain == nil {
		return types.Record{}, err
	}
	return decodeRecord(plain)
}

// Records lists all records without their shares, ordered by key id, epoch and
// session. HasData says which of them have one.
func (db *DB) Records() ([]types.Record, error) {
	var all []types.Record
	err := db.read(func() error {
		return db.scan([]byte{prefixRecord}, func(key, value []byte) error {
			plain, err := db.unseal(key, value)
			if err != nil || plain == nil {
				return err
			}
			r, err := decodeRecord(plain)
			if err != nil {
				return fmt.Errorf("entry %q: %w", key, err)
			}
			all = append(all, r)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	return all, nil
}

// OpenShare returns the share of a record, which the caller owns and wipes, or
// types.ErrShareMissing.
func (db *DB) OpenShare(k types.RecordKey) ([]byte, error) {
	var share []byte
	err := db.read(func() (err error) {
		share, err = db.load(recordEntry(prefixShare, k))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open share: %w", err)
	}
	if share == nil {
		return nil, fmt.Errorf("open share: %w: key %s, epoch %d, session %s", types.ErrShareMissing, k.KeyID, k.Epoch, k.Session.Short())
	}
	return share, nil
}

// DestroyRecord destroys what one session left, whatever its status, and the
// key that it was sealed under. It returns when no file holds that key any
// more. No record: no error.
func (db *DB) DestroyRecord(k types.RecordKey) error {
	err := db.write(func(c *change) error {
		return c.destroyRecord(recordEntry(prefixRecordKey, k))
	})
	if err != nil {
		return fmt.Errorf("destroy record: %w", err)
	}
	return nil
}

// destroyRecord takes the entry of the record's key.
func (c *change) destroyRecord(wrapped []byte) error {
	for _, prefix := range []byte{prefixRecordKey, prefixRecord, prefixShare} {
		if err := c.destroy(withPrefix(prefix, wrapped)); err != nil {
			return err
		}
	}
	return nil
}
