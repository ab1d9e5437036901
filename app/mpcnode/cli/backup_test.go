package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// withDatabase opens the database of a home made by validator.
func withDatabase(t *testing.T, home string, f func(*storage.DB)) {
	t.Helper()
	db, err := storage.Open(mpcnode.DefaultConfig().PathsOf(home).Database, []byte("horse"), storage.Options{})
	require.NoError(t, err)
	f(db)
	require.NoError(t, db.Close())
}

// fixtureShare is the first participant's record of a fixture key.
func fixtureShare(id string, epoch uint64) types.Record {
	k := fixtures.Shares(2, 1)
	at := time.Unix(1000, 0).UTC()
	return types.Record{
		RecordKey: types.RecordKey{KeyID: types.KeyID(id), Epoch: epoch, Session: types.SessionID{byte(epoch), 1}}, Context: k.Session,
		Algorithm: types.ECDSASecp256k1, Status: types.StatusPending, Data: k.Shares[0], PublicKey: k.Payload.PublicKey,
		Payload: k.Payload.Encode(), Participants: k.Operators, Threshold: k.Threshold, Created: at, Updated: at,
	}
}

// keyState writes what "query mpc key" answers of the fixture key.
func keyState(t *testing.T, id string, edit func(*mpctypes.Key)) string {
	t.Helper()
	k := fixtures.Shares(2, 1)
	key := mpctypes.Key{
		Id: id, Status: mpctypes.KEY_STATUS_READY, Threshold: uint32(k.Threshold), Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1,
		Session: k.Session[:], PublicKey: k.Payload.PublicKey, PublicShares: k.Payload.PublicShares, ParametersHash: k.Payload.ParametersHash[:],
	}
	for _, op := range k.Operators {
		key.Participants = append(key.Participants, string(op))
	}
	edit(&key)
	text, err := codecOf(t).MarshalJSON(&mpctypes.QueryKeyResponse{Key: key})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), id+".json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

func asIs(*mpctypes.Key) {}

// ageKeys writes an age identity to a file, as age-keygen does, and returns its
// recipient.
func ageKeys(t *testing.T) (to, file string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	file = filepath.Join(t.TempDir(), "age.txt")
	require.NoError(t, os.WriteFile(file, []byte("# created by a test\n"+id.String()+"\n"), 0o600))
	return id.Recipient().String(), file
}

func TestBackup(t *testing.T) {
	t.Parallel()
	home := validator(t)
	withDatabase(t, home, func(db *storage.DB) {
		require.NoError(t, db.PutRecord(fixtureShare("treasury", 0)))
		require.NoError(t, db.BindDigest("payment-1", types.Hash{1}, []byte{1}))
	})
	to, secret := ageKeys(t)
	folder := filepath.Join(t.TempDir(), "backups")
	create := []string{"mpc", "backup", "create", folder}

	_, err := run(t, home, create...)
	require.ErrorIs(t, err, backup.ErrKeys)
	require.ErrorContains(t, err, "--recipient")
	_, err = run(t, home, append(create, "--recipient", to, "--backup-passphrase", "env:MPC_TEST_BACKUP")...)
	require.Error(t, err)
	require.NoDirExists(t, folder)

	out, err := run(t, home, append(create, "--recipient", to)...)
	require.NoError(t, err)
	require.Contains(t, out, fromDatabase)
	withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("later", 0))) })
	_, err = run(t, home, append(create, "--recipient", to)...)
	require.NoError(t, err)

	out, err = run(t, home, "mpc", "backup", "list", folder, "-o", "json")
	require.NoError(t, err)
	var listed backupText
	require.NoError(t, json.Unmarshal([]byte(out), &listed))
	require.Len(t, listed.Backups, 2)
	require.Equal(t, 1, newRecords(listed.Backups[1]))
	out, err = run(t, home, "mpc", "backup", "list", folder)
	require.NoError(t, err)
	require.Contains(t, out, "000002.age")
	require.Contains(t, out, listed.Backups[1].File)

	treasury, later := keyState(t, "treasury", asIs), keyState(t, "later", asIs)
	verify := []string{"mpc", "backup", "verify", folder, "--age-identity", secret}
	out, err = run(t, home, append(verify, "--key-state", treasury, "--key-state", later)...)
	require.NoError(t, err)
	require.NotContains(t, out, explained[mpcnode.CheckMissing])
	require.Contains(t, out, explained[mpcnode.CheckFits])
	foreign := keyState(t, "treasury", func(k *mpctypes.Key) { k.PublicKey = fixtures.Shares(3, 1).Payload.PublicKey })
	_, err = run(t, home, append(verify, "--key-state", foreign)...)
	require.ErrorIs(t, err, backup.ErrDamaged)
	require.ErrorContains(t, err, "key treasury")
	_, err = run(t, home, append(verify, "--node", "tcp://127.0.0.1:1")...)
	require.ErrorContains(t, err, "--key-state", "no node is there to ask")
	_, err = run(t, home, append(verify, "--key-state", secret)...)
	require.ErrorContains(t, err, "query mpc key")
	require.NotContains(t, err.Error(), "AGE-SECRET")
	_, wrong := ageKeys(t)
	_, err = run(t, home, "mpc", "backup", "verify", folder, "--age-identity", wrong, "--key-state", treasury)
	require.ErrorIs(t, err, backup.ErrWrongKey)

	// On a new machine, with another passphrase.
	second := fullNode(t)
	nodehome.WritePassphrase(t, second, "pass", "horse")
	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret, "--mpc-passphrase", "file:config/pass"}
	out, err = run(t, second, append(restore, "--key-state", treasury, "--key-state", later)...)
	require.NoError(t, err)
	require.Contains(t, out, "made anew")
	withDatabase(t, second, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		require.Len(t, records, 2)
		require.ErrorIs(t, db.BindDigest("payment-1", types.Hash{1}, []byte{2}), types.ErrDigestBound)
	})
	keysOf := func(home string) []string {
		out, err := run(t, home, "mpc", "identity", "-o", "json")
		require.NoError(t, err)
		var r identityReport
		require.NoError(t, json.Unmarshal([]byte(out), &r))
		return r.Keys
	}
	require.Equal(t, keysOf(home), keysOf(second))
	out, err = run(t, second, restore...)
	require.NoError(t, err, "what is there stays")
	require.Contains(t, out, "the one that was there")
}

// A backup whose files were made with one passphrase, then another one, then for a
// recipient is verified and restored in one go.
func TestBackupWithSeveralKeys(t *testing.T) {
	t.Parallel()
	home := validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	nodehome.WritePassphrase(t, home, "first", "cow")
	nodehome.WritePassphrase(t, home, "second", "calf")
	for i, key := range [][]string{
		{"--backup-passphrase", "file:config/first"}, {"--backup-passphrase", "file:config/second"}, {"--recipient", to},
	} {
		withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare([]string{"a", "b", "c"}[i], 0))) })
		_, err := run(t, home, append([]string{"mpc", "backup", "create", folder}, key...)...)
		require.NoError(t, err)
	}
	first, second, third := []string{"--backup-passphrase", "file:config/first"}, []string{"--backup-passphrase", "file:config/second"}, []string{"--age-identity", secret}
	verify := func(keys ...[]string) error {
		args := []string{"mpc", "backup", "verify", folder}
		for _, id := range []string{"a", "b", "c"} {
			args = append(args, "--key-state", keyState(t, id, asIs))
		}
		for _, k := range keys {
			args = append(args, k...)
		}
		_, err := run(t, home, args...)
		return err
	}
	require.NoError(t, verify(second, third, first))
	err := verify(first, third)
	require.ErrorIs(t, err, backup.ErrWrongKey)
	require.ErrorContains(t, err, "000002.age")
	require.ErrorContains(t, err, "several")

	_, err = run(t, home, "mpc", "backup", "list", folder)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(home, "mpc")))
	restore := append(append(append([]string{"mpc", "backup", "restore", folder}, first...), second...), third...)
	_, err = run(t, home, restore...)
	require.NoError(t, err)
	withDatabase(t, home, func(db *storage.DB) {
		records, err := db.Records()
		require.NoError(t, err)
		require.Len(t, records, 3)
	})
}

// The newest full file is enough, alone in a folder or after others that are broken,
// which list says.
func TestBackupOfTheNewestFullFileAlone(t *testing.T) {
	t.Parallel()
	home := validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	create := []string{"mpc", "backup", "create", folder, "--recipient", to}
	withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("a", 0))) })
	for _, more := range [][]string{nil, {"--full"}} {
		_, err := run(t, home, append(create, more...)...)
		require.NoError(t, err)
	}
	restored := func() {
		t.Helper()
		second := fullNode(t)
		nodehome.WritePassphrase(t, second, "pass", "horse")
		_, err := run(t, second, "mpc", "backup", "restore", folder, "--age-identity", secret, "--mpc-passphrase", "file:config/pass")
		require.NoError(t, err)
	}
	require.NoError(t, os.Remove(filepath.Join(folder, "000001.age")))
	_, err := run(t, home, "mpc", "backup", "list", folder)
	require.ErrorIs(t, err, backup.ErrChain)
	require.ErrorContains(t, err, "from the newest full file, 000002.age, on all is whole")
	restored()

	require.NoError(t, os.Remove(filepath.Join(folder, "000001.json")))
	out, err := run(t, home, "mpc", "backup", "list", folder)
	require.NoError(t, err)
	require.Contains(t, out, "000002.age")
	restored()
	_, err = run(t, home, create...)
	require.NoError(t, err, "it goes on")
	require.FileExists(t, filepath.Join(folder, "000003.age"))
	restored()
}

// The next backup is a full one where files are gone, and says so.
func TestBackupAfterFilesAreGone(t *testing.T) {
	home := validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, _ := ageKeys(t)
	for _, id := range []string{"a", "b"} {
		withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare(id, 0))) })
		out, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
		require.NoError(t, err)
		require.Equal(t, id == "a", strings.Contains(out, "full"))
	}
	require.NoError(t, os.Remove(filepath.Join(folder, "000001.age")))
	out, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	require.Contains(t, out, "full")
	require.FileExists(t, filepath.Join(folder, "000003.age"))
}
