package storage

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

var (
	passphrase = []byte("correct horse battery staple")
	cheap      = Options{KDF: &KDF{Time: 1, MemoryKiB: 8, Threads: 1}}
)

// steady is a stream of bytes that is the same in every run.
func steady(t testing.TB) io.Reader {
	c, err := chacha20.NewUnauthenticatedCipher(make([]byte, chacha20.KeySize), make([]byte, chacha20.NonceSize))
	require.NoError(t, err)
	return keystream{c}
}

type keystream struct{ c *chacha20.Cipher }

func (k keystream) Read(p []byte) (int, error) {
	clear(p)
	k.c.XORKeyStream(p, p)
	return len(p), nil
}

// newDB makes a database in a folder of its own.
func newDB(t testing.TB) (*DB, string) {
	dir := filepath.Join(t.TempDir(), "mpc")
	db, err := Create(dir, passphrase, cheap)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, dir
}

func reopen(t testing.TB, dir string) *DB {
	db, err := Open(dir, passphrase, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func session(n byte) types.RecordKey {
	return types.RecordKey{KeyID: "key-1", Epoch: 0, Session: types.SessionID{n}}
}

// pending is a record without a share.
func pending(k types.RecordKey) types.Record {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	return types.Record{
		RecordKey: k, Context: types.Context{9, 9}, Algorithm: types.ECDSASecp256k1,
		Status: types.StatusPending, Participants: []types.Operator{"seqvaloper1a", "seqvaloper1b", "seqvaloper1c"},
		Threshold: 1, Request: types.RequestID{Kind: types.KindKeygen, ID: string(k.KeyID)}, Attempt: 3,
		IdentityVersion: 2, Created: at, Updated: at.Add(time.Minute),
	}
}

// staged is a record with a share.
func staged(k types.RecordKey) types.Record {
	r := pending(k)
	r.Data = shareOf(k)
	r.PublicKey = bytes.Repeat([]byte{2}, 33)
	r.Payload = []byte("what is attested")
	return r
}

// promoted is a record that becomes READY with the share that it has.
func promoted(k types.RecordKey) types.Record {
	r := staged(k)
	r.Data, r.Status = nil, types.StatusReady
	return r
}

// shareOf is larger than a block of a table and smaller than one of a journal.
func shareOf(k types.RecordKey) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("secret share %s %d %s. ", k.KeyID, k.Epoch, k.Session.Short())), 200)
}

// put stores records that the test takes for granted.
func put(t testing.TB, db *DB, records ...types.Record) {
	for _, r := range records {
		require.NoError(t, db.PutRecord(r))
	}
}

// content is everything that a database can tell, to compare.
type content struct {
	Records    []types.Record
	Shares     map[types.RecordKey]string
	Tombstones []types.KeyID
	// HadShares are those of the tombstones that say so.
	HadShares []types.KeyID
	Preparams map[uint64]string
	Entries   uint64
}

func contentOf(t testing.TB, db *DB) content {
	c := content{Shares: map[types.RecordKey]string{}, Preparams: map[uint64]string{}, Entries: db.wrapped.state.entries + db.main.state.entries}
	var err error
	c.Records, err = db.Records()
	require.NoError(t, err)
	for _, r := range c.Records {
		if r.HasData {
			share, err := db.OpenShare(r.RecordKey)
			require.NoError(t, err)
			c.Shares[r.RecordKey] = string(share)
		}
	}
	c.Tombstones, err = db.Tombstones()
	require.NoError(t, err)
	for _, id := range c.Tombstones {
		had, err := db.HadShares(id)
		require.NoError(t, err)
		if had {
			c.HadShares = append(c.HadShares, id)
		}
	}
	ids, err := db.Preparams()
	require.NoError(t, err)
	for _, id := range ids {
		set, err := db.OpenPreparams(id)
		require.NoError(t, err)
		c.Preparams[id] = string(set)
	}
	return c
}

// fill stores some of everything.
func fill(t testing.TB, db *DB) {
	put(t, db, staged(session(1)), pending(session(2)), staged(session(3)),
		staged(types.RecordKey{KeyID: "key-2", Epoch: 7}))
	put(t, db, promoted(session(1)))
	for i := range 3 {
		require.NoError(t, db.BindDigest(fmt.Sprintf("sign-%d", i), types.Hash{1}, bytes.Repeat([]byte{byte(i)}, 32)))
		_, err := db.AddPreparams(bytes.Repeat([]byte{byte(i)}, 6000))
		require.NoError(t, err)
	}
	require.NoError(t, db.DestroyKey("key-gone"))
}

// snapshot reads all files below a folder, by their paths in it, as they are at one
// moment: goleveldb compacts in the background, and a list of files that was read before a
// new one came does not fit what names the new one.
func snapshot(t testing.TB, dir string) map[string]string {
	const enough = 1000 // compactions end
	before, err := files(dir)
	for range enough {
		now, again := files(dir)
		if err == nil && again == nil && maps.Equal(before, now) {
			return now
		}
		before, err = now, again
	}
	require.NoError(t, err)
	require.Fail(t, "the files in "+dir+" never stop changing")
	return nil
}

func files(dir string) (map[string]string, error) {
	all := map[string]string{}
	return all, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		all[name] = string(b)
		return err
	})
}

// unchanged requires that a folder has exactly these files. It does not print
// their content.
func unchanged(t testing.TB, before map[string]string, dir string) {
	after := snapshot(t, dir)
	require.Equal(t, slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	for name := range before {
		require.Truef(t, before[name] == after[name], "%s was changed", name)
	}
}

// breakMark makes acknowledging fail, as a disk does that goes away.
func breakMark(t testing.TB, db *DB) {
	f, err := os.Open(filepath.Join(db.dir, markName))
	require.NoError(t, err)
	require.NoError(t, db.mark.file.Close())
	db.mark.file = f
}

// restore writes a snapshot into a new folder.
func restore(t testing.TB, files map[string]string) string {
	dir := filepath.Join(t.TempDir(), "mpc")
	for name, b := range files {
		require.NoError(t, os.MkdirAll(parent(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(b), 0o600))
	}
	return dir
}

// holds reports which files contain some bytes. A journal splits what crosses
// its blocks of 32 KiB in two, so either half counts.
func holds(t testing.TB, dir string, needle []byte) []string {
	var in []string
	for name, b := range snapshot(t, dir) {
		half := len(needle) / 2
		if bytes.Contains([]byte(b), needle[:half]) || bytes.Contains([]byte(b), needle[half:]) {
			in = append(in, name)
		}
	}
	return in
}
