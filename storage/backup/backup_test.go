package backup

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

var (
	passphrase = []byte("correct horse battery staple")
	cheap      = storage.Options{KDF: &storage.KDF{Time: 1, MemoryKiB: 8, Threads: 1}}
	identity   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	at         = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// keyPair is an age identity of a test, both halves.
type keyPair struct {
	to   Recipients
	with Identities
}

func newKeyPair(t testing.TB) keyPair {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	to, err := ForRecipients([]string{id.Recipient().String()})
	require.NoError(t, err)
	with, err := WithIdentities(strings.NewReader("# created today\n" + id.String() + "\n"))
	require.NoError(t, err)
	return keyPair{to, with}
}

func newDB(t testing.TB) *storage.DB {
	db, err := storage.Create(filepath.Join(t.TempDir(), "mpc"), passphrase, cheap)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func share(key string, epoch uint64) types.Record {
	return types.Record{
		RecordKey: types.RecordKey{KeyID: types.KeyID(key), Epoch: epoch, Session: types.SessionID{byte(epoch), 1}},
		Context:   types.Context{9}, Algorithm: types.ECDSASecp256k1, Status: types.StatusPending,
		Data:         bytes.Repeat([]byte(fmt.Sprintf("secret of %s %d. ", key, epoch)), 3000),
		Participants: []types.Operator{"seqvaloper1a", "seqvaloper1b"}, Threshold: 1, Created: at, Updated: at,
	}
}

// ready makes a stored share READY.
func ready(r types.Record) types.Record {
	r.Data, r.Status = nil, types.StatusReady
	return r
}

func put(t testing.TB, db *storage.DB, records ...types.Record) {
	for _, r := range records {
		require.NoError(t, db.PutRecord(r))
	}
}

func save(t testing.TB, db *storage.DB, f Folder, to Recipients, full bool) Manifest {
	head, err := f.Head()
	require.NoError(t, err)
	b, err := Plan(db, []ed25519.PrivateKey{identity}, "seq-1", head.Last, full || head.Broken != nil, at)
	require.NoError(t, err)
	m, err := f.Add(b.Manifest, func(w io.Writer) error { return b.Write(w, to) })
	require.NoError(t, err)
	return m
}

// contents is what a database has.
func contents(t testing.TB, db *storage.DB) storage.Contents {
	var c storage.Contents
	var err error
	c.Records, err = db.Records()
	require.NoError(t, err)
	for i, r := range c.Records {
		if r.HasData {
			c.Records[i].Data, err = db.OpenShare(r.RecordKey)
			require.NoError(t, err)
		}
	}
	c.Tombstones, err = db.Tombstones()
	require.NoError(t, err)
	c.Bindings, err = db.Bindings()
	require.NoError(t, err)
	return c
}

func in(m Manifest) map[string]int {
	files := map[string]int{}
	for _, e := range m.Records {
		files[fmt.Sprintf("%s/%d", e.KeyID, e.Epoch)] = e.In
	}
	return files
}

// story makes a database and backups of it along the way: full, changes, changes,
// full, changes.
func story(t testing.TB, keys keyPair) (*storage.DB, Folder) {
	db, f := newDB(t), At(filepath.Join(t.TempDir(), "backups"))
	put(t, db, share("a", 0), share("b", 0), share("c", 0))
	put(t, db, ready(share("a", 0)))
	require.NoError(t, db.BindDigest("s-1", types.Hash{1}, []byte{1}))
	first := save(t, db, f, keys.to, false)
	require.True(t, first.Full)
	require.Equal(t, map[string]int{"a/0": 1, "b/0": 1, "c/0": 1}, in(first))

	put(t, db, share("a", 1), ready(share("b", 0)))
	second := save(t, db, f, keys.to, false)
	require.False(t, second.Full)
	require.Equal(t, map[string]int{"a/0": 1, "a/1": 2, "b/0": 2, "c/0": 1}, in(second))
	require.Equal(t, 1, second.Bindings.In)
	require.Equal(t, first.File, second.Previous)

	require.NoError(t, db.DestroyKey("c"))
	require.NoError(t, db.DestroyRecord(share("a", 0).RecordKey))
	require.NoError(t, db.BindDigest("s-2", types.Hash{2}, []byte{2}))
	third := save(t, db, f, keys.to, false)
	require.Equal(t, map[string]int{"a/1": 2, "b/0": 2}, in(third))
	require.Equal(t, Bindings{2, third.Bindings.Fingerprint, 3}, third.Bindings)
	return db, f
}

func removeFiles(t *testing.T, dir string, numbers ...int) {
	for _, n := range numbers {
		for _, ext := range []string{"age", "json"} {
			require.NoError(t, os.Remove(At(dir).path(n, ext)))
		}
	}
}

// The files of one folder were made for a passphrase, another one, and a recipient.
func TestSeveralKeys(t *testing.T) {
	db, f, pair := newDB(t), At(t.TempDir()), newKeyPair(t)
	var withs []Identities
	for i, pass := range []string{"cow", "calf", ""} {
		to, with := pair.to, pair.with
		if pass != "" {
			var err error
			to, err = forPassphrase([]byte(pass), 10) // nobody guesses here
			require.NoError(t, err)
			with, err = WithPassphrase([]byte(pass))
			require.NoError(t, err)
		}
		put(t, db, share(fmt.Sprint("k", i), 0))
		save(t, db, f, to, false)
		withs = append(withs, with)
	}
	for i := range withs {
		_, err := f.Open(withs[i].And(withs[(i+1)%3]))
		require.ErrorIs(t, err, ErrWrongKey)
		require.ErrorContains(t, err, fmt.Sprintf("%06d.age", (i+2)%3+1), "the file that needs another one is named")
	}
	saved, err := f.Open(withs[2].And(withs[0]).And(withs[1]))
	require.NoError(t, err)
	require.Equal(t, contents(t, db), saved.Contents)
}

// Nothing secret is in the folder, and nobody else can read it.
func TestFilesKeepSecrets(t *testing.T) {
	_, f := story(t, newKeyPair(t))
	names, err := filepath.Glob(filepath.Join(f.dir, "*"))
	require.NoError(t, err)
	require.Len(t, names, 6, "temporary files stay behind")
	for _, name := range names {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NotContains(t, string(b), "secret of")
		require.NotContains(t, string(b), string(identity.Seed()))
	}
}

func TestPassphraseBackup(t *testing.T) {
	to, err := ForPassphrase([]byte("cow"))
	require.NoError(t, err)
	db, f := newDB(t), At(t.TempDir())
	put(t, db, share("a", 0))
	save(t, db, f, to, false)
	with, err := WithPassphrase([]byte("cow"))
	require.NoError(t, err)
	saved, err := f.Open(with)
	require.NoError(t, err)
	require.Equal(t, contents(t, db), saved.Contents)
	with, err = WithPassphrase([]byte("calf"))
	require.NoError(t, err)
	_, err = f.Open(with)
	require.ErrorIs(t, err, ErrWrongKey)
	require.Equal(t, types.ErrBackup, types.ReasonOf(err))
}

func TestKeys(t *testing.T) {
	_, err := ForRecipients(nil)
	require.ErrorIs(t, err, ErrKeys)
	_, err = ForRecipients([]string{"age1nonsense"})
	require.ErrorIs(t, err, ErrKeys)
	_, err = ForPassphrase(nil)
	require.ErrorIs(t, err, ErrKeys)
	_, err = WithIdentities(strings.NewReader("AGE-SECRET-KEY-1OOPS"))
	require.ErrorIs(t, err, ErrKeys)
	require.NotContains(t, err.Error(), "OOPS", "secrets in errors")
	_, f := story(t, newKeyPair(t))
	_, err = f.Open(newKeyPair(t).with)
	require.ErrorIs(t, err, ErrWrongKey)
	_, err = f.Open(Identities{})
	require.ErrorIs(t, err, ErrWrongKey)
}

// Somebody who knows the recipient makes a file of his own: the chain notices that
// what is inside is not what the manifests said, and without that CheckBackup of
// app/mpcnode does.
func TestForeignFile(t *testing.T) {
	keys := newKeyPair(t)
	_, f := story(t, keys)
	chain, err := f.Chain()
	require.NoError(t, err)
	db := newDB(t)
	put(t, db, share("a", 5))
	b, err := Plan(db, []ed25519.PrivateKey{identity}, "seq-1", &chain[1], false, at)
	require.NoError(t, err)
	require.NoError(t, os.Remove(f.path(3, "json")))
	_, err = f.Add(b.Manifest, func(w io.Writer) error {
		b.Manifest.Records[0].Epoch = 6 // other than outside
		return b.Write(w, keys.to)
	})
	require.NoError(t, err)
	_, err = f.Open(keys.with)
	require.ErrorIs(t, err, ErrChain)
}

// A file that is not the next one is refused, and one that fails half way leaves
// the chain as it was.
func TestAdd(t *testing.T) {
	keys := newKeyPair(t)
	db, f := story(t, keys)
	chain, err := f.Chain()
	require.NoError(t, err)
	stale, err := Plan(db, []ed25519.PrivateKey{identity}, "seq-1", &chain[1], false, at)
	require.NoError(t, err)
	_, err = f.Add(stale.Manifest, func(io.Writer) error { t.Fatal("written"); return nil })
	require.ErrorIs(t, err, ErrChain)

	next, err := Plan(db, []ed25519.PrivateKey{identity}, "seq-1", &chain[2], false, at)
	require.NoError(t, err)
	gone := errors.New("the node is gone")
	_, err = f.Add(next.Manifest, func(w io.Writer) error {
		_, err := w.Write([]byte("half"))
		require.NoError(t, err)
		return gone
	})
	require.ErrorIs(t, err, gone)
	again, err := f.Chain()
	require.NoError(t, err)
	require.Equal(t, chain, again)
	names, err := os.ReadDir(f.dir)
	require.NoError(t, err)
	require.Len(t, names, 6)

	// A crash after the file and before its manifest: the next backup takes its place.
	require.NoError(t, os.WriteFile(f.path(4, "age"), []byte("half"), 0o600))
	left := filepath.Join(f.dir, ".000004.age.incomplete-1") // and one that did not get that far
	require.NoError(t, os.WriteFile(left, []byte("ha"), 0o600))
	save(t, db, f, keys.to, false)
	require.NoFileExists(t, left)
	_, err = f.Open(keys.with)
	require.NoError(t, err)
}

// vanishing is a database in which a record goes away while it is saved.
type vanishing struct{ *storage.DB }

func (v vanishing) OpenShare(k types.RecordKey) ([]byte, error) {
	if err := v.DestroyRecord(k); err != nil {
		return nil, err
	}
	return v.DB.OpenShare(k)
}

func TestRecordThatGoesAway(t *testing.T) {
	db := newDB(t)
	put(t, db, share("a", 0))
	b, err := Plan(vanishing{db}, nil, "seq-1", nil, false, at)
	require.NoError(t, err)
	require.ErrorIs(t, b.Write(io.Discard, newKeyPair(t).to), ErrChanged)
}

// deleting is a database in which a key is destroyed while a backup is planned.
type deleting struct {
	*storage.DB
	key types.KeyID
}

func (d deleting) Records() ([]types.Record, error) {
	records, err := d.DB.Records()
	return records, errors.Join(err, d.DestroyKey(d.key))
}

// A key that is destroyed between the list of records and that of tombstones is in the file
// as destroyed, and an empty database takes all of it, wherever the share would have been.
func TestKeyDestroyedMeanwhile(t *testing.T) {
	keys := newKeyPair(t)
	for name, c := range map[string]struct {
		full bool
		in   int
	}{"in a file before": {false, 1}, "in this one": {true, 2}} {
		t.Run(name, func(t *testing.T) {
			db, f := newDB(t), At(filepath.Join(t.TempDir(), "backups"))
			put(t, db, share("a", 0), share("b", 0))
			save(t, db, f, keys.to, false)
			head, err := f.Head()
			require.NoError(t, err)
			b, err := Plan(deleting{db, "b"}, []ed25519.PrivateKey{identity}, "seq-1", head.Last, c.full, at)
			require.NoError(t, err)
			m, err := f.Add(b.Manifest, func(w io.Writer) error { return b.Write(w, keys.to) })
			require.NoError(t, err)
			require.Equal(t, map[string]int{"a/0": c.in}, in(m))
			require.Equal(t, []string{"b"}, m.Tombstones)
			saved, err := f.Open(keys.with)
			require.NoError(t, err)
			again := newDB(t)
			_, err = again.Restore(saved.Contents)
			require.NoError(t, err)
			require.Equal(t, contents(t, db), contents(t, again))
		})
	}
}

// sealed encrypts a plaintext of a test.
func sealed(t testing.TB, to Recipients, plain string) io.Reader {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to.to...)
	require.NoError(t, err)
	_, err = io.WriteString(w, plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return &out
}

// plainOf is the plaintext of a file.
func plainOf(t testing.TB, f Folder, n int, with Identities) string {
	r, err := os.Open(f.path(n, "age"))
	require.NoError(t, err)
	defer r.Close()
	plain, err := age.Decrypt(r, with.of...)
	require.NoError(t, err)
	b, err := io.ReadAll(plain)
	require.NoError(t, err)
	return string(b)
}

// A plaintext is read to its last byte, or refused.
func TestReadFileIsStrict(t *testing.T) {
	keys := newKeyPair(t)
	_, f := story(t, keys)
	whole := plainOf(t, f, 1, keys.with)
	_, err := readFile(sealed(t, keys.to, whole), keys.with)
	require.NoError(t, err)
	for name, plain := range map[string]string{
		"nothing":         "",
		"another magic":   "x" + whole[1:],
		"cut":             whole[:len(whole)-1],
		"cut in a record": whole[:len(whole)-100],
		"no end":          whole[:len(whole)-5],
		"more":            whole + "x",
		"another frame":   whole[:len(whole)-5] + "z\x00\x00\x00\x00",
		"a long end":      whole[:len(whole)-5] + "e\x00\x00\x00\x01x",
		"a long frame":    whole[:len(whole)-5] + "r\xff\xff\xff\xff",
		"a short record":  whole[:len(whole)-5] + "r\x00\x00\x00\x01x",
		"a short binding": whole[:len(whole)-5] + "b\x00\x00\x00\x02\x05x",
		"no manifest":     magic + "e\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readFile(sealed(t, keys.to, plain), keys.with)
			require.ErrorIs(t, err, ErrDamaged)
		})
	}
	_, err = readFile(sealed(t, keys.to, strings.Replace(whole, "\x01", "\x02", 1)), keys.with)
	require.ErrorIs(t, err, ErrNewerFormat)
	_, err = readFile(strings.NewReader("age-encryption.org/v1\n"), keys.with)
	require.ErrorIs(t, err, ErrDamaged)
}

func FuzzFrames(f *testing.F) {
	keys := newKeyPair(f)
	_, folder := story(f, keys)
	f.Add([]byte(plainOf(f, folder, 1, keys.with)[len(magic):]))
	f.Add([]byte("m\x00\x00\x00\x00e\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := new(file)
		if err := got.readFrames(frameReader{bytes.NewReader(b)}); err != nil {
			require.ErrorIs(t, err, types.ErrBackup)
			return
		}
		_, err := got.manifest.encode()
		require.NoError(t, err)
	})
}
