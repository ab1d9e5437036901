package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// putReady stores a share that became READY.
func putReady(t *testing.T, db *storage.DB, r types.Record) {
	t.Helper()
	require.NoError(t, db.PutRecord(r))
	r.Data, r.Status = nil, types.StatusReady
	require.NoError(t, db.PutRecord(r))
}

// A machine that does not run is put back to a copy of before a reshare that was being tested when
// the newest backup was made: nobody there knows whether the chain chose the new shares, so the file
// is added, and create says what it lacks. So it does where a manifest of before is missing.
func TestBackupLacksStagedShares(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		home, folder := validator(t), filepath.Join(t.TempDir(), "backups")
		to, secret := ageKeys(t)
		create := []string{"mpc", "backup", "create", folder, "--recipient", to}
		withDatabase(t, home, func(db *storage.DB) { putReady(t, db, fixtureShare("treasury", 0)) })
		_, err := run(t, home, create...)
		require.NoError(t, err)
		withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("treasury", 1))) })
		_, err = run(t, home, create...)
		require.NoError(t, err)
		if broken {
			require.NoError(t, os.Remove(filepath.Join(folder, "000001.json")))
		}
		withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.DestroyRecord(fixtureShare("treasury", 1).RecordKey)) })
		said, err := complains(t, home, append(create, "--full")...)
		require.NoError(t, err)
		require.Contains(t, said, "this backup lacks shares of treasury epoch 1 that file 2 has, which were not READY then")
		require.NotContains(t, said, "lacks shares of treasury that")
		if broken {
			continue
		}
		_, err = run(t, home, "mpc", "backup", "restore", folder, "--age-identity", secret, "--upto", "2")
		require.NoError(t, err)
		said, err = complains(t, home, create...)
		require.NoError(t, err)
		require.Empty(t, said)
	}
}

// saves is a node that makes a backup of the database of a home, as a running one answers.
func saves(t *testing.T, home string, header http.Header) {
	t.Helper()
	paths := mpcnode.DefaultConfig().PathsOf(home)
	short := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", short)
	require.NoError(t, err)
	require.NoError(t, os.Rename(short, paths.Socket))
	s := &http.Server{ReadTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var r mpcnode.BackupRequest
		if !assert.NoError(t, json.NewDecoder(req.Body).Decode(&r)) {
			return
		}
		vault, err := mpcnode.OpenVaultWith(paths, r.Passphrase)
		if !assert.NoError(t, err) {
			return
		}
		defer func() { assert.NoError(t, vault.Close()) }()
		plan, err := vault.Plan("seq-1", &r)
		if !assert.NoError(t, err) {
			return
		}
		to, err := r.To()
		assert.NoError(t, err)
		manifest, err := json.Marshal(plan.Manifest)
		assert.NoError(t, err)
		answer := bytes.NewBuffer(binary.BigEndian.AppendUint32(nil, uint32(len(manifest))))
		answer.Write(manifest)
		assert.NoError(t, plan.Write(answer, to))
		for name, values := range header {
			w.Header()[name] = values
		}
		_, err = answer.WriteTo(w)
		assert.NoError(t, err)
	})}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
}

// A running node asks the chain about staged shares that it lost, and so create says nothing of
// them: but where the newest manifest does not tell of which session they are, or the program
// of the node asked nothing, it names them.
func TestRunningNodeLacksStagedShares(t *testing.T) {
	t.Parallel()
	judged := http.Header{"Mpc-Staged-Judged": {"true"}}
	for name, c := range map[string]struct {
		header http.Header
		// before: the manifest is of version 1.
		before bool
		flags  []string
		named  bool
	}{
		"the chain was asked":             {judged, false, nil, false},
		"the manifest is of before":       {judged, true, nil, true},
		"the node is of before":           {nil, false, nil, true},
		"the shares are to stay lost":     {judged, false, []string{"--shares-are-lost"}, true},
		"both are of before, a full file": {nil, true, []string{"--full"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home, dir := validator(t), filepath.Join(t.TempDir(), "backups")
			to, _ := ageKeys(t)
			create := []string{"mpc", "backup", "create", dir, "--recipient", to}
			withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("treasury", 1))) })
			_, err := run(t, home, create...)
			require.NoError(t, err)
			if c.before {
				asVersion1(t, filepath.Join(dir, "000001.json"))
			}
			withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.DestroyRecord(fixtureShare("treasury", 1).RecordKey)) })
			saves(t, home, c.header)
			said, err := complains(t, home, append(create, c.flags...)...)
			require.NoError(t, err)
			require.Equal(t, c.named, strings.Contains(said, "this backup lacks shares of treasury epoch 1 that file 1 has, which were not READY then"), said)
		})
	}
}

// asVersion1 makes of a manifest what a program of before wrote.
func asVersion1(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var m backup.Manifest
	require.NoError(t, json.Unmarshal(text, &m))
	require.Equal(t, 2, m.Version)
	m.Version = 1
	for i := range m.Records {
		m.Records[i].Context, m.Records[i].Request = "", ""
	}
	text, err = json.MarshalIndent(m, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
}

// A machine is put back to a copy of before a reshare, and its nightly backup runs: it adds
// nothing, unless it is told to, and what was saved is restored all the same.
func TestBackupOfAnOlderCopy(t *testing.T) {
	t.Parallel()
	home, folder := validator(t), filepath.Join(t.TempDir(), "backups")
	database := mpcnode.DefaultConfig().PathsOf(home).Database
	to, secret := ageKeys(t)
	create := []string{"mpc", "backup", "create", folder, "--recipient", to}
	withDatabase(t, home, func(db *storage.DB) {
		putReady(t, db, fixtureShare("treasury", 0))
		putReady(t, db, fixtureShare("passing", 0))
	})
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	require.NoError(t, os.CopyFS(snapshot, os.DirFS(database)))
	withDatabase(t, home, func(db *storage.DB) {
		putReady(t, db, fixtureShare("treasury", 1))
		require.NoError(t, db.DestroyRecord(fixtureShare("passing", 0).RecordKey))
	})
	_, err := run(t, home, create...)
	require.NoError(t, err)

	require.NoError(t, os.Rename(database, database+".kept"))
	require.NoError(t, os.Rename(snapshot, database))
	_, err = run(t, home, create...)
	require.ErrorIs(t, err, backup.ErrLost)
	require.ErrorContains(t, err, "of treasury the node has an older epoch")
	require.NoFileExists(t, filepath.Join(folder, "000002.age"))

	said, err := complains(t, home, append(create, "--shares-are-lost")...)
	require.NoError(t, err)
	require.Contains(t, said, "lacks shares of treasury that file 1 has")
	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret}
	_, err = run(t, home, append(restore, "--upto", "3")...)
	require.ErrorIs(t, err, backup.ErrNone)
	_, err = run(t, home, append(restore, "--upto", "0")...)
	require.ErrorContains(t, err, "numbers from 1")
	out, err := run(t, home, "mpc", "backup", "list", folder, "--upto", "1")
	require.NoError(t, err)
	require.NotContains(t, out, "000002")
	_, err = run(t, home, append(restore, "--upto", "1")...)
	require.NoError(t, err)
	withDatabase(t, home, func(db *storage.DB) {
		_, err := db.OpenShare(fixtureShare("treasury", 1).RecordKey)
		require.NoError(t, err)
	})
	_, err = run(t, home, create...)
	require.NoError(t, err)
}
