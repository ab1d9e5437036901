package storage

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func TestReopenKeepsEverything(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	want := contentOf(t, db)
	require.Len(t, want.Records, 4)
	require.Len(t, want.Shares, 3)
	require.NoError(t, db.Close())
	for range 3 {
		again := reopen(t, dir)
		require.Equal(t, want, contentOf(t, again))
		require.NoError(t, again.Close())
	}
}

func TestKilledProcessLosesNothing(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	copied := restore(t, snapshot(t, dir)) // as kill -9 leaves it
	require.Equal(t, contentOf(t, db), contentOf(t, reopen(t, copied)))
}

func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	exists, err := Exists(dir)
	require.NoError(t, err)
	require.False(t, exists)

	_, err = Create(dir, nil, cheap)
	require.ErrorIs(t, err, ErrEmptyPassphrase)
	_, err = Create(dir, passphrase, Options{KDF: &KDF{Time: 1, MemoryKiB: 1 << 21, Threads: 1}})
	require.ErrorIs(t, err, ErrInvalid)
	require.NoDirExists(t, dir)

	db, err := Create(dir, passphrase, cheap)
	require.NoError(t, err)
	exists, err = Exists(dir)
	require.NoError(t, err)
	require.True(t, exists)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	left, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	require.Len(t, left, 1, "temporary folders stay behind")

	_, err = Create(dir, passphrase, cheap)
	require.ErrorIs(t, err, ErrExists)
	require.NoError(t, db.Close())
	_, err = Create(dir, passphrase, cheap)
	require.ErrorIs(t, err, ErrExists)
}

func TestCreateInAnEmptyFolder(t *testing.T) {
	db, err := Create(t.TempDir(), passphrase, cheap)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestOpenRefusesAndChangesNothing(t *testing.T) {
	db, dir := newDB(t)
	fill(t, db)
	require.NoError(t, db.Close())
	good := snapshot(t, dir)
	for _, c := range []struct {
		name       string
		passphrase string
		want       error
	}{
		{"empty passphrase", "", ErrEmptyPassphrase},
		{"wrong passphrase", "correct horse battery stapl", ErrWrongPassphrase},
		{"passphrase with a newline", string(passphrase) + "\n", ErrWrongPassphrase},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(dir, []byte(c.passphrase), Options{})
			require.ErrorIs(t, err, c.want)
			require.Equal(t, types.ErrStorage, types.ReasonOf(err))
			unchanged(t, good, dir)
		})
	}
	reopen(t, dir)
}

func TestOpenWithoutDatabase(t *testing.T) {
	empty := t.TempDir()
	for _, dir := range []string{filepath.Join(empty, "none"), empty} {
		_, err := Open(dir, passphrase, Options{})
		require.ErrorIs(t, err, ErrNoDatabase)
	}
	names, err := os.ReadDir(empty)
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestOpenTwice(t *testing.T) {
	db, dir := newDB(t)
	put(t, db, staged(session(1)))
	before := snapshot(t, dir)
	_, err := Open(dir, passphrase, Options{})
	require.ErrorIs(t, err, ErrInUse)
	unchanged(t, before, dir)
	require.NoError(t, db.DestroyRecord(session(1)))
	_, err = Open(dir, passphrase, Options{})
	require.ErrorIs(t, err, ErrInUse, "destroying lets go of the lock")
}

// otherProcess names the folder that the test binary, run again, tries to open.
const otherProcess = "STORAGE_TEST_OPEN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(otherProcess); dir != "" {
		_, err := Open(dir, passphrase, Options{})
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	inMemory()
	os.Exit(m.Run())
}

// inMemory lets tests make their folders in memory, where there is such a file system:
// what is tested of crashes is which files were synced when, which the recorder knows,
// and not the disk, for which the tests would wait most of their time. Benchmarks
// measure the disk.
func inMemory() {
	const shm = "/dev/shm"
	flag.Parse()
	if os.Getenv("TMPDIR") != "" || flag.Lookup("test.bench").Value.String() != "" {
		return
	}
	dir, err := os.MkdirTemp(shm, "storage-test-")
	if err != nil || os.Remove(dir) != nil {
		return
	}
	_ = os.Setenv("TMPDIR", shm)
}

func TestOpenInSecondProcess(t *testing.T) {
	db, dir := newDB(t)
	open := func() (string, error) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), otherProcess+"="+dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := open()
	require.Error(t, err)
	require.Contains(t, out, ErrInUse.Error())
	require.NoError(t, db.Close())
	out, err = open()
	require.NoError(t, err, out)
}

func TestClosed(t *testing.T) {
	db, _ := newDB(t)
	require.NoError(t, db.Close())
	require.NoError(t, db.Close())
	_, err := db.Records()
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, db.PutRecord(pending(session(1))), ErrClosed)
	require.ErrorIs(t, db.DestroyKey("key-1"), ErrClosed)
}

func TestNewerFormat(t *testing.T) {
	db, dir := newDB(t)
	put(t, db, pending(session(1)))
	require.NoError(t, db.Close())
	for name, edit := range map[string]func(rawDB){
		"header": func(e rawDB) { e.set(headerKey, len(headerMagic)+1, func(v byte) byte { return v + 1 }) },
		"entry":  func(e rawDB) { e.set(recordEntry(prefixRecord, session(1)), 0, func(v byte) byte { return v + 1 }) },
	} {
		t.Run(name, func(t *testing.T) {
			edited := restore(t, snapshot(t, dir))
			raw(t, edited, edit)
			before := snapshot(t, edited)
			_, err := Open(edited, passphrase, Options{})
			require.ErrorIs(t, err, ErrNewerFormat)
			unchanged(t, before, edited)
		})
	}
}

func TestFailedWriteEndsWriting(t *testing.T) {
	db, dir := newDB(t)
	put(t, db, staged(session(1)))
	breakMark(t, db)
	require.ErrorIs(t, db.PutRecord(pending(session(2))), ErrFailed)
	require.ErrorIs(t, db.PutRecord(pending(session(3))), ErrFailed)
	_, err := db.OpenShare(session(1))
	require.NoError(t, err, "reading goes on")

	again := reopen(t, restore(t, snapshot(t, dir)))
	all, err := again.Records()
	require.NoError(t, err)
	require.Len(t, all, 2, "the batch was written, but not acknowledged")
	put(t, again, pending(session(3)))
}

// useOnce takes one record and one set through their lives.
func useOnce(db *DB, n byte) error {
	k := session(n)
	if err := errors.Join(db.PutRecord(pending(k)), db.PutRecord(staged(k))); err != nil {
		return err
	}
	share, err := db.OpenShare(k)
	if err != nil || string(share) != string(shareOf(k)) {
		return fmt.Errorf("share of %d is not what was stored: %w", n, err)
	}
	id, err := db.AddPreparams([]byte{n})
	if err != nil {
		return err
	}
	return errors.Join(db.BindDigest("sign", types.Hash{1}, []byte{1}), db.BurnPreparams(id), db.DestroyRecord(k))
}

func TestConcurrentUse(t *testing.T) {
	db, _ := newDB(t)
	var users errgroup.Group
	for n := range byte(4) {
		users.Go(func() error {
			for range 5 {
				if err := useOnce(db, n); err != nil {
					return err
				}
			}
			return nil
		})
		users.Go(func() error {
			for range 20 {
				_, err := db.Records()
				_, err2 := db.Preparams()
				if err := errors.Join(err, err2); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, users.Wait())
	all, err := db.Records()
	require.NoError(t, err)
	require.Empty(t, all)
}
