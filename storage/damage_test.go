package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	ldbstorage "github.com/syndtr/goleveldb/leveldb/storage"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// rawDB edits entries behind the back of the package, as somebody could who has
// the files and goleveldb but not the passphrase.
type rawDB struct {
	t  testing.TB
	db *DB
}

func raw(t testing.TB, dir string, edit func(rawDB)) {
	db := unopened(dir, Options{})
	for _, p := range db.parts() {
		require.NoError(t, p.lock(false))
		require.NoError(t, p.open(false, false))
	}
	edit(rawDB{t, db})
	require.NoError(t, db.closeFiles())
}

func (e rawDB) get(key []byte) []byte {
	value, err := e.db.get(key)
	require.NoError(e.t, err)
	require.NotNil(e.t, value)
	return value
}

func (e rawDB) put(key, value []byte) {
	require.NoError(e.t, e.db.partOf(key).engine.Put(key, value, nil))
}

func (e rawDB) remove(key []byte) { require.NoError(e.t, e.db.partOf(key).engine.Delete(key, nil)) }

// set changes one byte of an entry; at < 0 counts from the end.
func (e rawDB) set(key []byte, at int, change func(byte) byte) {
	value := e.get(key)
	if at < 0 {
		at += len(value)
	}
	value[at] = change(value[at])
	e.put(key, value)
}

// flip changes one bit of an entry.
func (e rawDB) flip(key []byte, at int) { e.set(key, at, func(b byte) byte { return b ^ 0x10 }) }

// refused opens a folder and requires an error that changed nothing.
func refused(t testing.TB, dir string, want error) {
	before := snapshot(t, dir)
	_, err := Open(dir, passphrase, Options{})
	require.ErrorIs(t, err, want)
	unchanged(t, before, dir)
}

func TestFlippedBitInAnEntry(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	require.NoError(t, db.NoteChain(ChainSeen{ChainID: "seq-1", Height: 7}))
	require.NoError(t, db.NoteCompared(Compared{ChainID: "seq-1", Height: 7}))
	require.NoError(t, db.Close())
	good := snapshot(t, dir)
	for name, c := range map[string]struct {
		key  []byte
		want error
	}{
		"header":         {headerKey, ErrHeaderDamaged},
		"state of keys":  {wrappedStateKey, ErrEntryDamaged},
		"state of main":  {mainStateKey, ErrEntryDamaged},
		"record key":     {recordEntry(prefixRecordKey, session(1)), ErrEntryDamaged},
		"record":         {recordEntry(prefixRecord, session(2)), ErrEntryDamaged},
		"share":          {recordEntry(prefixShare, session(3)), ErrEntryDamaged},
		"preparams key":  {preparamsEntry(prefixPreparamsKey, 1), ErrEntryDamaged},
		"pre-parameters": {preparamsEntry(prefixPreparams, 2), ErrEntryDamaged},
		"binding":        {bindingEntry("sign-0"), ErrEntryDamaged},
		"tombstone":      {tombstoneEntry("key-gone"), ErrEntryDamaged},
		"chain":          {chainKey, ErrEntryDamaged},
		"compared":       {comparedKey, ErrEntryDamaged},
	} {
		// In the middle of the nonce or the salt, of the ciphertext, of the tag or
		// the checksum.
		for _, at := range []int{20, 26, -17, -1} {
			t.Run(fmt.Sprintf("%s %d", name, at), func(t *testing.T) {
				edited := restore(t, good)
				raw(t, edited, func(e rawDB) { e.flip(c.key, at) })
				refused(t, edited, c.want)
			})
		}
	}
}

func TestDoctoredEntries(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	old, err := db.get(recordEntry(prefixRecord, session(2)))
	require.NoError(t, err)
	put(t, db, pending(session(2))) // seals it anew
	require.NoError(t, db.Close())
	good := snapshot(t, dir)
	move := func(from, to []byte) func(rawDB) {
		return func(e rawDB) { e.put(to, e.get(from)) }
	}
	remove := func(key []byte) func(rawDB) {
		return func(e rawDB) { e.remove(key) }
	}
	for name, c := range map[string]struct {
		edit func(rawDB)
		want error
	}{
		"binding removed":        {remove(bindingEntry("sign-0")), ErrEntriesMissing},
		"tombstone removed":      {remove(tombstoneEntry("key-gone")), ErrEntriesMissing},
		"share removed":          {remove(recordEntry(prefixShare, session(1))), ErrEntriesMissing},
		"record removed":         {remove(recordEntry(prefixRecord, session(2))), ErrEntriesMissing},
		"record key removed":     {remove(recordEntry(prefixRecordKey, session(1))), ErrEntriesMissing},
		"pre-parameters removed": {remove(preparamsEntry(prefixPreparams, 1)), ErrEntriesMissing},
		"their key removed":      {remove(preparamsEntry(prefixPreparamsKey, 1)), ErrEntriesMissing},
		"state of keys removed":  {remove(wrappedStateKey), ErrEntriesMissing},
		"state of main removed":  {remove(mainStateKey), ErrEntriesMissing},
		"one state for both":     {move(mainStateKey, wrappedStateKey), ErrEntryDamaged},
		"header removed":         {remove(headerKey), ErrHeaderDamaged},
		"binding moved":          {move(bindingEntry("sign-0"), bindingEntry("sign-1")), ErrEntryDamaged},
		"share moved": {move(recordEntry(prefixShare, session(1)), recordEntry(prefixShare, session(3))),
			ErrEntryDamaged},
		"older record":  {func(e rawDB) { e.put(recordEntry(prefixRecord, session(2)), old) }, ErrEntriesMissing},
		"foreign entry": {move(bindingEntry("sign-0"), []byte("zzz")), ErrEntryDamaged},
		"entry in the other database": {func(e rawDB) {
			require.NoError(t, e.db.wrapped.engine.Put(bindingEntry("sign-0"), e.get(bindingEntry("sign-0")), nil))
		}, ErrEntryDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			edited := restore(t, good)
			raw(t, edited, c.edit)
			refused(t, edited, c.want)
		})
	}
}

// isDamage: what a damaged file may be reported as. Where goleveldb leaves a
// damaged part of a journal out, what is missing then may be the header.
func isDamage(err error) bool {
	for _, e := range []error{ErrFilesDamaged, ErrEntriesMissing, ErrHeaderDamaged, ErrEntryDamaged} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func TestRefusalOfTheSystemIsNoDamage(t *testing.T) {
	for err, damage := range map[error]bool{
		&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}: false,
		&fs.PathError{Op: "open", Path: "x", Err: syscall.EMFILE}: false,
		&fs.PathError{Op: "read", Path: "x", Err: syscall.EIO}:    false,
		&fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}: true,
		io.ErrUnexpectedEOF: true,
		&ldbstorage.ErrCorrupted{Err: errors.New("checksum")}: true,
	} {
		got := damaged("read", err)
		require.ErrorIs(t, got, err)
		require.ErrorIs(t, got, types.ErrStorage)
		require.Equalf(t, damage, errors.Is(got, ErrFilesDamaged), "%v", err)
	}
}

// databases are the same content in journals, as a node leaves it, and in
// tables, as opening leaves it.
func databases(t *testing.T) map[string]map[string]string {
	db, dir := newDB(t)
	fill(t, db)
	inJournals := snapshot(t, dir)
	require.NoError(t, db.Close())
	require.NoError(t, reopen(t, dir).Close())
	inTables := snapshot(t, dir)
	for name, b := range inTables {
		require.False(t, filepath.Ext(name) == ".log" && len(b) > 0, "%s is not in tables", name)
	}
	return map[string]map[string]string{"tables": inTables, "journals": inJournals}
}

// openDamaged opens what may be damaged and requires an error of damage that
// changed nothing, or exactly the content that was there.
func openDamaged(t *testing.T, files map[string]string, want content) (opened bool) {
	dir := restore(t, files)
	db, err := Open(dir, passphrase, Options{})
	if err != nil {
		require.Truef(t, isDamage(err), "%v", err)
		unchanged(t, files, dir)
		return false
	}
	require.Equal(t, want, contentOf(t, db))
	require.NoError(t, db.Close())
	return true
}

func with(files map[string]string, name, content string) map[string]string {
	changed := map[string]string{}
	for n, c := range files {
		changed[n] = c
	}
	changed[name] = content
	return changed
}

func TestFlippedBitInAnyFile(t *testing.T) {
	const perFile = 25
	for kind, files := range databases(t) {
		want := contentOf(t, reopen(t, restore(t, files)))
		for name, b := range files {
			if len(b) == 0 {
				continue
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				step := max(1, len(b)/perFile)
				for at := 0; at < len(b); at += step {
					bad := []byte(b)
					bad[at] ^= 1 << (at % 8)
					opened := openDamaged(t, with(files, name, string(bad)), want)
					switch {
					case name == markName: // either slot is enough
					case filepath.Base(name) == "CURRENT.bak": // nothing reads it
					case filepath.Ext(name) == ".ldb" && at >= len(b)-footerBytes: // padding
					default:
						require.Falsef(t, opened, "a bit flipped at %d went unnoticed", at)
					}
				}
			})
		}
	}
}

func TestFlippedBitInFooter(t *testing.T) {
	files := databases(t)["tables"]
	want := contentOf(t, reopen(t, restore(t, files)))
	for name, b := range files {
		if filepath.Ext(name) != ".ldb" {
			continue
		}
		for at := range footerBytes {
			bad := []byte(b)
			bad[len(b)-footerBytes+at] ^= 1 << (at % 8)
			openDamaged(t, with(files, name, string(bad)), want)
		}
	}
}

func TestTruncatedFile(t *testing.T) {
	for kind, files := range databases(t) {
		want := contentOf(t, reopen(t, restore(t, files)))
		for name, b := range files {
			if len(b) == 0 || filepath.Base(name) == "CURRENT.bak" {
				continue
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				for _, left := range []int{0, 1, len(b) / 3, len(b) / 2, len(b) - markSlotBytes - 1, len(b) - 1} {
					if left < 0 || left >= len(b) {
						continue
					}
					opened := openDamaged(t, with(files, name, b[:left]), want)
					require.Equal(t, name == markName && left >= markSlotBytes, opened, "%d bytes left", left)
				}
			})
		}
	}
}

func TestMissingFile(t *testing.T) {
	for kind, files := range databases(t) {
		for name, b := range files {
			if len(b) == 0 || filepath.Base(name) == "CURRENT.bak" {
				continue
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				dir := restore(t, files)
				require.NoError(t, os.Remove(filepath.Join(dir, name)))
				_, err := Open(dir, passphrase, Options{})
				require.Truef(t, isDamage(err), "%v", err)
			})
		}
	}
}
