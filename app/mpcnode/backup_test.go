package mpcnode

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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

// Each share is proved to fit the chain, or named.
func TestCheckBackup(t *testing.T) {
	k, other := fixtures.Shares(3, 1), fixtures.Shares(2, 1)
	fits := fixtureRecord(k, "fits", 1)
	edited := func(id string, edit func(*types.Record)) types.Record {
		r := fixtureRecord(k, id, 1)
		edit(&r)
		return r
	}
	saved := &backup.Saved{Contents: storage.Contents{Records: []types.Record{
		fits,
		edited("other-share", func(r *types.Record) { r.Data = other.Shares[0] }),
		edited("other-key", func(*types.Record) {}),
		edited("other-commitments", func(*types.Record) {}),
		edited("older", func(*types.Record) {}),
		edited("newer", func(r *types.Record) { r.Epoch = 7 }),
		edited("lost-session", func(*types.Record) {}),
		edited("deleted", func(*types.Record) {}),
		edited("deleting", func(*types.Record) {}),
		edited("deleting-older", func(r *types.Record) { r.Epoch = 0 }),
		edited("deleting-failed", func(*types.Record) {}),
		edited("failed", func(*types.Record) {}),
		edited("unknown", func(*types.Record) {}),
		edited("no-share", func(r *types.Record) { r.Data = nil }),
		edited("cut", func(r *types.Record) { r.Data = r.Data[:len(r.Data)-1] }),
	}}}
	keys := map[string]mpcmodule.Key{}
	for _, id := range []string{"fits", "other-share", "other-key", "other-commitments", "older", "newer", "lost-session", "deleted", "deleting", "deleting-older", "deleting-failed", "deleting-missing", "failed", "missing", "cut"} {
		keys[id] = chainKey(k, id)
	}
	set := func(id string, edit func(*mpcmodule.Key)) {
		key := keys[id]
		edit(&key)
		keys[id] = key
	}
	set("other-key", func(x *mpcmodule.Key) { x.PublicKey = other.Payload.PublicKey })
	set("other-commitments", func(x *mpcmodule.Key) {
		x.PublicShares = [][]byte{k.Payload.PublicShares[0], k.Payload.PublicShares[0], k.Payload.PublicShares[2]}
	})
	set("older", func(x *mpcmodule.Key) { x.Epoch = 2 })
	set("lost-session", func(x *mpcmodule.Key) { x.Session = make([]byte, 32) })
	set("deleted", func(x *mpcmodule.Key) { x.Status = mpcmodule.KEY_STATUS_DELETED })
	for _, id := range []string{"deleting", "deleting-older", "deleting-failed", "deleting-missing"} {
		set(id, func(x *mpcmodule.Key) { x.Status, x.RetireHeight = mpcmodule.KEY_STATUS_DELETING, 700 })
	}
	set("deleting-older", func(x *mpcmodule.Key) { x.Epoch = 1 })
	set("deleting-failed", func(x *mpcmodule.Key) { x.PublicKey, x.Session = nil, nil })
	set("failed", func(x *mpcmodule.Key) { x.Status = mpcmodule.KEY_STATUS_ERROR })
	for i := range saved.Records {
		saved.Records[i].HasData = saved.Records[i].Data != nil
	}

	outcomes := map[string][]string{}
	foreign := chainKey(k, "foreign")
	foreign.Participants = []string{"seqvaloper1other"}
	keys["foreign"] = foreign
	for _, c := range CheckBackup(saved, keys, "") {
		outcomes[c.KeyID] = append(outcomes[c.KeyID], c.Outcome)
		require.Equal(t, c.Outcome == CheckBad, c.Problem != "", c.KeyID)
		require.Equal(t, slices.Contains([]string{"deleting", "deleting-older", "deleting-missing"}, c.KeyID), c.DeletedAt == 700, c.KeyID)
		if c.KeyID == "fits" {
			require.Equal(t, string(k.Operators[1]), c.Participant)
		}
	}
	require.Equal(t, map[string][]string{
		"fits": {CheckFits}, "other-share": {CheckBad, CheckMissing}, "other-key": {CheckBad, CheckMissing},
		"other-commitments": {CheckBad, CheckMissing}, "older": {CheckOlderEpoch, CheckMissing},
		"newer": {CheckNewerEpoch, CheckMissing}, "lost-session": {CheckOtherSession, CheckMissing},
		"deleted": {CheckDeleted}, "deleting": {CheckDeleting}, "deleting-older": {CheckOlderEpoch, CheckMissing},
		"deleting-failed": {CheckNotReady}, "deleting-missing": {CheckMissing}, "failed": {CheckNotReady}, "unknown": {CheckUnknown}, "no-share": {CheckNoShare},
		"missing": {CheckMissing}, "cut": {CheckBad, CheckMissing},
	}, outcomes)
}

// Whose backup it is decides which keys should be in it: who is named, or else whoever
// the shares belong to; without any share, each key that is asked about.
func TestCheckBackupOfWhom(t *testing.T) {
	k := fixtures.Shares(2, 1)
	record := fixtureRecord(k, "held", 0)
	record.HasData = true
	later, foreign := chainKey(k, "later"), chainKey(k, "foreign")
	foreign.Participants = []string{"seqvaloper1other"}
	keys := map[string]mpcmodule.Key{"held": chainKey(k, "held"), "later": later, "foreign": foreign}
	missing := func(self types.Operator, records ...types.Record) []string {
		var ids []string
		for _, c := range CheckBackup(&backup.Saved{Contents: storage.Contents{Records: records}}, keys, self) {
			if c.Outcome == CheckMissing {
				ids = append(ids, c.KeyID)
			}
		}
		return ids
	}
	require.Equal(t, []string{"later"}, missing("", record))
	require.Equal(t, []string{"foreign", "held", "later"}, missing(""))
	require.Equal(t, []string{"foreign"}, missing("seqvaloper1other"))
	require.Equal(t, []string{"later"}, missing(k.Operators[0], record))
	require.Equal(t, []string{"held", "later"}, missing(k.Operators[0]))
	require.Equal(t, []string{"held", "later"}, missing(k.Operators[1], record), "a share of somebody else's fits nothing of one's own")

	// A share that is whole, and somebody else's; and those of two, of which none counts.
	second := fixtureRecord(k, "held", 1)
	second.HasData, second.Session = true, types.SessionID{2}
	for self, records := range map[types.Operator][]types.Record{k.Operators[1]: {record}, "": {record, second}} {
		checks := CheckBackup(&backup.Saved{Contents: storage.Contents{Records: records}}, keys, self)
		for _, c := range checks[:len(records)] {
			require.Equal(t, CheckOtherOwner, c.Outcome)
			require.NotEmpty(t, c.Problem)
		}
	}
}

// The identity that the chain goes by must be in the backup.
func TestCheckIdentity(t *testing.T) {
	old, current := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	p := mpcmodule.Participant{Operator: "seqvaloper1me"}
	for i, k := range []ed25519.PrivateKey{old, current} {
		p.Identities = append(p.Identities, mpcmodule.Identity{Version: uint32(i + 1), PublicKey: k[ed25519.SeedSize:]})
	}
	require.NoError(t, CheckIdentity(&backup.Saved{Seeds: [][]byte{old.Seed(), current.Seed()}}, p))
	err := CheckIdentity(&backup.Saved{Seeds: [][]byte{old.Seed()}}, p)
	require.ErrorIs(t, err, backup.ErrIdentityMissing)
	require.ErrorContains(t, err, "version 2 of seqvaloper1me")
	require.ErrorIs(t, CheckIdentity(&backup.Saved{}, p), backup.ErrIdentityMissing)
	p.Identities[1].RevokedHeight = 7
	require.NoError(t, CheckIdentity(&backup.Saved{}, p), "another one is needed in any case")
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
