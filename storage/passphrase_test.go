package storage

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

var (
	newPassphrase   = []byte("a better one")
	otherPassphrase = []byte("a third one")
)

// identityBeside puts the identity among the database's files, so that whoever
// looks at these sees it too.
const identityBeside = "identity.json"

// newNode makes a database with some content and an identity beside it.
func newNode(t testing.TB) string {
	db, dir := newDB(t)
	fill(t, db)
	require.NoError(t, db.Close())
	_, err := CreateIdentity(filepath.Join(dir, identityBeside), passphrase, cheap)
	require.NoError(t, err)
	return dir
}

func rewrap(t testing.TB, dir string, old, next []byte) error {
	return ChangePassphrase(filepath.Join(dir, identityBeside), dir, old, next, cheap)
}

// opens requires that a passphrase opens both, and returns what is in the
// database.
func opens(t testing.TB, dir string, passphrase []byte) content {
	id, err := LoadIdentity(filepath.Join(dir, identityBeside), passphrase)
	require.NoError(t, err)
	id.Wipe()
	db, err := Open(dir, passphrase, Options{})
	require.NoError(t, err)
	require.NoError(t, db.SettlePassphrase())
	c := contentOf(t, db)
	require.NoError(t, db.Close())
	return c
}

func closed(t testing.TB, dir string, passphrase []byte) {
	_, err := LoadIdentity(filepath.Join(dir, identityBeside), passphrase)
	require.ErrorIs(t, err, ErrWrongPassphrase)
	_, err = Open(dir, passphrase, Options{})
	require.ErrorIs(t, err, ErrWrongPassphrase)
}

func TestChangePassphrase(t *testing.T) {
	dir := newNode(t)
	want := opens(t, dir, passphrase)
	db := reopen(t, dir)
	old := stored(t, db, headerKey)
	require.ErrorIs(t, rewrap(t, dir, passphrase, newPassphrase), ErrInUse, "a node runs")
	require.NoError(t, db.Close())

	before := snapshot(t, dir)
	require.ErrorIs(t, rewrap(t, dir, passphrase, passphrase), ErrSamePassphrase)
	require.ErrorIs(t, rewrap(t, dir, passphrase, nil), ErrEmptyPassphrase)
	require.ErrorIs(t, rewrap(t, dir, nil, newPassphrase), ErrEmptyPassphrase)
	require.ErrorIs(t, rewrap(t, dir, otherPassphrase, newPassphrase), ErrWrongPassphrase)
	unchanged(t, before, dir)

	require.NoError(t, rewrap(t, dir, passphrase, newPassphrase))
	require.Equal(t, want, opens(t, dir, newPassphrase))
	closed(t, dir, passphrase)
	require.Empty(t, holds(t, dir, old), "the old wrapping is in a file")
	require.NoError(t, rewrap(t, dir, passphrase, newPassphrase), "asked for again")
	require.NoError(t, rewrap(t, dir, newPassphrase, otherPassphrase))
	require.Equal(t, want, opens(t, dir, otherPassphrase))
	left, err := filepath.Glob(filepath.Join(dir, "."+identityBeside+"*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// The database's entries stay as they are: nothing is sealed anew.
func TestChangePassphraseLeavesEntries(t *testing.T) {
	dir := newNode(t)
	db := reopen(t, dir)
	sealed := stored(t, db, recordEntry(prefixRecordKey, session(1)))
	require.NoError(t, db.Close())
	require.NoError(t, rewrap(t, dir, passphrase, newPassphrase))
	db, err := Open(dir, newPassphrase, Options{})
	require.NoError(t, err)
	require.Equal(t, sealed, stored(t, db, recordEntry(prefixRecordKey, session(1))))
	require.NoError(t, db.Close())
}

// crashesOfAChange are the folders, identity included, that crashes during a
// change leave.
func crashesOfAChange(t *testing.T, dir string) []map[string]string {
	db, r := record(t, dir)
	require.NoError(t, db.start(withPassphrase(passphrase)))
	return r.during(func() {
		require.NoError(t, db.changePassphrase(filepath.Join(dir, identityBeside), passphrase, newPassphrase, cheap))
	})
}

// Wherever a change is interrupted, one passphrase opens everything; with it a
// node runs and forgets the other one, and the change can be made again.
func TestCrashWhileChangingThePassphrase(t *testing.T) {
	dir := newNode(t)
	want := opens(t, dir, passphrase)
	before := snapshot(t, dir)
	crashes := crashesOfAChange(t, dir)
	after := crashes[len(crashes)-1]
	seen := map[string]int{}
	for _, files := range crashes {
		valid, other, phase := passphrase, newPassphrase, "before"
		if files[identityBeside] == after[identityBeside] {
			valid, other, phase = newPassphrase, passphrase, "after"
		} else {
			require.True(t, files[identityBeside] == before[identityBeside])
		}
		seen[phase]++
		run := restore(t, files)
		require.Equal(t, want, opens(t, run, valid))
		closed(t, run, other)

		again := restore(t, files)
		require.NoError(t, rewrap(t, again, passphrase, newPassphrase))
		require.Equal(t, want, opens(t, again, newPassphrase))
		closed(t, again, passphrase)

		another := restore(t, files)
		require.NoError(t, rewrap(t, another, valid, otherPassphrase))
		require.Equal(t, want, opens(t, another, otherPassphrase))
		closed(t, another, passphrase)
		closed(t, another, newPassphrase)
	}
	require.Greater(t, seen["before"], 5)
	require.Greater(t, seen["after"], 5)
}

// A change that was interrupted at its first step may be made the other way round.
func TestChangeBackAfterACrash(t *testing.T) {
	dir := newNode(t)
	db := reopen(t, dir)
	require.NoError(t, db.addHeader(passphrase, newPassphrase, cheap))
	require.NoError(t, db.Close())
	require.NoError(t, rewrap(t, dir, newPassphrase, passphrase), "the identity never changed")
	opens(t, dir, passphrase)
	closed(t, dir, newPassphrase)
}

// Settling is interrupted like any other write.
func TestCrashWhileSettlingThePassphrase(t *testing.T) {
	for name, valid := range map[string][]byte{"back": passphrase, "forward": newPassphrase} {
		t.Run(name, func(t *testing.T) {
			db, dir := newDB(t)
			fill(t, db)
			require.NoError(t, db.addHeader(passphrase, newPassphrase, cheap))
			want := contentOf(t, db)
			want.Entries--
			require.NoError(t, db.Close())
			db, r := record(t, dir)
			require.NoError(t, db.start(withPassphrase(valid)))
			crashes := r.during(func() { require.NoError(t, db.SettlePassphrase()) })
			require.Greater(t, len(crashes), 10)
			for _, files := range crashes {
				again, err := Open(restore(t, files), valid, Options{})
				require.NoError(t, err)
				require.NoError(t, again.SettlePassphrase())
				require.Equal(t, want, contentOf(t, again))
				require.NoError(t, again.BindDigest("later", types.Hash{}, []byte{1}))
				require.NoError(t, again.Close())
			}
		})
	}
}
