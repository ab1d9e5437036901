package storage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// mixed takes the named files and folders from an older copy.
func mixed(now, older map[string]string, names ...string) map[string]string {
	files := map[string]string{}
	for _, c := range []struct {
		from  map[string]string
		older bool
	}{{now, false}, {older, true}} {
		for name, b := range c.from {
			top, _, _ := strings.Cut(name, string(filepath.Separator))
			isOlder := false
			for _, n := range names {
				isOlder = isOlder || n == top
			}
			if isOlder == c.older {
				files[name] = b
			}
		}
	}
	return files
}

// Neither database may be replaced by an older copy: its loss would look like
// the trace of a crash, and what the other one has would be removed.
func TestOlderCopyOfOneDatabaseIsRefused(t *testing.T) {
	for name, write := range map[string]func(*DB) error{
		"new record": func(db *DB) error { return db.PutRecord(staged(session(5))) },
		"preparams":  func(db *DB) error { _, err := db.AddPreparams([]byte("set")); return err },
		"destroy":    func(db *DB) error { return db.DestroyRecord(session(1)) },
		"burn":       func(db *DB) error { return db.BurnPreparams(1) },
		"key":        func(db *DB) error { return db.DestroyKey("key-1") },
	} {
		t.Run(name, func(t *testing.T) {
			db, dir := newDB(t)
			fill(t, db)
			older := snapshot(t, dir)
			require.NoError(t, write(db))
			once := snapshot(t, dir)
			put(t, db, staged(types.RecordKey{KeyID: "later"}))
			now := snapshot(t, dir)
			require.NoError(t, db.Close())

			refused(t, restore(t, mixed(now, older, wrappedName)), ErrEntriesMissing)
			refused(t, restore(t, mixed(now, older, wrappedName, markName)), ErrEntriesMissing)
			refused(t, restore(t, mixed(now, older, mainName)), ErrEntriesMissing)
			refused(t, restore(t, mixed(now, older, mainName, markName)), ErrEntriesMissing)
			refused(t, restore(t, mixed(once, older, wrappedName, markName)), ErrEntriesMissing)
			refused(t, restore(t, mixed(now, once, mainName)), ErrEntriesMissing)
			reopen(t, restore(t, mixed(now, older, markName)))
			reopen(t, restore(t, mixed(now, older, wrappedName, mainName, markName)))
		})
	}
}

// Bindings leave the key database as it is: the mark alone knows of them.
func TestOlderBindingsAreRefused(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	older := snapshot(t, dir)
	require.NoError(t, db.BindDigest("late", types.Hash{1}, []byte{1}))
	now := snapshot(t, dir)
	require.NoError(t, db.Close())
	refused(t, restore(t, mixed(now, older, mainName)), ErrEntriesMissing)
}

// Where no crash came in between, one entry without the other is a loss, not
// something to tidy up.
func TestOrphansAreRefusedWithoutACrash(t *testing.T) {
	for name, edit := range map[string]func(*change) error{
		"key of no record": func(c *change) error {
			_, err := c.newKey(recordEntry(prefixRecordKey, session(7)))
			return err
		},
		"key of no pre-parameters": func(c *change) error {
			_, err := c.newKey(preparamsEntry(prefixPreparamsKey, 7))
			return err
		},
		"record without key":         func(c *change) error { return c.destroy(recordEntry(prefixRecordKey, session(2))) },
		"pre-parameters without key": func(c *change) error { return c.destroy(preparamsEntry(prefixPreparamsKey, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			db, dir := newDB(t)
			fill(t, db)
			require.NoError(t, db.write(edit))
			require.NoError(t, db.Close())
			refused(t, dir, ErrEntriesMissing)
		})
	}
}

// One database without the other is no database that a crash leaves.
func TestOneDatabaseIsMissing(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	require.NoError(t, db.Close())
	for _, name := range []string{wrappedName, mainName} {
		for _, instead := range []string{"nothing", "an empty folder", "a file"} {
			t.Run(instead+" for "+name, func(t *testing.T) {
				copied := restore(t, snapshot(t, dir))
				path := filepath.Join(copied, name)
				require.NoError(t, os.RemoveAll(path))
				switch instead {
				case "an empty folder":
					require.NoError(t, os.Mkdir(path, 0o700))
				case "a file":
					require.NoError(t, os.WriteFile(path, nil, 0o600))
				}
				_, err := Open(copied, passphrase, Options{})
				require.ErrorIs(t, err, ErrFilesDamaged)
				require.ErrorContains(t, err, name)
				if instead == "nothing" {
					require.NoDirExists(t, path)
				}
				exists, err := Exists(copied)
				require.NoError(t, err)
				require.True(t, exists, "it is damaged, not absent")
			})
		}
	}
}
