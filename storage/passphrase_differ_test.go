package storage

import (
	"maps"
	"os"
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

// So it is of the identity, which goes over at once: the database beside it has the new one
// already, and may be of the middle of an earlier change, which is settled after that.
func TestCrashWhileMendingTheIdentitysPassphrase(t *testing.T) {
	third := []byte("of a change that was never finished")
	want, _, dir := differing(t)
	identity := filepath.Join(dir, identityBeside)
	db := reopenWith(t, dir, newPassphrase)
	require.NoError(t, db.addHeader(newPassphrase, third, cheap))
	require.NoError(t, db.Close())

	states := []map[string]string{snapshot(t, dir)} // nothing was done
	require.NoError(t, resealIdentity(identity, passphrase, newPassphrase, cheap))
	resealed, err := os.ReadFile(identity)
	require.NoError(t, err)
	before := maps.Clone(states[0])
	before[tempBeside] = string(resealed[:len(resealed)/2])
	states = append(states, before, snapshot(t, dir)) // half of the file is there; it has its name

	db, r := record(t, dir)
	require.NoError(t, db.start(withPassphrase(newPassphrase)))
	forgotten := stored(t, db, nextHeaderKey)
	settling := r.during(func() { require.NoError(t, db.SettlePassphrase()) })
	require.Greater(t, len(settling), 10)
	for _, files := range append(states, settling...) {
		run := restore(t, files)
		_, err := Open(run, passphrase, Options{})
		require.ErrorIs(t, err, ErrWrongPassphrase)
		require.NoError(t, reopenWith(t, run, newPassphrase).Close())
		require.NoError(t, rewrap(t, run, passphrase, newPassphrase))
		require.Equal(t, want, opens(t, run, newPassphrase))
		closed(t, run, passphrase)
		closed(t, run, third)
		require.Empty(t, holds(t, run, forgotten), "the wrapping of the earlier change is in a file")
		require.NoFileExists(t, filepath.Join(run, tempBeside))
	}
}

// tempBeside is what a crash leaves of an identity that is written.
const tempBeside = "." + identityBeside + ".incomplete-7"

func reopenWith(t *testing.T, dir string, passphrase []byte) *DB {
	t.Helper()
	db, err := Open(dir, passphrase, Options{})
	require.NoError(t, err)
	return db
}
