package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// putReady stores a share that became READY.
func putReady(t *testing.T, db *storage.DB, r types.Record) {
	t.Helper()
	require.NoError(t, db.PutRecord(r))
	r.Data, r.Status = nil, types.StatusReady
	require.NoError(t, db.PutRecord(r))
}

// A machine that does not run is put back to a copy of before a reshare that was being tested when
// the newest backup was made: nobody there knows whether the chain chose the new shares, so the file
// is added, and create says what it lacks. So it does where a manifest of before is missing.
func TestBackupLacksStagedShares(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		home, folder := validator(t), filepath.Join(t.TempDir(), "backups")
		to, secret := ageKeys(t)
		create := []string{"mpc", "backup", "create", folder, "--recipient", to}
		withDatabase(t, home, func(db *storage.DB) { putReady(t, db, fixtureShare("treasury", 0)) })
		_, err := run(t, home, create...)
		require.NoError(t, err)
		withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("treasury", 1))) })
		_, err = run(t, home, create...)
		require.NoError(t, err)
		if broken {
			require.NoError(t, os.Remove(filepath.Join(folder, "000001.json")))
		}
		withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.DestroyRecord(fixtureShare("treasury", 1).RecordKey)) })
		said, err := complains(t, home, append(create, "--full")...)
		require.NoError(t, err)
		require.Contains(t, said, "this backup lacks shares of treasury epoch 1 that file 2 has, which were not READY then")
		require.NotContains(t, said, "lacks shares of treasury that")
		if broken {
			continue
		}
		_, err = run(t, home, "mpc", "backup", "restore", folder, "--age-identity", secret, "--upto", "2")
		require.NoError(t, err)
		said, err = complains(t, home, create...)
		require.NoError(t, err)
		require.Empty(t, said)
	}
}

// A machine is put back to a copy of before a reshare, and its nightly backup runs: it adds
// nothing, unless it is told to, and what was saved is restored all the same.
func TestBackupOfAnOlderCopy(t *testing.T) {
	t.Parallel()
	home, folder := validator(t), filepath.Join(t.TempDir(), "backups")
	database := mpcnode.DefaultConfig().PathsOf(home).Database
	to, secret := ageKeys(t)
	create := []string{"mpc", "backup", "create", folder, "--recipient", to}
	withDatabase(t, home, func(db *storage.DB) {
		putReady(t, db, fixtureShare("treasury", 0))
		putReady(t, db, fixtureShare("passing", 0))
	})
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	require.NoError(t, os.CopyFS(snapshot, os.DirFS(database)))
	withDatabase(t, home, func(db *storage.DB) {
		putReady(t, db, fixtureShare("treasury", 1))
		require.NoError(t, db.DestroyRecord(fixtureShare("passing", 0).RecordKey))
	})
	_, err := run(t, home, create...)
	require.NoError(t, err)

	require.NoError(t, os.Rename(database, database+".kept"))
	require.NoError(t, os.Rename(snapshot, database))
	_, err = run(t, home, create...)
	require.ErrorIs(t, err, backup.ErrLost)
	require.ErrorContains(t, err, "of treasury the node has an older epoch")
	require.NoFileExists(t, filepath.Join(folder, "000002.age"))

	said, err := complains(t, home, append(create, "--shares-are-lost")...)
	require.NoError(t, err)
	require.Contains(t, said, "lacks shares of treasury that file 1 has")
	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret}
	_, err = run(t, home, append(restore, "--upto", "3")...)
	require.ErrorIs(t, err, backup.ErrNone)
	_, err = run(t, home, append(restore, "--upto", "0")...)
	require.ErrorContains(t, err, "numbers from 1")
	out, err := run(t, home, "mpc", "backup", "list", folder, "--upto", "1")
	require.NoError(t, err)
	require.NotContains(t, out, "000002")
	_, err = run(t, home, append(restore, "--upto", "1")...)
	require.NoError(t, err)
	withDatabase(t, home, func(db *storage.DB) {
		_, err := db.OpenShare(fixtureShare("treasury", 1).RecordKey)
		require.NoError(t, err)
	})
	_, err = run(t, home, create...)
	require.NoError(t, err)
}
