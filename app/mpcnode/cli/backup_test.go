package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
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

// Verify fails, with a list, if the backup lacks a share of a key of this participant.
func TestVerifyMissesShares(t *testing.T) {
	t.Parallel()
	home := validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("held", 0))) })
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	verify := func(states ...string) (string, error) {
		args := []string{"mpc", "backup", "verify", folder, "--age-identity", secret}
		for _, s := range states {
			args = append(args, "--key-state", s)
		}
		return run(t, home, args...)
	}
	held, later := keyState(t, "held", asIs), keyState(t, "later", asIs)
	reshared := keyState(t, "held", func(k *mpctypes.Key) { k.Epoch = 4 })
	foreign := keyState(t, "foreign", func(k *mpctypes.Key) { k.Participants = []string{operator} })
	_, err = verify(held, foreign)
	require.NoError(t, err, "a key of others")
	for state, want := range map[string]string{later: "key later epoch 0", reshared: "key held epoch 4"} {
		out, err := verify(state, foreign)
		require.ErrorIs(t, err, backup.ErrIncomplete)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "foreign")
		require.Contains(t, out, explained[mpcnode.CheckMissing])
	}
	args := []string{"mpc", "backup", "verify", folder, "--age-identity", secret, "--key-state", foreign}
	_, err = run(t, home, append(args, "--participant", operator)...)
	require.ErrorContains(t, err, "key foreign epoch 0")
	_, err = run(t, home, append(args, "--participant", "bob")...)
	require.ErrorContains(t, err, "no operator address")
}

// Verify fails for what it could not prove: a key that nobody told about, an identity that
// is not the one of now, shares of somebody else.
func TestVerifyProvesAll(t *testing.T) {
	home := validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	withDatabase(t, home, func(db *storage.DB) {
		require.NoError(t, db.PutRecord(fixtureShare("held", 0)))
		require.NoError(t, db.PutRecord(fixtureShare("rolled-back", 0)))
	})
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	owner := fixtureShare("held", 0).Participants[0]
	registered := func(of string, keys ...[]byte) string {
		p := mpctypes.Participant{Operator: of}
		for i, k := range keys {
			p.Identities = append(p.Identities, mpctypes.Identity{Version: uint32(i + 1), PublicKey: k})
		}
		text, err := codec.NewProtoCodec(codectypes.NewInterfaceRegistry()).MarshalJSON(&mpctypes.QueryParticipantResponse{Participant: p})
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "participant.json")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return path
	}
	mine, err := storage.ReadIdentityPublic(mpcnode.DefaultConfig().PathsOf(home).Identity)
	require.NoError(t, err)
	verify := func(more ...string) (string, error) {
		return run(t, home, append([]string{
			"mpc", "backup", "verify", folder, "--age-identity", secret, "--key-state", keyState(t, "held", asIs),
		}, more...)...)
	}
	_, err = verify()
	require.ErrorIs(t, err, backup.ErrUnproved)
	require.ErrorContains(t, err, "key rolled-back epoch 0")
	require.NotContains(t, err.Error(), "key held")
	out, err := verify("--allow-unknown")
	require.NoError(t, err)
	require.Contains(t, out, "identity: not compared")

	out, err = verify("--allow-unknown", "--participant-state", registered(string(owner), make([]byte, 32), mine[0]))
	require.NoError(t, err)
	require.Contains(t, out, "identity: the one that is registered is in it")
	out, err = verify("--allow-unknown", "--participant-state", registered(string(owner), mine[0], make([]byte, 32)))
	require.ErrorIs(t, err, backup.ErrIdentityMissing)
	require.Contains(t, out, "NOT THE ONE")
	_, err = verify("--allow-unknown", "--participant-state", registered(operator, mine[0]))
	require.ErrorIs(t, err, mpcnode.ErrOtherNode)
	_, err = verify("--participant-state", secret)
	require.ErrorContains(t, err, "no answer of")
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

// The chain is asked whose the identity in the backup is, and for all keys of that
// participant, also those that the backup does not know.
func TestVerifyAsksTheChain(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("known", 1)
	f.ReadyKey("made-since", 1)
	f.KeyGen("failed", 1)
	newcomer := f.AddValidator(3)
	f.Register(newcomer)
	helper := baseapp.NewQueryServerTestHelper(f.Ctx, f.Cdc.InterfaceRegistry())
	mpctypes.RegisterQueryServer(helper, f.Query)
	client := mpctypes.NewQueryClient(helper)
	self := f.Participants[1]
	saved := &backup.Saved{Seeds: [][]byte{make([]byte, 32), self.Identity.Seed()}}
	for _, id := range []string{"known", "unknown", "failed"} {
		saved.Records = append(saved.Records, types.Record{RecordKey: types.RecordKey{KeyID: types.KeyID(id)}})
	}
	ids := func(keys map[string]mpctypes.Key) []string { return slices.Sorted(maps.Keys(keys)) }
	keys, who, err := askChain(t.Context(), client, saved, "")
	require.NoError(t, err)
	require.Equal(t, self.Operator, string(who))
	require.Equal(t, []string{"failed", "known", "made-since"}, ids(keys))

	saved.Seeds[1] = newcomer.Identity.Seed()
	keys, who, err = askChain(t.Context(), client, saved, "")
	require.NoError(t, err)
	require.Equal(t, newcomer.Operator, string(who))
	require.Equal(t, []string{"failed", "known"}, ids(keys), "it should have a share of none")

	saved.Seeds = saved.Seeds[:1]
	keys, who, err = askChain(t.Context(), client, saved, "")
	require.NoError(t, err)
	require.Empty(t, who, "nobody registered it")
	require.Equal(t, []string{"failed", "known"}, ids(keys))
	keys, _, err = askChain(t.Context(), client, saved, types.Operator(self.Operator))
	require.NoError(t, err)
	require.Contains(t, keys, "made-since")
}
