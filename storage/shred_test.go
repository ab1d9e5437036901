package storage

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// stored is an entry that must be in the files now.
func stored(t *testing.T, db *DB, key []byte) []byte {
	value, err := db.get(key)
	require.NoError(t, err)
	require.NotEmpty(t, value)
	require.NotEmpty(t, holds(t, db.dir, value))
	return value
}

func TestDestructionLeavesNoKeyInTheFiles(t *testing.T) {
	record, second, third := session(1), session(2), session(3)
	for name, c := range map[string]struct {
		destroy func(*DB) error
		keys    [][]byte // in no file afterwards
		sealed  [][]byte // deleted afterwards
		stays   [][]byte
	}{
		"record": {
			func(db *DB) error { return db.DestroyRecord(record) },
			[][]byte{recordEntry(prefixRecordKey, record)},
			[][]byte{recordEntry(prefixRecord, record), recordEntry(prefixShare, record)},
			[][]byte{recordEntry(prefixRecordKey, second), recordEntry(prefixShare, third), preparamsEntry(prefixPreparamsKey, 1)},
		},
		"key": {
			func(db *DB) error { return db.DestroyKey("key-1") },
			[][]byte{recordEntry(prefixRecordKey, record), recordEntry(prefixRecordKey, second), recordEntry(prefixRecordKey, third)},
			[][]byte{recordEntry(prefixRecord, second), recordEntry(prefixShare, third)},
			[][]byte{preparamsEntry(prefixPreparamsKey, 1), preparamsEntry(prefixPreparams, 1)},
		},
		"pre-parameters": {
			func(db *DB) error { return db.BurnPreparams(1) },
			[][]byte{preparamsEntry(prefixPreparamsKey, 1)},
			[][]byte{preparamsEntry(prefixPreparams, 1)},
			[][]byte{preparamsEntry(prefixPreparamsKey, 2), preparamsEntry(prefixPreparams, 2), recordEntry(prefixRecordKey, record)},
		},
	} {
		// What is destroyed lies in the journal, or in tables on one or two levels.
		for where, prepare := range map[string]func(*DB){
			"journal": func(db *DB) { put(t, db, staged(session(4))) },
			"tables":  func(db *DB) { require.NoError(t, db.wrapped.shred()) },
			"levels": func(db *DB) {
				require.NoError(t, db.wrapped.shred())
				put(t, db, staged(session(5)))
				require.NoError(t, db.DestroyRecord(session(5)))
				put(t, db, staged(session(6)))
			},
		} {
			t.Run(name+" in "+where, func(t *testing.T) {
				db, dir := newDB(t)
				put(t, db, staged(record), pending(second), staged(third))
				for range 2 {
					_, err := db.AddPreparams(make([]byte, 6000))
					require.NoError(t, err)
				}
				prepare(db)
				var keys [][]byte
				for _, key := range c.keys {
					keys = append(keys, stored(t, db, key))
				}
				for _, key := range c.sealed {
					stored(t, db, key)
				}
				require.NoError(t, c.destroy(db))
				check := func(db *DB) {
					for _, v := range keys {
						require.Empty(t, holds(t, dir, v))
					}
					for _, key := range append(c.keys, c.sealed...) {
						there, err := db.has(key)
						require.NoError(t, err)
						require.False(t, there)
					}
					for _, key := range c.stays {
						stored(t, db, key)
					}
				}
				check(db)
				require.NoError(t, db.Close())
				check(reopen(t, dir))
			})
		}
	}
}

func TestCopyAfterDestructionGivesNoShare(t *testing.T) {
	db, dir := newDB(t)
	put(t, db, staged(session(1)), staged(session(2)))
	require.NoError(t, db.DestroyRecord(session(1)))
	require.NoError(t, db.Close())
	copied := reopen(t, restore(t, snapshot(t, dir)))
	_, err := copied.OpenShare(session(1))
	require.ErrorIs(t, err, types.ErrShareMissing)
	all, err := copied.Records()
	require.NoError(t, err)
	require.Len(t, all, 1)
	share, err := copied.OpenShare(session(2))
	require.NoError(t, err)
	require.Equal(t, shareOf(session(2)), share)
}

// What is destroyed with its key is in no copy of the closed database: opened with the
// right passphrase it has the tombstone, and no share of any epoch.
func TestCopyAfterDestroyKeyGivesNoShare(t *testing.T) {
	db, dir := newDB(t)
	gone := []types.RecordKey{session(1), session(2), {KeyID: "key-1", Epoch: 1, Session: types.SessionID{3}}}
	other := types.RecordKey{KeyID: "key-2", Session: types.SessionID{4}}
	for _, k := range append(gone, other) {
		put(t, db, staged(k))
	}
	put(t, db, promoted(session(1)))
	var sealed [][]byte
	for _, k := range gone {
		sealed = append(sealed, stored(t, db, recordEntry(prefixRecordKey, k)))
	}
	require.NoError(t, db.DestroyKey("key-1"))
	require.NoError(t, db.Close())

	files := snapshot(t, dir)
	for name, content := range files {
		for _, key := range sealed {
			require.NotContains(t, content, string(key), name)
		}
	}
	copied := reopen(t, restore(t, files))
	for _, k := range gone {
		_, err := copied.OpenShare(k)
		require.ErrorIs(t, err, types.ErrShareMissing)
	}
	all, err := copied.Records()
	require.NoError(t, err)
	require.Len(t, all, 1)
	share, err := copied.OpenShare(other)
	require.NoError(t, err)
	require.Equal(t, shareOf(other), share)
	tombstones, err := copied.Tombstones()
	require.NoError(t, err)
	require.Equal(t, []types.KeyID{"key-1"}, tombstones)
}

// A share is useless without its record key: put back from an old copy, it does
// not make the database open, and no key of the database opens it.
func TestShareIsSealedUnderItsRecordKeyAlone(t *testing.T) {
	db, _ := newDB(t)
	put(t, db, staged(session(1)), staged(session(2)))
	share := stored(t, db, recordEntry(prefixShare, session(1)))
	for _, name := range [][]byte{recordEntry(prefixShare, session(2)), mainStateKey} {
		s, _, err := db.sealerOf(name)
		require.NoError(t, err)
		_, err = s.open(recordEntry(prefixShare, session(1)), share)
		require.ErrorIs(t, err, ErrEntryDamaged)
	}
}

func TestNothingPlainOnDisk(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	for _, secret := range []string{"secret share", "what is attested", "seqvaloper1a", string(passphrase)} {
		for name, b := range snapshot(t, dir) {
			require.NotContains(t, b, secret, name)
		}
	}
}
