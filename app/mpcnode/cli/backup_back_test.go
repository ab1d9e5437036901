package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
)

// The chain goes back over a reshare, by so many blocks that the share of the epoch before is
// destroyed: it is put back from the file that has it, and on top of that from the newest file
// all that was made since, of this key and all others, with the bindings. So is a key that was
// destroyed and whose deletion is taken back.
func TestRestoreTheEpochOfTheChain(t *testing.T) {
	t.Parallel()
	home, folder := validator(t), filepath.Join(t.TempDir(), "backups")
	database := mpcnode.DefaultConfig().PathsOf(home).Database
	to, secret := ageKeys(t)
	create := []string{"mpc", "backup", "create", folder, "--recipient", to}
	withDatabase(t, home, func(db *storage.DB) {
		for _, key := range []string{"treasury", "other", "deleted"} {
			putReady(t, db, fixtureShare(key, 0))
		}
		require.NoError(t, db.BindDigest("payment-1", types.Hash{1}, []byte{1}))
	})
	_, err := run(t, home, create...)
	require.NoError(t, err)
	withDatabase(t, home, func(db *storage.DB) {
		for _, key := range []string{"treasury", "other"} {
			putReady(t, db, fixtureShare(key, 1))
			require.NoError(t, db.DestroyRecord(fixtureShare(key, 0).RecordKey))
		}
		require.NoError(t, db.DestroyKey("deleted"))
	})
	_, err = run(t, home, create...)
	require.NoError(t, err)

	// It goes back, and begins again under another id. What the node has is saved first.
	nodehome.Edit(t, home, "genesis.json", `"seq-1"`, `"seq-2"`)
	withDatabase(t, home, func(db *storage.DB) {
		putReady(t, db, fixtureShare("later", 0))
		require.NoError(t, db.BindDigest("payment-2", types.Hash{2}, []byte{2}))
	})
	_, err = run(t, home, append(create, "--full")...)
	require.NoError(t, err)
	require.NoError(t, os.Rename(database, database+".kept"))

	// Which file has the epoch, and that one first.
	out, err := run(t, home, "mpc", "backup", "list", folder, "--upto", "1")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^treasury +0 `, out)
	out, err = run(t, home, "mpc", "backup", "list", folder, "--upto", "2")
	require.NoError(t, err)
	require.NotRegexp(t, `(?m)^treasury +0 `, out)
	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret}
	first := append(restore, "--upto", "1", "--key", "treasury", "--key", "deleted")
	_, err = run(t, home, first...)
	require.ErrorIs(t, err, mpcnode.ErrOtherChain)
	_, err = run(t, home, append(first, "--from-chain", "seq-1")...)
	require.NoError(t, err)
	out, err = run(t, home, restore...)
	require.NoError(t, err)
	require.Contains(t, out, "the one that was there")
	withDatabase(t, home, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		have := map[types.RecordKey]types.Status{}
		for _, r := range records {
			have[r.RecordKey] = r.Status
			_, err := db.OpenShare(r.RecordKey)
			require.NoError(t, err)
		}
		ready := map[types.RecordKey]types.Status{}
		for _, r := range []types.Record{
			fixtureShare("treasury", 0), fixtureShare("treasury", 1), fixtureShare("other", 1), fixtureShare("later", 0), fixtureShare("deleted", 0),
		} {
			ready[r.RecordKey] = types.StatusReady
		}
		require.Equal(t, ready, have)
		bound, err := db.Bindings()
		require.NoError(t, err)
		require.Equal(t, []storage.Binding{
			{SignatureID: "payment-1", Content: types.Hash{1}, Digest: []byte{1}}, {SignatureID: "payment-2", Content: types.Hash{2}, Digest: []byte{2}},
		}, bound)
	})
	_, err = run(t, home, create...)
	require.NoError(t, err, "nothing is lost")

	// The other way round it is refused: what is there is newer.
	require.NoError(t, os.RemoveAll(database))
	_, err = run(t, home, append(restore, "--upto", "3")...)
	require.NoError(t, err)
	_, err = run(t, home, append(restore, "--upto", "1", "--from-chain", "seq-1", "--key", "treasury")...)
	require.ErrorIs(t, err, storage.ErrOlderEpoch)
}
