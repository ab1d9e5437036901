package storage

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLeftoversGo: what a crash left beside a place is removed by who next has the place to
// itself, and nothing else is, least of all a copy that somebody keeps.
func TestLeftoversGo(t *testing.T) {
	dir := t.TempDir()
	others := []string{
		".db", ".db-", ".db-1a", ".db2-1", "db-1", ".db-20261127", ".db.incomplete-", ".db.incomplete-x",
		".db2.incomplete-1", "db.incomplete-1", ".identity-x", ".identity-7", ".other-1",
	}
	write := func(name string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	for _, name := range others {
		write(name)
	}
	place, identity := filepath.Join(dir, "db"), filepath.Join(dir, "identity")
	left, kept := filepath.Join(dir, ".db.incomplete-77"), filepath.Join(dir, ".db-20261127")
	leave := func() { // a whole database, as it is before it gets its name
		db, err := Create(left, passphrase, cheap)
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}

	leave()
	db, err := Create(place, passphrase, cheap)
	require.NoError(t, err)
	require.NoDirExists(t, left, "the next one that is made")
	require.Equal(t, Leftovers{Removed: []string{left}, Kept: []string{kept}}, db.Leftovers())
	leave()
	_, err = OpenToLook(place, passphrase)
	require.ErrorIs(t, err, ErrInUse)
	require.DirExists(t, left, "only who has the folder alone")
	require.Equal(t, Leftovers{Kept: []string{kept, left}}, FindLeftovers(place))
	require.NoError(t, db.Close())
	require.NoError(t, reopen(t, place).Close())
	require.NoDirExists(t, left)

	for range 2 { // made, and written anew
		write(".identity.incomplete-12345")
		require.NoError(t, ReplaceFile(identity, []byte("sealed"), 0o600))
		require.NoFileExists(t, filepath.Join(dir, ".identity.incomplete-12345"))
	}
	write(".new.incomplete-1")
	require.NoError(t, writeNew(filepath.Join(dir, "new"), nil))
	require.NoFileExists(t, filepath.Join(dir, ".new.incomplete-1"))

	for _, name := range others {
		require.FileExists(t, filepath.Join(dir, name))
	}
}

// What is built beside a place has the name by which it is found there.
func TestLeftoversAreFound(t *testing.T) {
	place := filepath.Join(t.TempDir(), "db")
	temp, err := os.MkdirTemp(parent(place), TempPattern(place))
	require.NoError(t, err)
	require.Equal(t, Leftovers{Kept: []string{temp}}, FindLeftovers(place))
}

// What cannot be removed, as what root left beside a node that runs as another user, keeps
// neither a database from being made and opened, nor a file from being written.
func TestLeftoversThatStay(t *testing.T) {
	refused := errors.New("permission denied")
	removeAll = func(string) error { return refused }
	t.Cleanup(func() { removeAll = os.RemoveAll })
	dir := t.TempDir()
	place, left := filepath.Join(dir, "db"), filepath.Join(dir, ".db.incomplete-77")
	require.NoError(t, os.Mkdir(left, 0o700))

	db, err := Create(place, passphrase, cheap)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	db = reopen(t, place)
	require.Equal(t, []string{left}, db.Leftovers().Kept)
	require.Empty(t, db.Leftovers().Removed)
	require.ErrorIs(t, db.Leftovers().Error, refused)
	require.NoError(t, db.Close())

	file := filepath.Join(dir, "identity")
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".identity.incomplete-1"), 0o700))
	require.NoError(t, ReplaceFile(file, []byte("sealed"), 0o600))
	require.FileExists(t, file)
	require.NoError(t, writeNew(filepath.Join(dir, "new"), nil))
}
