package storage

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// crashCase is a write that is interrupted at each of its steps.
type crashCase struct {
	write func(*DB) error
	// destroyed are the wrapped keys that it destroys.
	destroyed [][]byte
	// noted: what is going to be destroyed is noted first, in a write of its own.
	noted bool
	// between is what may also be found after a crash: neither before nor after.
	between func(before content) content
	// once says that the same call is another write when it was done already.
	once bool
	// settles says that at some steps a crash leaves work for Open.
	settles bool
}

var crashCases = map[string]crashCase{
	"bind":      {write: func(db *DB) error { return db.BindDigest("s", types.Hash{1}, []byte{1}) }},
	"bind many": {write: func(db *DB) error { return db.BindDigests(many(5)) }},
	"new record": {
		write:   func(db *DB) error { return db.PutRecord(pending(session(4))) },
		settles: true,
	},
	"new record with share": {
		write:   func(db *DB) error { return db.PutRecord(staged(session(4))) },
		settles: true,
	},
	"share":   {write: func(db *DB) error { return db.PutRecord(staged(session(2))) }},
	"promote": {write: func(db *DB) error { return db.PutRecord(promoted(session(1))) }},
	"preparams": {
		write: func(db *DB) error { _, err := db.AddPreparams([]byte("set")); return err },
		once:  true, settles: true,
	},
	"burn": {
		write:     func(db *DB) error { return db.BurnPreparams(1) },
		destroyed: [][]byte{preparamsEntry(prefixPreparamsKey, 1)},
		once:      true, settles: true,
	},
	"destroy record": {
		write:     func(db *DB) error { return db.DestroyRecord(session(1)) },
		destroyed: [][]byte{recordEntry(prefixRecordKey, session(1))},
		settles:   true,
	},
	"destroy key": {
		write:     func(db *DB) error { return db.DestroyKey("key-1") },
		destroyed: [][]byte{recordEntry(prefixRecordKey, session(1)), recordEntry(prefixRecordKey, session(3))},
		between: func(c content) content {
			// Three records with a key each, and two shares, are gone; the tombstone
			// is not there yet, and the note is there still.
			c.Records, c.Shares = nil, map[types.RecordKey]string{}
			c.Entries -= 3*2 + 2
			c.Entries++
			return c
		},
		noted: true, settles: true,
	},
	"destroy unknown key": {write: func(db *DB) error { return db.DestroyKey("key-9") }},
}

// interruption is one run of a case: what was there, and what crashes leave.
type interruption struct {
	crashCase
	before, after content
	// keys are the values of the destroyed keys.
	keys    [][]byte
	crashes []map[string]string
}

func interrupt(t *testing.T, c crashCase) interruption {
	db, dir := newDB(t)
	put(t, db, staged(session(1)), pending(session(2)), staged(session(3)))
	for i := range byte(2) {
		_, err := db.AddPreparams([]byte{i, 7})
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
	db, r := record(t, dir)
	require.NoError(t, db.start(withPassphrase(passphrase)))
	run := interruption{crashCase: c, before: contentOf(t, db)}
	for _, key := range c.destroyed {
		run.keys = append(run.keys, stored(t, db, key))
	}
	run.crashes = r.during(func() { require.NoError(t, c.write(db)) })
	run.after = contentOf(t, db)
	require.NotEqual(t, run.before, run.after)
	return run
}

// check requires what may be found after a crash, and that no file has a key
// that is destroyed then. It reports whether all is as before, but for the note.
func (run interruption) check(t *testing.T, db *DB) bool {
	got := contentOf(t, db)
	if assert.ObjectsAreEqual(run.before, got) {
		return true
	}
	noted := run.before
	noted.Entries++
	if run.noted && assert.ObjectsAreEqual(noted, got) {
		return true
	}
	if run.between == nil || !assert.ObjectsAreEqual(run.between(run.before), got) {
		require.Equal(t, run.after, got)
	}
	for _, v := range run.keys {
		require.Empty(t, holds(t, db.dir, v))
	}
	return false
}

// again does what a caller does that was not answered.
func (run interruption) again(t *testing.T, db *DB) {
	if run.once && assert.ObjectsAreEqual(run.after, contentOf(t, db)) {
		return
	}
	require.NoError(t, run.write(db))
	require.Equal(t, run.after, contentOf(t, db))
}

// isInterrupted reports whether Open has something to make up for.
func isInterrupted(t *testing.T, files map[string]string) bool {
	db := unopened(restore(t, files), Options{})
	defer func() { require.NoError(t, db.closeFiles()) }()
	require.NoError(t, db.hold(false))
	_, err := db.inspect(withPassphrase(passphrase))
	require.NoError(t, err)
	return db.interrupted()
}

// Wherever a write is interrupted, by a killed process or a power failure, the
// database opens again, and has what was before or what comes after. What was
// answered stays.
func TestCrashAtEveryStep(t *testing.T) {
	for name, c := range crashCases {
		t.Run(name, func(t *testing.T) {
			run := interrupt(t, c)
			answered := len(run.crashes) - 2
			asBefore, settled := 0, false
			for i, files := range run.crashes {
				settled = settled || isInterrupted(t, files)
				db := reopen(t, restore(t, files))
				if run.check(t, db) {
					asBefore++
					require.Less(t, i, answered)
				}
				if i >= answered {
					require.Equal(t, run.after, contentOf(t, db))
				}
				run.again(t, db)
				require.NoError(t, db.Close())
			}
			require.Positive(t, asBefore)
			require.Less(t, asBefore, answered, "no crash came after the write")
			require.Equal(t, c.settles, settled)
		})
	}
}

// What Open makes up for may be interrupted as well.
func TestCrashWhileSettling(t *testing.T) {
	for name, c := range crashCases {
		if !c.settles {
			continue
		}
		t.Run(name, func(t *testing.T) {
			run := interrupt(t, c)
			var left []map[string]string
			for _, files := range run.crashes {
				if isInterrupted(t, files) {
					left = append(left, files)
				}
			}
			chosen := left[:1]
			if len(run.keys) > 0 { // before the files are shredded, and after
				chosen = append(chosen[:1:1], left[len(left)-1])
			}
			for _, files := range chosen {
				db, r := record(t, restore(t, files))
				crashes := r.during(func() { require.NoError(t, db.start(withPassphrase(passphrase))) })
				want := contentOf(t, db)
				for _, files := range crashes {
					again := reopen(t, restore(t, files))
					require.Equal(t, want, contentOf(t, again))
					run.check(t, again)
					require.NoError(t, again.Close())
				}
				run.again(t, db)
			}
		})
	}
}

// A folder appears with a complete database in it, or not at all.
func TestCrashWhileCreating(t *testing.T) {
	head, dataKey, err := newHeader(passphrase, *cheap.KDF, steady(t))
	require.NoError(t, err)
	k, err := newKeys(dataKey)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, build(dir, head, k, cheap))
	built := snapshot(t, dir) // before it gets its name

	db, r := record(t, restore(t, built))
	crashes := r.during(func() { require.NoError(t, db.start(withPassphrase(passphrase))) })
	for _, files := range append(crashes, built) {
		again := reopen(t, restore(t, files))
		require.Equal(t, contentOf(t, db), contentOf(t, again))
		put(t, again, staged(session(1)))
		require.NoError(t, again.Close())
	}

	// What a crash leaves before that is out of the way of the next try, and goes with it.
	final := filepath.Join(t.TempDir(), "mpc")
	left := filepath.Join(parent(final), ".mpc.incomplete-1")
	require.NoError(t, os.CopyFS(left, os.DirFS(dir)))
	exists, err := Exists(final)
	require.NoError(t, err)
	require.False(t, exists)
	created, err := Create(final, passphrase, cheap)
	require.NoError(t, err)
	require.NoError(t, created.Close())
	require.NoDirExists(t, left)
}
