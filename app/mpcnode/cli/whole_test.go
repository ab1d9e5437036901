package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// operations are the lines in the audit log of a home.
func operations(t *testing.T, home string) []string {
	t.Helper()
	r, err := audit.Verify(mpcnode.DefaultConfig().PathsOf(home).Folder)
	require.NoError(t, err)
	return r.Notes
}

// Of a node whose identity is gone, and whose database is newer than the backup, the
// identity comes back alone, or a new one is made; the database is kept.
func TestIdentityBesideANewerDatabase(t *testing.T) {
	t.Parallel()
	home := validator(t)
	withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("a", 0))) })
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	newer := fixtureShare("a", 1)
	withDatabase(t, home, func(db *storage.DB) {
		require.NoError(t, db.PutRecord(newer))
		newer.Data, newer.Status = nil, types.StatusReady
		require.NoError(t, db.PutRecord(newer))
		require.NoError(t, db.DestroyRecord(fixtureShare("a", 0).RecordKey))
	})
	identity := mpcnode.DefaultConfig().PathsOf(home).Identity
	before, err := storage.ReadIdentityPublic(identity)
	require.NoError(t, err)
	require.NoError(t, os.Remove(identity))

	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret}
	_, err = run(t, home, restore...)
	require.ErrorIs(t, err, storage.ErrOlderEpoch)
	require.ErrorContains(t, err, "--identity-only")
	require.NoFileExists(t, identity)
	out, err := run(t, home, append(restore, "--identity-only")...)
	require.NoError(t, err)
	require.Contains(t, out, "made anew")
	require.NotContains(t, out, "database  ", "nothing is said of it")
	after, err := storage.ReadIdentityPublic(identity)
	require.NoError(t, err)
	require.Equal(t, before, after)

	// Of an older copy of the identity the newer keys are added.
	older, err := os.ReadFile(identity)
	require.NoError(t, err)
	_, err = run(t, home, "mpc", "identity", "rotate")
	require.NoError(t, err)
	_, err = run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(identity, older, 0o600))
	out, err = run(t, home, append(restore, "--identity-only")...)
	require.NoError(t, err)
	require.Contains(t, out, "and 1 newer keys of the backup")
	rotated, err := storage.ReadIdentityPublic(identity)
	require.NoError(t, err)
	require.Len(t, rotated, 2)

	// A new one.
	require.NoError(t, os.Remove(identity))
	out, err = run(t, home, "mpc", "identity", "create")
	require.NoError(t, err)
	require.Contains(t, out, "kept with its shares")
	require.Contains(t, out, "sequencerd mpc register")
	fresh, err := storage.ReadIdentityPublic(identity)
	require.NoError(t, err)
	require.NotContains(t, rotated, fresh[0])
	withDatabase(t, home, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		require.Len(t, records, 1)
		require.True(t, records[0].HasData && records[0].Epoch == 1)
	})
	lines := operations(t, home)
	require.Len(t, lines, 6)
	for i, event := range []string{
		audit.BackedUp, audit.IdentityRestored, audit.IdentityRotated, audit.BackedUp, audit.IdentityRestored, audit.IdentityMade,
	} {
		require.Contains(t, lines[i], ": "+event+": ")
	}
}

// Of a node whose database is lost for good, the identity goes on with an empty one, if
// its operator says so.
func TestDatabaseThatIsLostForGood(t *testing.T) {
	t.Parallel()
	home := validator(t)
	paths := mpcnode.DefaultConfig().PathsOf(home)
	create := []string{"mpc", "database", "create"}
	_, err := run(t, home, append(create, "--shares-are-lost")...)
	require.ErrorIs(t, err, storage.ErrExists, "it is not lost")
	before, err := os.ReadFile(paths.Identity)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(paths.Database))
	_, err = run(t, home, "mpc", "identity", "create")
	require.ErrorIs(t, err, mpcnode.ErrNoDatabase)
	require.ErrorContains(t, err, "sequencerd mpc database create")
	_, err = run(t, home, create...)
	require.ErrorContains(t, err, "mpc backup restore")
	require.NoDirExists(t, paths.Database)

	out, err := run(t, home, append(create, "--shares-are-lost")...)
	require.NoError(t, err)
	require.Contains(t, out, "the identity was kept")
	after, err := os.ReadFile(paths.Identity)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
	withDatabase(t, home, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		require.Empty(t, records)
	})
	require.Contains(t, operations(t, home)[0], audit.DatabaseMade)

	_, err = run(t, fullNode(t), append(create, "--shares-are-lost")...)
	require.ErrorIs(t, err, storage.ErrNoIdentity)
}

// Nobody whose node lost something is told to make it anew before looking for a backup.
func TestWhatIsGoneIsRestored(t *testing.T) {
	t.Parallel()
	nodeOf := func(gone func(mpcnode.Paths) string) string {
		home := validator(t)
		require.NoError(t, os.RemoveAll(gone(mpcnode.DefaultConfig().PathsOf(home))))
		return home
	}
	noIdentity := nodeOf(func(p mpcnode.Paths) string { return p.Identity })
	noDatabase := nodeOf(func(p mpcnode.Paths) string { return p.Database })
	nothing := nodeOf(func(p mpcnode.Paths) string { return p.Folder })
	both := [][]string{
		{"mpc", "backup", "create", t.TempDir(), "--recipient", "age1"}, {"mpc", "passphrase", "change", "--new-mpc-passphrase", "env:NEW"},
	}
	identity := append(both, []string{"mpc", "register", "--from", "alice"}, []string{"mpc", "identity", "rotate"},
		[]string{"mpc", "add-genesis-participant", operator}, []string{"mpc", "database", "create", "--shares-are-lost"})
	for _, args := range identity {
		_, err := run(t, noIdentity, args...)
		require.ErrorIs(t, err, mpcnode.ErrNoIdentity, args)
		require.ErrorContains(t, err, "backup restore --identity-only")
		_, err = run(t, nothing, args...)
		require.ErrorIs(t, err, storage.ErrNoIdentity, args)
		require.Regexp(t, "if the node had one, .* backup restore; .* identity create", err.Error())
	}
	for _, args := range append(both, []string{"mpc", "keys"}) {
		_, err := run(t, noDatabase, args...)
		require.ErrorIs(t, err, mpcnode.ErrNoDatabase, args)
		require.ErrorContains(t, err, "backup restore")
		require.NotContains(t, err.Error(), "identity create", "which would be refused")
	}
	_, err := run(t, nothing, "mpc", "keys")
	require.ErrorIs(t, err, storage.ErrNoDatabase)
	require.Regexp(t, "if the node had one, .* backup restore; .* identity create", err.Error())
}
