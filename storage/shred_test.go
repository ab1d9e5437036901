package storage

import (
	"fmt"
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

func TestDestructionLeavesNothingInTheFiles(t *testing.T) {
	for name, c := range map[string]struct {
		destroy func(*DB) error
		gone    [][]byte
		stays   [][]byte
	}{
		"record": {
			func(db *DB) error { return db.DestroyRecord(session(1)) },
			[][]byte{recordEntry(prefixRecordKey, session(1)), recordEntry(prefixShare, session(1)), recordEntry(prefixRecord, session(1))},
			[][]byte{recordEntry(prefixRecordKey, session(2)), preparamsEntry(prefixPreparamsKey, 1)},
		},
		"key": {
			func(db *DB) error { return db.DestroyKey("key-1") },
			[][]byte{recordEntry(prefixRecordKey, session(1)), recordEntry(prefixRecordKey, session(2)), recordEntry(prefixShare, session(3))},
			[][]byte{preparamsEntry(prefixPreparamsKey, 1)},
		},
		"pre-parameters": {
			func(db *DB) error { return db.BurnPreparams(1) },
			[][]byte{preparamsEntry(prefixPreparamsKey, 1), preparamsEntry(prefixPreparams, 1)},
			[][]byte{preparamsEntry(prefixPreparamsKey, 2), recordEntry(prefixRecordKey, session(1))},
		},
	} {
		// What is destroyed lies in the journal, or in tables on one or two levels.
		for where, prepare := range map[string]func(*DB){
			"journal": func(db *DB) { put(t, db, staged(session(4))) },
			"tables":  func(db *DB) { require.NoError(t, db.DestroyKey("some")) },
			"levels": func(db *DB) {
				require.NoError(t, db.DestroyKey("some"))
				put(t, db, staged(session(5)))
				require.NoError(t, db.DestroyRecord(session(5)))
				put(t, db, staged(session(6)))
			},
		} {
			t.Run(name+" in "+where, func(t *testing.T) {
				db, dir := newDB(t)
				put(t, db, staged(session(1)), pending(session(2)), staged(session(3)))
				for range 2 {
					_, err := db.AddPreparams(make([]byte, 6000))
					require.NoError(t, err)
				}
				prepare(db)
				var values [][]byte
				for _, key := range c.gone {
					values = append(values, stored(t, db, key))
				}
				require.NoError(t, c.destroy(db))
				for _, v := range values {
					require.Empty(t, holds(t, dir, v))
				}
				for _, key := range c.stays {
					stored(t, db, key)
				}
				require.NoError(t, db.Close())
				for _, v := range values {
					require.Empty(t, holds(t, dir, v))
				}
				require.NoError(t, reopen(t, dir).Close())
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

// A share is useless without its record key: put back from an old copy, it does
// not make the database open, and no key of the database opens it.
func TestShareIsSealedUnderItsRecordKeyAlone(t *testing.T) {
	db, _ := newDB(t)
	put(t, db, staged(session(1)), staged(session(2)))
	share := stored(t, db, recordEntry(prefixShare, session(1)))
	for _, name := range [][]byte{recordEntry(prefixShare, session(2)), stateKey} {
		s, err := db.sealerOf(name)
		require.NoError(t, err)
		_, err = s.open(recordEntry(prefixShare, session(1)), share)
		require.ErrorIs(t, err, ErrEntryDamaged)
	}
}

func TestInterruptedDestructionIsFinishedAtOpen(t *testing.T) {
	db, dir := newDB(t)
	put(t, db, staged(session(1)), staged(session(2)))
	value := stored(t, db, recordEntry(prefixRecordKey, session(1)))
	c := &change{db: db, next: db.state}
	require.NoError(t, c.destroyRecord(recordEntry(prefixRecordKey, session(1))))
	require.NoError(t, c.commit())
	crashed := restore(t, snapshot(t, dir))
	require.NotEmpty(t, holds(t, crashed, value))

	again := reopen(t, crashed)
	require.Empty(t, holds(t, crashed, value))
	require.False(t, again.state.shredding)
	_, err := again.OpenShare(session(1))
	require.ErrorIs(t, err, types.ErrShareMissing)
	_, err = again.OpenShare(session(2))
	require.NoError(t, err)
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

// BenchmarkDestroy shows what destroying costs next to many bindings.
func BenchmarkDestroy(b *testing.B) {
	db, _ := newDB(b)
	for b.Loop() {
		put(b, db, staged(session(1)))
		require.NoError(b, db.DestroyRecord(session(1)))
	}
}

// BenchmarkOpen shows what checking and opening costs, without Argon2id.
func BenchmarkOpen(b *testing.B) {
	db, dir := newDB(b)
	for i := range 10000 {
		require.NoError(b, db.BindDigest(fmt.Sprintf("sign-%d", i), types.Hash{}, make([]byte, 32)))
	}
	require.NoError(b, db.Close())
	for b.Loop() {
		db, err := Open(dir, passphrase, Options{})
		require.NoError(b, err)
		require.NoError(b, db.Close())
	}
}

// BenchmarkBind shows what a synced write costs.
func BenchmarkBind(b *testing.B) {
	db, _ := newDB(b)
	n := uint64(0)
	for b.Loop() {
		n++
		require.NoError(b, db.BindDigest("s"+types.Hash{byte(n), byte(n >> 8), byte(n >> 16)}.Short(), types.Hash{}, make([]byte, 32)))
	}
}
