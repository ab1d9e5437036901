package storage

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLeftoversGo: what a crash left beside a place is removed by who next has the place to
// itself, and nothing else is.
func TestLeftoversGo(t *testing.T) {
	dir := t.TempDir()
	others := []string{".db", ".db-", ".db-1a", ".db2-1", "db-1", ".identity-x", ".other-1"}
	write := func(name string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	for _, name := range others {
		write(name)
	}
	place, identity := filepath.Join(dir, "db"), filepath.Join(dir, "identity")
	left := filepath.Join(dir, ".db-77")
	leave := func() { // a whole database, as it is before it gets its name
		db, err := Create(left, passphrase, cheap)
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}

	leave()
	db, err := Create(place, passphrase, cheap)
	require.NoError(t, err)
	require.NoDirExists(t, left, "the next one that is made")
	leave()
	_, err = OpenToLook(place, passphrase)
	require.ErrorIs(t, err, ErrInUse)
	require.DirExists(t, left, "only who has the folder alone")
	require.NoError(t, db.Close())
	require.NoError(t, reopen(t, place).Close())
	require.NoDirExists(t, left)

	for range 2 { // made, and written anew
		write(".identity-12345")
		require.NoError(t, ReplaceFile(identity, []byte("sealed"), 0o600))
		require.NoFileExists(t, filepath.Join(dir, ".identity-12345"))
	}
	write(".new-1")
	require.NoError(t, writeNew(filepath.Join(dir, "new"), nil))
	require.NoFileExists(t, filepath.Join(dir, ".new-1"))

	for _, name := range others {
		require.FileExists(t, filepath.Join(dir, name))
	}
}
