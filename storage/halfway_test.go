package storage

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// A batch that a crash tore apart was not acknowledged: the database opens
// without it.
func TestTornBatch(t *testing.T) {
	db, dir := newDB(t)
	put(t, db, staged(session(1)))
	want := contentOf(t, db)
	before := snapshot(t, dir)
	breakMark(t, db)
	require.ErrorIs(t, db.PutRecord(staged(session(2))), ErrFailed)
	after := snapshot(t, dir)
	torn := 0
	for name, whole := range after {
		had := len(before[name])
		if len(whole) == had {
			continue
		}
		require.Equal(t, ".log", filepath.Ext(name))
		torn++
		files := after // with what was written first
		if parent(name) == wrappedName {
			files = before // what comes later was not written
		}
		for _, left := range []int{had + 1, had + 20, (had + len(whole)) / 2, len(whole) - 1} {
			again := reopen(t, restore(t, with(files, name, whole[:left])))
			require.Equal(t, want, contentOf(t, again))
			put(t, again, staged(session(2)))
			require.NoError(t, again.Close())
			reopen(t, again.dir)
		}
	}
	require.Equal(t, 2, torn, "journals")
}

// A destruction that fails half way has destroyed: nothing is read that Open
// would remove.
func TestDestructionFailsHalfWay(t *testing.T) {
	db, dir := newDB(t)
	put(t, db, staged(session(1)), staged(session(2)))
	id, err := db.AddPreparams([]byte("set"))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	for name, c := range map[string]struct {
		destroy func(*DB) error
		records int
		set     error
	}{
		"record":         {func(db *DB) error { return db.DestroyRecord(session(1)) }, 1, nil},
		"key":            {func(db *DB) error { return db.write(func(c *change) error { return c.destroyKey("key-1") }) }, 0, nil},
		"pre-parameters": {func(db *DB) error { return db.BurnPreparams(id) }, 2, types.ErrNoPreparams},
	} {
		t.Run(name, func(t *testing.T) {
			db, r := record(t, restore(t, snapshot(t, dir)))
			require.NoError(t, db.start(withPassphrase(passphrase)))
			r.fail(mainName)
			require.ErrorIs(t, c.destroy(db), ErrFailed)
			require.ErrorIs(t, db.BindDigest("s", types.Hash{}, []byte{1}), ErrFailed)
			check := func(db *DB) {
				all, err := db.Records()
				require.NoError(t, err)
				require.Len(t, all, c.records)
				_, err = db.OpenPreparams(id)
				require.ErrorIs(t, err, c.set)
				if c.records < 2 {
					_, err = db.OpenShare(session(1))
					require.ErrorIs(t, err, types.ErrShareMissing)
				}
			}
			check(db)
			check(reopen(t, restore(t, snapshot(t, db.dir))))
		})
	}
}
