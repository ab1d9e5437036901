package storage

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// differing are the folders of a node whose passphrase was changed, in which one of the two
// is a copy from before again.
func differing(t *testing.T) (want content, olderDatabase, olderIdentity string) {
	t.Helper()
	dir := newNode(t)
	want = opens(t, dir, passphrase)
	before := snapshot(t, dir)
	require.NoError(t, rewrap(t, dir, passphrase, newPassphrase))
	after := snapshot(t, dir)
	before[identityBeside], after[identityBeside] = after[identityBeside], before[identityBeside]
	return want, restore(t, before), restore(t, after)
}

// Where a copy of the database, or of the identity, from before a change is put back beside
// the other one, whoever has both passphrases gives both files either of them. Which file does
// not open is said.
func TestPassphrasesThatDiffer(t *testing.T) {
	for name, c := range map[string]struct{ old, next []byte }{
		"to the new one": {passphrase, newPassphrase},
		"to the old one": {newPassphrase, passphrase},
	} {
		t.Run(name, func(t *testing.T) {
			want, olderDatabase, olderIdentity := differing(t)
			for _, dir := range []string{olderDatabase, olderIdentity} {
				files := snapshot(t, dir)
				for _, wrong := range [][2][]byte{{c.old, otherPassphrase}, {otherPassphrase, c.next}, {c.next, otherPassphrase}} {
					err := rewrap(t, dir, wrong[0], wrong[1])
					require.ErrorIs(t, err, ErrWrongPassphrase)
					require.ErrorContains(t, err, "neither the old nor the new")
					require.ErrorContains(t, err, dir)
					require.Equal(t, files[identityBeside], snapshot(t, dir)[identityBeside])
				}
				require.NoError(t, rewrap(t, dir, c.old, c.next))
				require.Equal(t, want, opens(t, dir, c.next))
				closed(t, dir, c.old)
				require.NoError(t, rewrap(t, dir, c.old, c.next), "asked for again")
			}
		})
	}
	_, dir, _ := differing(t)
	_, err := Open(dir, newPassphrase, Options{})
	require.ErrorContains(t, err, "open the MPC database in "+dir)
	require.ErrorContains(t, err, "after the last change")
	_, err = OpenToLook(dir, newPassphrase)
	require.ErrorContains(t, err, "open the MPC database in "+dir)
}

// An older copy of the database may be of the middle of a change to something else, and be
// opened by either passphrase of that one.
func TestPassphrasesThatDifferAfterACrash(t *testing.T) {
	third := []byte("of a change that was never finished")
	for name, old := range map[string][]byte{"by the first": passphrase, "by the second": third} {
		t.Run(name, func(t *testing.T) {
			want, dir, _ := differing(t)
			db := reopen(t, dir)
			require.NoError(t, db.addHeader(passphrase, third, cheap))
			require.NoError(t, db.Close())
			require.NoError(t, rewrap(t, dir, old, newPassphrase))
			require.Equal(t, want, opens(t, dir, newPassphrase))
			closed(t, dir, passphrase)
			closed(t, dir, third)
		})
	}
}

// Wherever that is interrupted, the same two passphrases finish it.
func TestCrashWhileMendingTheDatabasesPassphrase(t *testing.T) {
	want, dir, _ := differing(t)
	db, r := record(t, dir)
	require.NoError(t, db.start(withPassphrase(passphrase)))
	old := stored(t, db, headerKey)
	crashes := r.during(func() {
		require.NoError(t, db.changePassphrase(filepath.Join(dir, identityBeside), passphrase, newPassphrase, cheap))
	})
	require.Greater(t, len(crashes), 10)
	for _, files := range crashes {
		run := restore(t, files)
		again, err := Open(run, passphrase, Options{})
		if err != nil {
			again, err = Open(run, newPassphrase, Options{})
		}
		require.NoError(t, err)
		require.NoError(t, again.Close())
		require.NoError(t, rewrap(t, run, passphrase, newPassphrase))
		require.Equal(t, want, opens(t, run, newPassphrase))
		closed(t, run, passphrase)
		require.Empty(t, holds(t, run, old), "the old wrapping is in a file")
	}
}
