package mpcnode

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// notes are the lines of operations in the audit log of a folder.
func notes(t *testing.T, folder string) []string {
	t.Helper()
	r, err := audit.Verify(folder)
	require.NoError(t, err)
	return r.Notes
}

// An operation is written down through the node if it runs, and without it otherwise;
// either way the chain is one.
func TestRecordOperations(t *testing.T) {
	folder := t.TempDir()
	paths := Paths{Folder: folder, Socket: filepath.Join(t.TempDir(), "mpc.sock")}
	require.NoError(t, Record(t.Context(), paths, Operation{audit.PassphraseChanged, "by hand"}))

	state := idleEngine(t)
	var err error
	state.audit, err = audit.Open(folder)
	require.NoError(t, err)
	serveSocket(t, paths.Socket, reporter{state, noPeers{}, newActivity(), nil, noBackups()}.handler())
	require.NoError(t, Record(t.Context(), paths, KeyOperation(audit.IdentityRotated, []byte{0xab})))
	for _, o := range []Operation{
		{audit.End, "a use that was none"}, {"", ""}, {audit.Restored, strings.Repeat("x", audit.MaxNoteBytes+1)},
	} {
		require.Error(t, Record(t.Context(), paths, o))
		require.ErrorContains(t, NewClient(paths.Socket).Record(t.Context(), o), "no line")
	}
	require.NoError(t, state.audit.Close())
	require.Equal(t, []string{"line 1: passphrase_change: by hand", "line 2: identity_rotate: ab"}, notes(t, folder))

	// A node that keeps no log, as one that lost its database, leaves it to the command.
	state.audit = nil
	require.ErrorContains(t, NewClient(paths.Socket).Record(t.Context(), Operation{audit.DatabaseMade, ""}), "keeps no audit log")
	require.NoError(t, Record(t.Context(), paths, Operation{audit.DatabaseMade, "x"}))
	require.Equal(t, "line 3: database_create: x", notes(t, folder)[2])
}

func TestOperationsSayWhatWasDone(t *testing.T) {
	m := backup.Manifest{Number: 3, Full: true, Records: make([]backup.Entry, 2), Identity: []string{"k"}}
	require.Equal(t, Operation{audit.BackedUp, "file 000003 (full) of 2 records, 1 identity keys, to age1a age1b"},
		BackupOperation(m, &BackupRequest{Recipients: []string{"age1a", "age1b"}}))
	m.Full = false
	o := BackupOperation(m, &BackupRequest{BackupPassphrase: []byte("horse")})
	require.Equal(t, "file 000003 (changes) of 2 records, 1 identity keys, to a passphrase", o.Note)
	o = BackupOperation(m, &BackupRequest{Recipients: []string{strings.Repeat("ä", audit.MaxNoteBytes)}})
	require.NoError(t, o.check())
	require.True(t, strings.HasSuffix(o.Note, "..."))
	o = RestoreOperation(&backup.Saved{ChainID: "seq-1", Created: time.Unix(0, 0).UTC()},
		VaultRestored{Restored: storage.Restored{Records: 2, Shares: 1, Bindings: 3, Preparams: 4, BindingsDiffer: []string{"s"}}, IdentityKeys: 1})
	require.Equal(t, Operation{audit.Restored, `backup of 1970-01-01T00:00:00Z, chain "seq-1": 2 records, 1 shares, 0 tombstones, 3 bindings (1 that differ left out), 1 identity keys, 4 sets of pre-parameters destroyed`}, o)
	o = RestoreOperation(&backup.Saved{ChainID: "seq-1", Created: time.Unix(0, 0)}, VaultRestored{IdentityOnly: true, IdentityKeys: 1})
	require.Equal(t, Operation{audit.IdentityRestored, `of the backup of 1970-01-01T00:00:00Z, chain "seq-1": 1 identity keys`}, o)
	require.NoError(t, o.check())
}

// The metric, the status and the log say that uses of shares are not written down.
func TestAuditThatFailsIsTold(t *testing.T) {
	state := idleEngine(t)
	m := newMetrics("seq-1")
	m.watch(state, &shareWatch{})
	failing := func() float64 { return gather(t, m)["sequencer_mpc_audit_failing"].Metric[0].GetGauge().GetValue() }
	require.Zero(t, failing())
	state.audit = audit.OpenLater(filepath.Join(t.TempDir(), "missing"), audit.Retention{})
	require.InDelta(t, 1, failing(), 0)
	require.Contains(t, reportStatus(state.engine.Status(), state, nil).AuditProblem, "audit.lock")

	lines, err := audit.Open(t.TempDir())
	require.NoError(t, err)
	state.audit = lines
	require.Zero(t, failing())
	require.NoError(t, lines.Close())
	require.Error(t, lines.Append(audit.Entry{Event: audit.Begin}))
	require.InDelta(t, 1, failing(), 0)

	var out logBuffer
	member := testMember(&out)
	member.tellAudit(types.ErrStorage)
	require.Contains(t, out.String(), "level=ERROR")
	require.Contains(t, out.String(), "storage_failed")
	member.tellAudit(nil)
	require.Contains(t, out.String(), "on disk again")
	member.audit = lines
	member.record(Operation{audit.BackedUp, "file 7"})
	require.Contains(t, out.String(), "file 7")
}
