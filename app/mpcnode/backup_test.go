package mpcnode

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// fixtureRecord is the record of a participant of a fixture key.
func fixtureRecord(k fixtures.KeySet, id string, i int) types.Record {
	at := time.Unix(1000, 0).UTC()
	return types.Record{
		RecordKey: types.RecordKey{KeyID: types.KeyID(id), Session: types.SessionID{1}}, Context: k.Session,
		Algorithm: types.ECDSASecp256k1, Status: types.StatusPending, Data: k.Shares[i], PublicKey: k.Payload.PublicKey,
		Payload: k.Payload.Encode(), Participants: k.Operators, Threshold: k.Threshold, Created: at, Updated: at,
	}
}

// chainKey is what the chain has of it.
func chainKey(k fixtures.KeySet, id string) mpcmodule.Key {
	return mpcmodule.Key{
		Id: id, Status: mpcmodule.KEY_STATUS_READY, Threshold: uint32(k.Threshold), Participants: texts(k.Operators),
		Session: k.Session[:], PublicKey: k.Payload.PublicKey, PublicShares: k.Payload.PublicShares,
		ParametersHash: k.Payload.ParametersHash[:],
	}
}

// newVault is an open one in a home of its own.
func newVault(t *testing.T) (*Vault, Paths) {
	t.Helper()
	cfg, home := vaultConfig(t, "horse")
	v := makeVault(t, cfg, home)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v, cfg.PathsOf(home)
}

// recipient is an age identity and its public half.
func recipient(t *testing.T) (string, backup.Identities) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	with, err := backup.WithIdentities(strings.NewReader(id.String()))
	require.NoError(t, err)
	return id.Recipient().String(), with
}

// A running node saves what it has through its socket; a second node is made of it.
func TestBackupThroughTheSocket(t *testing.T) {
	v, paths := newVault(t)
	k := fixtures.Shares(2, 1)
	require.NoError(t, v.Database().PutRecord(fixtureRecord(k, "treasury", 0)))
	require.NoError(t, v.Database().BindDigest("payment-1", types.Hash{1}, []byte{1}))
	var recorded []Operation
	saves := &backups{
		vault: v, identity: paths.Identity, chainID: "seq-1", word: nowhere, record: func(o Operation) { recorded = append(recorded, o) },
	}
	path := filepath.Join(t.TempDir(), "mpc.sock")
	serveSocket(t, path, reporter{idleEngine(t), noPeers{}, newActivity(), nil, saves}.handler())
	to, with := recipient(t)
	folder := backup.At(filepath.Join(t.TempDir(), "backups"))
	create := func(r BackupRequest) error {
		head, err := folder.Head()
		require.NoError(t, err)
		r.Last = head.Last
		_, err = NewClient(path).Backup(t.Context(), &r, func(m backup.Manifest, content io.Reader) error {
			_, err := folder.Add(m, func(w io.Writer) error { _, err := io.Copy(w, content); return err })
			return err
		})
		return err
	}
	require.NoError(t, create(BackupRequest{Passphrase: []byte("horse"), Recipients: []string{to}}))
	require.NoError(t, v.Database().BindDigest("payment-2", types.Hash{2}, []byte{2}))
	require.NoError(t, create(BackupRequest{Passphrase: []byte("horse"), Recipients: []string{to}}))

	// The socket alone gives nothing away.
	err := create(BackupRequest{Passphrase: []byte("cow"), Recipients: []string{to}})
	require.ErrorContains(t, err, "wrong passphrase")
	err = create(BackupRequest{Recipients: []string{to}})
	require.ErrorContains(t, err, "passphrase is empty")
	err = create(BackupRequest{Passphrase: []byte("horse")})
	require.ErrorContains(t, err, "recipients")
	err = create(BackupRequest{Passphrase: []byte("horse"), Recipients: []string{"age1x"}})
	require.ErrorContains(t, err, "age1x")
	saves.mu.Lock()
	err = create(BackupRequest{Passphrase: []byte("horse"), Recipients: []string{to}})
	saves.mu.Unlock()
	require.ErrorContains(t, err, "already")
	_, err = NewClient(path+"x").Backup(t.Context(), &BackupRequest{}, nil)
	require.ErrorIs(t, err, ErrNotRunning)

	chain, err := folder.Chain()
	require.NoError(t, err)
	require.Len(t, chain, 2)
	require.Len(t, recorded, 2, "what is refused leaves no line")
	require.Equal(t, BackupOperation(chain[1], &BackupRequest{Recipients: []string{to}}), recorded[1])
	require.Equal(t, "seq-1", chain[0].ChainID)
	require.Equal(t, 1, chain[1].Records[0].In)
	saved, err := folder.Open(with)
	require.NoError(t, err)
	require.Equal(t, k.Shares[0], saved.Records[0].Data)
	require.Len(t, saved.Bindings, 2)

	// On a machine that has nothing, with another passphrase.
	cfg, home := vaultConfig(t, "cow")
	other := cfg.PathsOf(home)
	done, err := RestoreVault(other, []byte("cow"), saved, Origin{ChainID: "seq-1"})
	require.NoError(t, err)
	require.Equal(t, VaultRestored{Restored: storage.Restored{Records: 1, Shares: 1, Bindings: 2}, DatabaseMade: true, IdentityMade: true, IdentityKeys: 1}, done)
	opened, err := OpenVault(cfg, home)
	require.NoError(t, err)
	require.Equal(t, v.PublicKeys(), opened.PublicKeys())
	share, err := opened.Database().OpenShare(saved.Records[0].RecordKey)
	require.NoError(t, err)
	require.Equal(t, k.Shares[0], share)
	require.ErrorIs(t, opened.Database().BindDigest("payment-2", types.Hash{3}, []byte{3}), types.ErrDigestBound)
	_, err = RestoreVault(other, []byte("cow"), saved, Origin{ChainID: "seq-1"})
	require.ErrorIs(t, err, storage.ErrInUse, "the node runs")
	require.NoError(t, opened.Close())
	_, err = RestoreVault(other, []byte("horse"), saved, Origin{ChainID: "seq-1"})
	require.ErrorIs(t, err, storage.ErrWrongPassphrase)

	// Only the database is lost, then only the identity.
	require.NoError(t, os.RemoveAll(other.Database))
	_, err = RestoreVault(other, []byte("horse"), saved, Origin{ChainID: "seq-1"})
	require.ErrorIs(t, err, storage.ErrWrongPassphrase)
	require.NoDirExists(t, other.Database, "one folder, one passphrase")
	done, err = RestoreVault(other, []byte("cow"), saved, Origin{ChainID: "seq-1"})
	require.NoError(t, err)
	require.True(t, done.DatabaseMade && !done.IdentityMade)
	require.NoError(t, os.Remove(other.Identity))
	done, err = RestoreVault(other, []byte("cow"), saved, Origin{ChainID: "seq-1"})
	require.NoError(t, err)
	require.Equal(t, VaultRestored{IdentityMade: true, IdentityKeys: 1}, done)
	opened, err = OpenVault(cfg, home)
	require.NoError(t, err)
	require.NoError(t, opened.Close())
}

// keep is a reader that remembers where it was read to.
type keep struct {
	io.Reader
	buffers [][]byte
}

func (k *keep) Read(p []byte) (int, error) {
	n, err := k.Reader.Read(p)
	k.buffers = append(k.buffers, p[:n])
	return n, err
}

// No buffer that a passphrase went through keeps it.
func TestPassphrasesAreWiped(t *testing.T) {
	text := []byte(`{"passphrase":"aG9yc2U=","recipients":["age1x"],"full":true}`)
	body := &keep{Reader: iotest.OneByteReader(bytes.NewReader(text))}
	var r BackupRequest
	require.NoError(t, readBackupRequest(body, int64(len(text)), &r))
	require.Equal(t, BackupRequest{Passphrase: []byte("horse"), Recipients: []string{"age1x"}, Full: true}, r)
	require.Len(t, body.buffers, len(text))
	for _, b := range body.buffers {
		require.Equal(t, []byte{0}, b)
	}
	for _, length := range []int64{-1, maxBackupRequestBytes + 1, int64(len(text)) + 1} {
		require.Error(t, readBackupRequest(bytes.NewReader(text), length, &r), length)
	}

	file := &keep{Reader: strings.NewReader("horse\r\nstable\n")}
	line, err := firstLine(file)
	require.NoError(t, err)
	require.Equal(t, "horse", string(line))
	for _, b := range file.buffers {
		require.Equal(t, make([]byte, len(b)), b)
	}
}

// nowhere: the chain says of no key that others have it.
func nowhere(backup.Lost) ([]string, []backup.Entry) { return nil, nil }

// A node that lacks a share which the last file has adds no file, unless the chain gave the key
// to others or somebody says that the share is lost.
func TestBackupOfWhatIsGone(t *testing.T) {
	v, paths := newVault(t)
	had := fixtureRecord(fixtures.Shares(2, 1), "treasury", 0)
	require.NoError(t, v.Database().PutRecord(had))
	had.Data, had.Status = nil, types.StatusReady
	require.NoError(t, v.Database().PutRecord(had))
	saves := &backups{vault: v, identity: paths.Identity, chainID: "seq-1", word: nowhere, record: func(Operation) {}}
	path := filepath.Join(t.TempDir(), "mpc.sock")
	serveSocket(t, path, reporter{idleEngine(t), noPeers{}, newActivity(), nil, saves}.handler())
	to, _ := recipient(t)
	var last *backup.Manifest
	create := func(lost bool) (backup.Manifest, error) {
		r := BackupRequest{Passphrase: []byte("horse"), Recipients: []string{to}, Last: last, SharesAreLost: lost}
		var added backup.Manifest
		judged, err := NewClient(path).Backup(t.Context(), &r, func(m backup.Manifest, content io.Reader) error {
			added = m
			_, err := io.Copy(io.Discard, content)
			return err
		})
		require.Equal(t, err == nil && !lost, judged)
		return added, err
	}
	first, err := create(false)
	require.NoError(t, err)
	last = &first
	require.NoError(t, v.Database().DestroyRecord(had.RecordKey))
	_, err = create(false)
	require.ErrorContains(t, err, "the newest file has shares of treasury, and the node has none")
	require.ErrorContains(t, err, "--shares-are-lost")
	_, err = create(true)
	require.NoError(t, err)
	saves.word = func(l backup.Lost) ([]string, []backup.Entry) { return l.Gone, nil }
	_, err = create(false)
	require.NoError(t, err)

	// A share that was not READY, of a reshare that failed, or that the chain chose.
	staged := fixtureRecord(fixtures.Shares(2, 1), "treasury", 0)
	staged.Epoch = 1
	require.NoError(t, v.Database().PutRecord(staged))
	third, err := create(false)
	require.NoError(t, err)
	last = &third
	require.NoError(t, v.Database().DestroyRecord(staged.RecordKey))
	_, err = create(false)
	require.NoError(t, err)
	saves.word = func(l backup.Lost) ([]string, []backup.Entry) { return nil, l.Staged }
	_, err = create(false)
	require.ErrorContains(t, err, "the newest file has shares of treasury epoch 1, which the chain signs with, or may choose or need yet")
	_, err = create(true)
	require.NoError(t, err)
}

// A node of a later program says more in its manifest than this one would write beside the
// file: nothing is taken of it. One of before looked at no staged share.
func TestBackupOfAnotherProgram(t *testing.T) {
	const manifest = `{"format":"sequencer-mpc-backup","version":1,"number":1,"full":true,"created":"2026-01-02T03:04:05Z",` +
		`"chain_id":"seq-1","previous":"","file":"","identity":[],"records":[],"tombstones":[],"bindings":{"count":0,"fingerprint":"","in":1}`
	for name, c := range map[string]struct {
		manifest string
		want     error
	}{
		"of before":         {manifest + "}", nil},
		"with another word": {manifest + `,"more":1}`, backup.ErrOtherProgram},
		"of a later format": {strings.Replace(manifest, `"version":1`, `"version":3`, 1) + "}", backup.ErrNewerFormat},
		"of other bounds":   {strings.Replace(manifest, `"number":1`, `"number":0`, 1) + "}", backup.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mpc.sock")
			serveSocket(t, path, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(c.manifest))), c.manifest...))
				assert.NoError(t, err)
			}))
			taken := false
			judged, err := NewClient(path).Backup(t.Context(), &BackupRequest{}, func(backup.Manifest, io.Reader) error {
				taken = true
				return nil
			})
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.want == nil, taken)
			require.False(t, judged)
		})
	}
}

// A backup that fails half way is none, and says so: here a record is destroyed
// while the one before it waits to be read, which no socket holds as a whole.
func TestBackupThatFailsHalfWay(t *testing.T) {
	v, paths := newVault(t)
	first, second := fixtureRecord(fixtures.Shares(2, 1), "a", 0), fixtureRecord(fixtures.Shares(2, 1), "b", 0)
	first.Data = make([]byte, storage.MaxShareBytes)
	require.NoError(t, v.Database().PutRecord(first))
	require.NoError(t, v.Database().PutRecord(second))
	saves := &backups{vault: v, identity: paths.Identity, chainID: "seq-1", word: nowhere, record: func(Operation) {}}
	path := filepath.Join(t.TempDir(), "mpc.sock")
	serveSocket(t, path, reporter{idleEngine(t), noPeers{}, newActivity(), nil, saves}.handler())
	to, _ := recipient(t)
	dir := filepath.Join(t.TempDir(), "backups")
	r := BackupRequest{Passphrase: []byte("horse"), Recipients: []string{to}}
	_, err := NewClient(path).Backup(t.Context(), &r, func(m backup.Manifest, content io.Reader) error {
		require.NoError(t, v.Database().DestroyRecord(second.RecordKey))
		_, err := backup.At(dir).Add(m, func(w io.Writer) error { _, err := io.Copy(w, content); return err })
		return err
	})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// The identity alone comes back beside a database that is newer than the backup, of
// which a full restoring is refused. Neither is changed by what fails.
func TestRestoreOfTheIdentityAlone(t *testing.T) {
	v, paths := newVault(t)
	k := fixtures.Shares(2, 1)
	require.NoError(t, v.Database().PutRecord(fixtureRecord(k, "treasury", 0)))
	public, db := v.PublicKeys(), v.Database()
	saved := &backup.Saved{Seeds: [][]byte{v.Keys()[0].Seed()}, Contents: contentOf(t, db)}
	newer := fixtureRecord(k, "treasury", 0)
	newer.Epoch, newer.Session, newer.Status = 1, types.SessionID{2}, types.StatusReady
	_, err := db.Restore(storage.Contents{Records: []types.Record{newer}})
	require.NoError(t, err)
	require.NoError(t, db.DestroyRecord(saved.Records[0].RecordKey))
	require.NoError(t, v.Close())
	require.NoError(t, os.Remove(paths.Identity))

	_, err = RestoreVault(paths, []byte("horse"), saved, Origin{})
	require.ErrorIs(t, err, storage.ErrOlderEpoch)
	_, err = RestoreIdentityAlone(paths, []byte("cow"), saved, Origin{})
	require.ErrorIs(t, err, storage.ErrWrongPassphrase)
	require.NoFileExists(t, paths.Identity)
	done, err := RestoreIdentityAlone(paths, []byte("horse"), saved, Origin{})
	require.NoError(t, err)
	require.Equal(t, VaultRestored{IdentityMade: true, IdentityKeys: 1, IdentityOnly: true}, done)
	opened, err := OpenVaultWith(paths, []byte("horse"))
	require.NoError(t, err)
	require.Equal(t, public, opened.PublicKeys())
	records, err := opened.Database().Records()
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, uint64(1), records[0].Epoch)
	require.NoError(t, opened.Close())

	// Without a database too; an identity with other keys stays.
	require.NoError(t, os.RemoveAll(paths.Database))
	require.NoError(t, os.Remove(paths.Identity))
	_, err = RestoreIdentityAlone(paths, []byte("horse"), saved, Origin{})
	require.NoError(t, err)
	require.NoDirExists(t, paths.Database)
	saved.Seeds = [][]byte{make([]byte, 32)}
	_, err = RestoreIdentityAlone(paths, []byte("horse"), saved, Origin{})
	require.ErrorIs(t, err, ErrOtherNode)
	_, err = RestoreIdentityAlone(paths, []byte("horse"), saved, Origin{Participant: k.Operators[0]})
	require.ErrorIs(t, err, storage.ErrIdentityExists)
	done, err = RestoreVault(paths, []byte("horse"), saved, Origin{Participant: k.Operators[0]})
	require.NoError(t, err)
	require.True(t, done.OtherIdentity && !done.IdentityMade)
}

// contentOf is what a backup of a database has.
func contentOf(t *testing.T, db *storage.DB) storage.Contents {
	t.Helper()
	var c storage.Contents
	var err error
	c.Records, err = db.Records()
	require.NoError(t, err)
	for i, r := range c.Records {
		c.Records[i].Data, err = db.OpenShare(r.RecordKey)
		require.NoError(t, err)
	}
	c.Bindings, err = db.Bindings()
	require.NoError(t, err)
	return c
}

// An identity that was rotated while the node runs is in the backup with all its keys.
func TestBackupAfterRotation(t *testing.T) {
	v, paths := newVault(t)
	saves := &backups{vault: v, identity: paths.Identity, chainID: "seq-1", word: nowhere, record: func(Operation) {}}
	path := filepath.Join(t.TempDir(), "mpc.sock")
	serveSocket(t, path, reporter{idleEngine(t), noPeers{}, newActivity(), nil, saves}.handler())
	next, err := storage.AddIdentityKey(paths.Identity, []byte("horse"), storage.Options{})
	require.NoError(t, err)
	to, with := recipient(t)
	folder := backup.At(filepath.Join(t.TempDir(), "backups"))
	request := BackupRequest{Passphrase: []byte("horse"), Recipients: []string{to}}
	_, err = NewClient(path).Backup(t.Context(), &request, func(m backup.Manifest, content io.Reader) error {
		_, err := folder.Add(m, func(w io.Writer) error { _, err := io.Copy(w, content); return err })
		return err
	})
	require.NoError(t, err)
	saved, err := folder.Open(with)
	require.NoError(t, err)
	cfg, home := vaultConfig(t, "cow")
	_, err = RestoreVault(cfg.PathsOf(home), []byte("cow"), saved, Origin{ChainID: "seq-1"})
	require.NoError(t, err)
	opened, err := OpenVault(cfg, home)
	require.NoError(t, err)
	defer func() { require.NoError(t, opened.Close()) }()
	require.Contains(t, opened.PublicKeys(), next)
	require.Len(t, opened.PublicKeys(), 2)
}

// A running node that has nothing open says why, not how to make something anew.
func TestBackupOfANodeWithNothingOpen(t *testing.T) {
	for _, c := range []struct {
		vault *Vault
		says  string
	}{
		{&Vault{lost: ErrNoDatabase}, "sequencerd mpc backup restore"}, {&Vault{}, "start the node again"},
	} {
		path := filepath.Join(t.TempDir(), "mpc.sock")
		serveSocket(t, path, reporter{idleEngine(t), noPeers{}, newActivity(), nil, &backups{vault: c.vault}}.handler())
		_, err := NewClient(path).Backup(t.Context(), &BackupRequest{}, func(backup.Manifest, io.Reader) error { return nil })
		require.ErrorContains(t, err, c.says)
		require.NotContains(t, err.Error(), "identity create")
	}
}
