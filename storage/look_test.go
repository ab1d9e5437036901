package storage

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func look(t testing.TB, dir string) *DB {
	db, err := OpenToLook(dir, passphrase)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Who looks sees everything, and leaves every file as it was.
func TestLook(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	want := contentOf(t, db)
	_, err := OpenToLook(dir, passphrase)
	require.ErrorIs(t, err, ErrInUse)
	require.NoError(t, db.Close())
	before := snapshot(t, dir)

	first, second := look(t, dir), look(t, dir)
	require.Equal(t, want, contentOf(t, first))
	require.Equal(t, want, contentOf(t, second))
	require.ErrorIs(t, first.PutRecord(pending(session(9))), ErrLooking)
	require.ErrorIs(t, first.DestroyKey("key-1"), ErrLooking)
	_, err = Open(dir, passphrase, Options{})
	require.ErrorIs(t, err, ErrInUse, "nobody writes meanwhile")
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
	_, err = first.Records()
	require.ErrorIs(t, err, ErrClosed)
	unchanged(t, before, dir)

	_, err = OpenToLook(dir, []byte("another"))
	require.ErrorIs(t, err, ErrWrongPassphrase)
	_, err = OpenToLook(dir, nil)
	require.ErrorIs(t, err, ErrEmptyPassphrase)
	_, err = OpenToLook(t.TempDir(), passphrase)
	require.ErrorIs(t, err, ErrNoDatabase)
	unchanged(t, before, dir)
	require.Equal(t, want, contentOf(t, reopen(t, dir)))
}

// A lock file that is missing would be that of whoever looks.
func TestLookMakesNoLock(t *testing.T) {
	db, dir := newDB(t)
	require.NoError(t, db.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, mainName, lockName)))
	before := snapshot(t, dir)
	_, err := OpenToLook(dir, passphrase)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, types.ErrStorage, types.ReasonOf(err))
	unchanged(t, before, dir)
	reopen(t, dir)
}

// What a crash left undone is there for the node to make up for.
func TestLookAfterACrash(t *testing.T) {
	for name, c := range crashCases {
		t.Run(name, func(t *testing.T) {
			for _, crashed := range interrupt(t, c).crashes {
				dir := restore(t, crashed)
				before := snapshot(t, dir)
				db := look(t, dir)
				_, err := db.Records()
				require.NoError(t, err)
				require.NoError(t, db.Close())
				unchanged(t, before, dir)
			}
		})
	}
}

// Damage that Open refuses is refused.
func TestLookRefusesDamage(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	require.NoError(t, db.Close())
	raw(t, dir, func(e rawDB) { e.remove(bindingEntry("sign-1")) })
	before := snapshot(t, dir)
	_, err := OpenToLook(dir, passphrase)
	require.ErrorIs(t, err, ErrEntriesMissing)
	unchanged(t, before, dir)
}
