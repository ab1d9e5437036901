package backup

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func TestChain(t *testing.T) {
	keys := newKeyPair(t)
	db, f := story(t, keys)
	saved, err := f.Open(keys.with)
	require.NoError(t, err)
	require.Equal(t, contents(t, db), saved.Contents)
	require.Equal(t, [][]byte{identity.Seed()}, saved.Seeds)
	require.Equal(t, "seq-1", saved.ChainID)

	again := newDB(t)
	_, err = again.Restore(saved.Contents)
	require.NoError(t, err)
	require.Equal(t, contents(t, db), contents(t, again))

	// A full one does without those before, and continues the chain.
	full := save(t, db, f, keys.to, true)
	require.Equal(t, 4, full.Number)
	require.Equal(t, []int{4}, full.In())
	put(t, db, share("d", 0))
	last := save(t, db, f, keys.to, false)
	require.Equal(t, []int{4, 5}, last.In())
	saved, err = f.Open(keys.with)
	require.NoError(t, err)
	require.Equal(t, contents(t, db), saved.Contents)
	saved.Wipe()
	require.Equal(t, make([]byte, len(saved.Records[0].Data)), saved.Records[0].Data)
	require.Equal(t, [][]byte{make([]byte, ed25519.SeedSize)}, saved.Seeds)
}

// The newest full file needs none before it: whatever became of those, it is listed,
// opened and continued.
func TestNewestFullFile(t *testing.T) {
	keys := newKeyPair(t)
	overwrite := func(n int, ext string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(At(dir).path(n, ext), []byte("x"), 0o600))
		}
	}
	for name, c := range map[string]struct {
		spoil func(*testing.T, string)
		// whole: nothing that is there is broken, which list would name.
		whole bool
	}{
		"alone":                     {func(t *testing.T, dir string) { removeFiles(t, dir, 1, 2, 3) }, true},
		"after a gap":               {func(t *testing.T, dir string) { removeFiles(t, dir, 3) }, false},
		"after a file that is gone": {func(t *testing.T, dir string) { require.NoError(t, os.Remove(At(dir).path(1, "age"))) }, false},
		"after a damaged file":      {overwrite(2, "age"), false},
		"after a damaged manifest":  {overwrite(2, "json"), false},
	} {
		t.Run(name, func(t *testing.T) {
			db, f := story(t, keys)
			save(t, db, f, keys.to, true)
			c.spoil(t, f.dir)
			for number := 4; number <= 5; number++ { // the full one, and one that continues it
				saved, err := f.Open(keys.with)
				require.NoError(t, err)
				require.Equal(t, contents(t, db), saved.Contents)
				newest, err := f.Newest()
				require.NoError(t, err)
				require.Equal(t, 4, newest[0].Number)
				require.Equal(t, number, newest[len(newest)-1].Number)
				chain, err := f.Chain()
				if err == nil {
					err = f.CheckFiles(chain)
				}
				require.Equal(t, c.whole, err == nil)
				put(t, db, share(fmt.Sprint("d", number), 0))
				require.Equal(t, number+1, save(t, db, f, keys.to, false).Number)
			}
			// What it does need is missed.
			require.NoError(t, os.WriteFile(f.path(4, "age"), []byte("x"), 0o600))
			_, err := f.Open(keys.with)
			require.ErrorIs(t, err, ErrChain)
		})
	}
}

// Where files are gone that a file of changes would need, the next one is full, at the
// end, and nothing that is left is written over.
func TestHead(t *testing.T) {
	keys := newKeyPair(t)
	for name, c := range map[string]struct {
		spoil  func(*testing.T, Folder)
		broken error
		number int
	}{
		"nothing is missing":             {func(*testing.T, Folder) {}, nil, 4},
		"a file that it does without":    {func(t *testing.T, f Folder) { require.NoError(t, os.Remove(f.path(1, "age"))) }, nil, 4},
		"a file that it needs":           {func(t *testing.T, f Folder) { require.NoError(t, os.Remove(f.path(2, "age"))) }, ErrChain, 4},
		"the full one, and its manifest": {func(t *testing.T, f Folder) { removeFiles(t, f.dir, 1) }, ErrChain, 4},
		"a changed file": {func(t *testing.T, f Folder) {
			require.NoError(t, os.WriteFile(f.path(2, "age"), []byte("x"), 0o600))
		}, ErrChain, 4},
		"the last manifest": {func(t *testing.T, f Folder) {
			require.NoError(t, os.WriteFile(f.path(3, "json"), []byte("x"), 0o600))
		}, ErrDamaged, 4},
		"all manifests": {func(t *testing.T, f Folder) {
			for n := 1; n <= 3; n++ {
				require.NoError(t, os.Remove(f.path(n, "json")))
			}
		}, ErrNone, 4},
		"all": {func(t *testing.T, f Folder) { removeFiles(t, f.dir, 1, 2, 3) }, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db, f := story(t, keys)
			c.spoil(t, f)
			left, err := filepath.Glob(filepath.Join(f.dir, "*"))
			require.NoError(t, err)
			head, err := f.Head()
			require.NoError(t, err)
			require.ErrorIs(t, head.Broken, c.broken)
			if c.broken != nil {
				changes, err := Plan(db, []ed25519.PrivateKey{identity}, "seq-1", head.Last, false, at)
				require.NoError(t, err)
				_, err = f.Add(changes.Manifest, func(io.Writer) error { t.Fatal("written"); return nil })
				require.ErrorIs(t, err, c.broken)
			}
			put(t, db, share("later", 0))
			added := save(t, db, f, keys.to, false)
			require.Equal(t, c.number, added.Number)
			require.Equal(t, c.broken != nil || c.number == 1, added.Full)
			saved, err := f.Open(keys.with)
			require.NoError(t, err)
			require.Equal(t, contents(t, db), saved.Contents)
			for _, path := range left {
				require.FileExists(t, path)
			}
			require.False(t, save(t, db, f, keys.to, false).Full, "it goes on from there")
		})
	}

	_, f := story(t, keys)
	b, err := os.ReadFile(f.path(3, "json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(f.path(3, "json"), []byte(strings.Replace(string(b), `"version": `, `"version": 9`, 1)), 0o600))
	_, err = f.Head()
	require.ErrorIs(t, err, ErrNewerFormat, "a later program goes on there")
}

// Whatever is changed, missing or out of order is found, most of it without a key.
func TestBrokenChain(t *testing.T) {
	keys := newKeyPair(t)
	rename := func(from, to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)))
		}
	}
	edit := func(name, old, replacement string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			b, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Contains(t, string(b), old)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(b), old, replacement, 1)), 0o600))
		}
	}
	for name, c := range map[string]struct {
		spoil func(*testing.T, string)
		want  error
	}{
		"the first is missing":    {rename("000001.json", "x"), ErrChain},
		"the first two are":       {func(t *testing.T, dir string) { removeFiles(t, dir, 1, 2) }, ErrChain},
		"a manifest is missing":   {rename("000002.json", "x"), ErrChain},
		"a file is missing":       {rename("000002.age", "x"), ErrChain},
		"a file in another place": {rename("000002.age", "000001.age"), ErrChain},
		"a manifest in another":   {rename("000003.json", "000002.json"), ErrChain},
		"a changed file": {func(t *testing.T, dir string) {
			path := filepath.Join(dir, "000002.age")
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			b[len(b)/2] ^= 1
			require.NoError(t, os.WriteFile(path, b, 0o600))
		}, ErrChain},
		"another epoch":         {edit("000003.json", `"epoch": 1`, `"epoch": 2`), ErrChain},
		"another file number":   {edit("000003.json", `"in": 2`, `"in": 1`), ErrChain},
		"a later file":          {edit("000003.json", `"in": 2`, `"in": 9`), ErrDamaged},
		"another previous":      {edit("000002.json", `"previous": "`, `"previous": "00`), ErrChain},
		"another key's record":  {edit("000003.json", `"key_id": "a"`, `"key_id": "z"`), ErrChain},
		"a tombstone less":      {edit("000003.json", "\n    \"c\"\n  ", ""), ErrChain},
		"a newer version":       {edit("000002.json", `"version": 2`, `"version": 3`), ErrNewerFormat},
		"the version of before": {edit("000002.json", `"version": 2`, `"version": 1`), ErrDamaged},
		"another layout":        {edit("000002.json", `"version"`, ` "version"`), ErrDamaged},
		"no JSON":               {edit("000002.json", `{`, `[`), ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			_, f := story(t, keys)
			c.spoil(t, f.dir)
			_, err := f.Open(keys.with)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, types.ErrBackup, types.ReasonOf(err))
		})
	}
	_, err := At(t.TempDir()).Chain()
	require.ErrorIs(t, err, ErrNone)
	_, err = At(filepath.Join(t.TempDir(), "none")).Chain()
	require.ErrorIs(t, err, ErrNone)
}

// A folder is for one node: whose identity is not in its last file adds none. One that
// rotated its identity goes on.
func TestFolderOfAnotherNode(t *testing.T) {
	keys := newKeyPair(t)
	db, f := story(t, keys)
	head, err := f.Head()
	require.NoError(t, err)
	other := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	for _, full := range []bool{false, true} {
		_, err = Plan(db, []ed25519.PrivateKey{other}, "seq-1", head.Last, full, at)
		require.ErrorIs(t, err, ErrOtherNode)
		require.ErrorContains(t, err, "file 3")
		require.ErrorContains(t, err, "a folder of its own")
	}
	rotated, err := Plan(db, []ed25519.PrivateKey{identity, other}, "seq-1", head.Last, false, at)
	require.NoError(t, err)
	_, err = f.Add(rotated.Manifest, func(w io.Writer) error { return rotated.Write(w, keys.to) })
	require.NoError(t, err)
	head, err = f.Head()
	require.NoError(t, err)
	require.False(t, head.Last.Full)
	_, err = Plan(db, []ed25519.PrivateKey{other}, "seq-1", head.Last, false, at)
	require.NoError(t, err)

	// Of a folder that is broken too, as far as the last manifest tells.
	require.NoError(t, os.Remove(f.path(2, "json")))
	head, err = f.Head()
	require.NoError(t, err)
	require.ErrorIs(t, head.Broken, ErrChain)
	stranger := ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), 1))
	_, err = Plan(db, []ed25519.PrivateKey{stranger}, "seq-1", head.Last, true, at)
	require.ErrorIs(t, err, ErrOtherNode)
}

// On another chain id the next file holds everything, and those after it continue it.
func TestFolderOfAnotherChain(t *testing.T) {
	keys := newKeyPair(t)
	db, f := story(t, keys)
	for i, full := range []bool{true, false} {
		head, err := f.Head()
		require.NoError(t, err)
		b, err := Plan(db, []ed25519.PrivateKey{identity}, "seq-2", head.Last, false, at)
		require.NoError(t, err)
		m, err := f.Add(b.Manifest, func(w io.Writer) error { return b.Write(w, keys.to) })
		require.NoError(t, err)
		require.Equal(t, full, m.Full)
		require.Equal(t, 4+i, m.Number)
		require.Equal(t, 4, m.Bindings.In)
		saved, err := f.Open(keys.with)
		require.NoError(t, err)
		require.Equal(t, "seq-2", saved.ChainID)
		require.Equal(t, contents(t, db), saved.Contents)
	}
}
