package cli

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Whoever restores reads which requests of the backup were left out.
func TestRestoreNamesDifferingBindings(t *testing.T) {
	t.Parallel()
	said := func(differ ...string) string {
		return restoredText{VaultRestored: mpcnode.VaultRestored{Restored: storage.Restored{Bindings: 3, BindingsDiffer: differ}}}.bindings()
	}
	require.Equal(t, "3", said())
	require.Equal(t, "3; 2 left out that are bound to something else here, which stays: pay-1, pay-2", said("pay-1", "pay-2"))
	many := make([]string, maxNamed+5)
	for i := range many {
		many[i] = fmt.Sprintf("pay-%02d", i)
	}
	text := said(many...)
	require.Contains(t, text, "15 left out")
	require.Contains(t, text, many[maxNamed-1])
	require.NotContains(t, text, many[maxNamed])
	require.Contains(t, text, "--output json")
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	home := validator(t)
	withDatabase(t, home, func(db *storage.DB) {
		require.NoError(t, db.PutRecord(fixtureShare("a", 0)))
		require.NoError(t, db.PutRecord(fixtureShare("b", 0)))
	})
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret}

	// What the chain says.
	for name, state := range map[string]string{
		"deleted": keyState(t, "a", func(k *mpctypes.Key) { k.Status = mpctypes.KEY_STATUS_DELETED }),
		"epoch":   keyState(t, "a", func(k *mpctypes.Key) { k.Epoch = 3 }),
	} {
		_, err = run(t, home, append(restore, "--key-state", state)...)
		require.ErrorIs(t, err, types.ErrRestore, name)
		require.ErrorContains(t, err, "key a ", name)
		_, err = run(t, home, append(restore, "--key-state", state, "--key", "b")...)
		require.NoError(t, err, name)
	}
	_, err = run(t, home, append(restore, "--key", "c")...)
	require.ErrorContains(t, err, "nothing of key c")

	// What the database says.
	withDatabase(t, home, func(db *storage.DB) {
		newer := fixtureShare("a", 1)
		require.NoError(t, db.PutRecord(newer))
		newer.Data, newer.Status = nil, types.StatusReady
		require.NoError(t, db.PutRecord(newer))
		require.NoError(t, db.DestroyRecord(fixtureShare("a", 0).RecordKey))
		require.NoError(t, db.DestroyKey("b"))
	})
	_, err = run(t, home, append(restore, "--key", "a")...)
	require.ErrorIs(t, err, storage.ErrOlderEpoch)
	_, err = run(t, home, append(restore, "--key", "b")...)
	require.ErrorIs(t, err, types.ErrKeyDeleted)
	_, err = run(t, home, restore...)
	require.ErrorIs(t, err, types.ErrKeyDeleted)
	withDatabase(t, home, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		require.Len(t, records, 1)
		require.Equal(t, uint64(1), records[0].Epoch)
	})
}

// TestRestoreAfterReshare: a backup that was made before the old epoch was destroyed has
// both; the one that signs nothing any more is left out, unless it is the only one.
func TestRestoreAfterReshare(t *testing.T) {
	record := func(key string, epoch uint64) types.Record {
		return types.Record{RecordKey: types.RecordKey{KeyID: types.KeyID(key), Epoch: epoch}, Data: []byte("share")}
	}
	saved := &backup.Saved{}
	saved.Records = []types.Record{record("both", 0), record("both", 1), record("old", 0), record("same", 0)}
	dropped := saved.Records[0].Data
	checks := leaveOutOlder(saved, []mpcnode.ShareCheck{
		{KeyID: "both", Epoch: 0, Outcome: mpcnode.CheckOlderEpoch}, {KeyID: "both", Epoch: 1, Outcome: mpcnode.CheckFits},
		{KeyID: "old", Epoch: 0, Outcome: mpcnode.CheckOlderEpoch}, {KeyID: "same", Epoch: 0, Outcome: mpcnode.CheckFits},
	})
	require.Equal(t, []types.Record{record("both", 1), record("old", 0), record("same", 0)}, saved.Records)
	require.Equal(t, make([]byte, 5), dropped, "wiped")
	err := refuseByChain(checks)
	require.ErrorIs(t, err, types.ErrRestore)
	require.ErrorContains(t, err, "key old")
	require.NotContains(t, err.Error(), "both")
}

// A backup of another chain, or of another node, is refused, with what to do; nothing is
// written.
func TestRestoreFromElsewhere(t *testing.T) {
	home := validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("a", 0))) })
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret}

	stranger := validator(t)
	_, err = run(t, stranger, restore...)
	require.ErrorIs(t, err, mpcnode.ErrOtherNode)
	require.ErrorIs(t, err, types.ErrRestore)
	require.ErrorContains(t, err, "--participant")
	require.NotContains(t, err.Error(), "--identity-only")
	_, err = run(t, stranger, append(restore, "--participant", operator)...)
	require.ErrorIs(t, err, mpcnode.ErrOtherNode, "the shares are not that operator's")
	withDatabase(t, stranger, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		require.Empty(t, records)
	})

	moved := t.TempDir()
	_, err = run(t, moved, "init", "node", "--chain-id", "seq-2", "--no-mpc")
	require.NoError(t, err)
	nodehome.WritePassphrase(t, moved, "pass", "horse")
	restore = append(restore, "--mpc-passphrase", "file:config/pass")
	_, err = run(t, moved, restore...)
	require.ErrorIs(t, err, mpcnode.ErrOtherChain)
	require.ErrorContains(t, err, "--from-chain seq-1")
	require.NoDirExists(t, filepath.Join(moved, "mpc"))
	_, err = run(t, moved, append(restore, "--from-chain", "seq-0")...)
	require.ErrorIs(t, err, mpcnode.ErrOtherChain)
	_, err = run(t, moved, append(restore, "--from-chain", "seq-1")...)
	require.NoError(t, err)
}
