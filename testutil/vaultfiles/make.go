package vaultfiles

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/storage"
)

// Make makes an empty database and an identity with one passphrase, in folders that need
// not be there.
func Make(t *testing.T, database, identity, passphrase string) {
	t.Helper()
	cheap := storage.Options{KDF: &storage.KDF{Time: 1, MemoryKiB: 8, Threads: 1}}
	require.NoError(t, os.MkdirAll(filepath.Dir(database), 0o700))
	db, err := storage.Create(database, []byte(passphrase), cheap)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = storage.CreateIdentity(identity, []byte(passphrase), cheap)
	require.NoError(t, err)
}
