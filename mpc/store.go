package mpc

import "github.com/sequencer-mpc/sequencer/mpc/types"

// RecordStore keeps the shares of this node, one record for each session of a
// key. Every method returns after its write is on disk.
type RecordStore interface {
	// PutRecord creates or replaces a record. It refuses a status that may not
	// follow the stored one, a stored share replaced by another or by none, and
	// any record of a key with a tombstone.
	PutRecord(types.Record) error
	// Records lists all records without their shares, ordered by key id, epoch
	// and session.
	Records() ([]types.Record, error)
	// OpenShare returns the share of a record. The caller owns and wipes it.
	OpenShare(types.RecordKey) ([]byte, error)
	// DestroyRecord destroys what one session left, and what it was sealed
	// with. No record: no error.
	DestroyRecord(types.RecordKey) error
}

// TombstoneStore ends the life of keys.
type TombstoneStore interface {
	// DestroyKey destroys all records of a key, and what they were sealed with,
	// and leaves a tombstone. It may be called again.
	DestroyKey(types.KeyID) error
	// HadShares: DestroyKey found shares of the key, which it destroyed, be it in a call
	// that a crash cut short.
	HadShares(types.KeyID) (bool, error)
	// Tombstones lists destroyed keys, ascending.
	Tombstones() ([]types.KeyID, error)
}

// BindingStore binds sign requests to what they sign.
type BindingStore interface {
	// BindDigests binds those of the requests that are bound to nothing yet, durably, in
	// one write: all of them or none. What others are bound to stays, and BindDigest says
	// whether it is the same.
	BindDigests([]types.Binding) error
	// BindDigest stores, durably, that a request has this content and digest.
	// The same again is no error; anything else for the same id is
	// types.ErrDigestBound, for ever.
	BindDigest(signatureID string, content types.Hash, digest []byte) error
}

// PreparamStore is the pool of single-use keygen pre-parameters.
type PreparamStore interface {
	// AddPreparams seals and stores a set and returns its id.
	AddPreparams(set []byte) (uint64, error)
	// Preparams lists the ids of unused sets, oldest first.
	Preparams() ([]uint64, error)
	// OpenPreparams returns a set. The caller owns and wipes it.
	OpenPreparams(id uint64) ([]byte, error)
	// BurnPreparams destroys a set; it is an error if it is not there, so that
	// no set can be used twice.
	BurnPreparams(id uint64) error
}

// Store is everything that the engine keeps. Package storage has it in goleveldb.
type Store interface {
	RecordStore
	TombstoneStore
	BindingStore
	PreparamStore
}
