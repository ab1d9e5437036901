package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// keysState writes a page of what "query mpc keys" answers: these answers of keyState.
func keysState(t *testing.T, next string, states ...string) string {
	t.Helper()
	answer := mpctypes.QueryKeysResponse{Pagination: &query.PageResponse{NextKey: []byte(next)}}
	for _, path := range states {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		var one mpctypes.QueryKeyResponse
		require.NoError(t, codecOf(t).UnmarshalJSON(text, &one))
		answer.Keys = append(answer.Keys, one.Key)
	}
	text, err := codecOf(t).MarshalJSON(&answer)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// complains runs a command, and returns what it says aside.
func complains(t *testing.T, home string, args ...string) (string, error) {
	t.Helper()
	var said bytes.Buffer
	root := host(t)
	root.SetOut(new(bytes.Buffer))
	root.SetErr(&said)
	root.SetArgs(append(args, "--home", home))
	err := execute(root, home)
	return said.String(), err
}

// TestRestoreManyKeys: of a backup of many keys those that the chain has no use for are
// left out one by one, the others are restored in one go; one answer of the chain tells of
// all, and which key the backup lacks.
func TestRestoreManyKeys(t *testing.T) {
	t.Parallel()
	home := validator(t)
	withDatabase(t, home, func(db *storage.DB) {
		for _, id := range []string{"a", "b", "deleted", "deleting", "older"} {
			require.NoError(t, db.PutRecord(fixtureShare(id, 0)))
		}
	})
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	deleted := keyState(t, "deleted", func(k *mpctypes.Key) { k.Status = mpctypes.KEY_STATUS_DELETED })
	isDeleted := func(k *mpctypes.Key) { k.Status, k.RetireHeight = mpctypes.KEY_STATUS_DELETING, 700 }
	deleting, deletedSince := keyState(t, "deleting", isDeleted), keyState(t, "deleting-since", isDeleted)
	older := keyState(t, "older", func(k *mpctypes.Key) { k.Epoch = 3 })
	foreign := keyState(t, "foreign", func(k *mpctypes.Key) { k.Participants = []string{operator} })
	first := keysState(t, "b", keyState(t, "a", asIs))
	rest := keysState(t, "", keyState(t, "b", asIs), deleted, deleting, deletedSince, older, foreign, keyState(t, "since", asIs))
	dump := []string{"--key-state", first, "--key-state", rest}

	second := fullNode(t)
	nodehome.WritePassphrase(t, second, "pass", "horse")
	restore := append([]string{"mpc", "backup", "restore", folder, "--age-identity", secret, "--mpc-passphrase", "file:config/pass"}, dump...)
	_, err = run(t, second, restore...)
	require.ErrorIs(t, err, types.ErrRestore)
	for _, want := range []string{"key deleted ", "key older ", "--skip-key"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "key deleting ", "its owner can take that back")
	_, err = run(t, second, append(restore, "--skip-key", "deleted")...)
	require.ErrorContains(t, err, "key older ")
	require.NotContains(t, err.Error(), "key deleted ")
	_, err = run(t, second, append(restore, "--skip-key", "none")...)
	require.ErrorContains(t, err, "nothing of key none")
	_, err = run(t, second, append(restore, "--skip-key", "older", "--key", "a")...)
	require.ErrorContains(t, err, "skip-key")
	require.NoDirExists(t, filepath.Join(second, "mpc"))

	out, err := run(t, second, append(restore, "--skip-key", "deleted,older")...)
	require.NoError(t, err)
	require.Contains(t, out, "NOT IN IT")
	require.Contains(t, out, "sequencerd tx mpc refresh")
	require.Contains(t, out, "key since, which is READY on chain")
	require.Contains(t, out, "key deleting-since, which is being deleted on chain")
	for _, other := range []string{"key a,", "key deleting,", "key older,", "key foreign,"} {
		require.NotContains(t, out, other)
	}
	withDatabase(t, second, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		require.Len(t, records, 3)
		require.Equal(t, []types.KeyID{"a", "b", "deleting"}, []types.KeyID{records[0].KeyID, records[1].KeyID, records[2].KeyID})
	})

	verify := []string{"mpc", "backup", "verify", folder, "--age-identity", secret}
	out, err = run(t, home, append(verify, dump...)...)
	require.ErrorIs(t, err, backup.ErrIncomplete)
	require.Contains(t, out, "fits the chain; the key is being deleted, which its owner can take back before block 700")
	require.Contains(t, out, "being deleted on chain, which its owner can take back before block 700, and no share here fits it")
	said, err := complains(t, home, append(verify, dump...)...)
	require.ErrorIs(t, err, backup.ErrIncomplete)
	require.ErrorContains(t, err, "key since ")
	require.ErrorContains(t, err, "key deleting-since ")
	require.NotContains(t, err.Error(), "foreign")
	require.NotContains(t, said, "further pages")
	said, err = complains(t, home, append(verify, "--key-state", first, "--allow-unknown")...)
	require.NoError(t, err)
	require.Contains(t, said, "the answer has further pages")
	_, err = run(t, home, append(verify, "--key-state", secret)...)
	require.ErrorContains(t, err, "query mpc keys")
}

// TestRestoreSkipsWhatWasDestroyed: what the database refuses can be left out as well.
func TestRestoreSkipsWhatWasDestroyed(t *testing.T) {
	t.Parallel()
	home := validator(t)
	withDatabase(t, home, func(db *storage.DB) {
		for _, id := range []string{"a", "b"} {
			require.NoError(t, db.PutRecord(fixtureShare(id, 0)))
		}
	})
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	withDatabase(t, home, func(db *storage.DB) {
		require.NoError(t, db.DestroyKey("a"))
		require.NoError(t, db.DestroyRecord(fixtureShare("b", 0).RecordKey))
	})
	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret}
	_, err = run(t, home, restore...)
	require.ErrorIs(t, err, types.ErrKeyDeleted)
	require.ErrorContains(t, err, "--skip-key")
	_, err = run(t, home, append(restore, "--skip-key", "a")...)
	require.NoError(t, err)
	withDatabase(t, home, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		require.Len(t, records, 1)
		require.Equal(t, types.KeyID("b"), records[0].KeyID)
	})
}
