package mpcnode

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

func TestAuditorWritesUses(t *testing.T) {
	dir := t.TempDir()
	lines, err := audit.Open(dir)
	require.NoError(t, err)
	var out logBuffer
	a := &auditor{lines: lines, log: slog.New(slog.NewTextHandler(&out, nil))}
	u := mpc.Use{
		Request: types.RequestID{Kind: types.KindSign, ID: "payment-1"}, Key: "treasury", Epoch: 2, Height: 7, Digest: []byte{1, 2},
		Session: types.Context{3}, Attempt: 1, Signers: []types.Operator{"a", "b"},
	}
	a.ShareOpened(u)
	a.ShareClosed(u, "")
	a.ShareOpened(u)
	a.ShareClosed(u, types.ErrStalled)
	r, err := audit.Verify(dir)
	require.NoError(t, err)
	require.Equal(t, []int{2, 2}, []int{r.Begun, r.Ended})
	require.Empty(t, r.Open)

	// Signing goes on without it, which is told once.
	require.NoError(t, lines.Close())
	a.ShareOpened(u)
	a.ShareClosed(u, "")
	require.Equal(t, 1, strings.Count(out.String(), "audit log cannot be written"))
}

func TestAuditLineNamesEverything(t *testing.T) {
	e := auditLine(mpc.Use{
		Request: types.RequestID{Kind: types.KindSign, ID: "payment-1"}, Key: "treasury", Epoch: 2, Height: 7, Digest: []byte{1, 2},
		Session: types.Context{3}, Attempt: 1, Signers: []types.Operator{"a", "b"},
	}, audit.End, "stalled")
	require.Equal(t, audit.Entry{
		Event: "end", Kind: "sign", Request: "payment-1", Key: "treasury", Epoch: 2, Height: 7, Digest: "0102",
		Session: types.Context{3}.String(), Attempt: 1, Signers: []string{"a", "b"}, Outcome: "stalled",
	}, e)
}

// A node without an identity has nothing to write, and one whose folder cannot be
// written goes on, tries again, and writes then what an operator did meanwhile.
func TestAuditLogThatIsNotThere(t *testing.T) {
	var out logBuffer
	m := testMember(&out)
	dir := filepath.Join(t.TempDir(), "mpc")
	m.openAudit(dir)
	require.Nil(t, m.audit)
	m.record(Operation{audit.BackedUp, "nobody's"})
	m.vault, _ = newVault(t)
	m.openAudit(dir)
	require.Contains(t, out.String(), "works without")
	m.record(Operation{audit.BackedUp, "file 1"})
	require.NoError(t, os.Mkdir(dir, 0o700))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.runAudit(ctx) }()
	require.Eventually(t, func() bool { return m.audit.Failing() == nil }, 10*audit.FlushInterval, audit.FlushInterval/20)
	cancel()
	require.NoError(t, <-ended)
	m.closeAudit()
	require.Equal(t, []string{
		"line 1: gap: 1 lines before this one could not be written; 1 of them follow", "line 2: backup: file 1",
	}, notes(t, dir))
	head, err := m.vault.Database().AuditHead()
	require.NoError(t, err)
	require.Equal(t, uint64(2), head.Number)
	require.Zero(t, head.Lost)
}

// The log of a node keeps as many files as its configuration says, and it tells which went.
func TestAuditFilesThatAreRemoved(t *testing.T) {
	var out logBuffer
	m, dir := testMember(&out), t.TempDir()
	m.vault, _ = newVault(t)
	m.cfg.AuditFiles = audit.MinFiles
	m.openAudit(dir)
	long := audit.Entry{Event: audit.BackedUp, Note: strings.Repeat("x", 60<<10)}
	for !strings.Contains(out.String(), "removed") {
		require.NoError(t, m.audit.Append(long))
	}
	m.closeAudit()
	r, err := audit.Verify(dir)
	require.NoError(t, err)
	require.Equal(t, audit.MinFiles, r.Files)
	require.Contains(t, out.String(), "audit-files")
	require.Contains(t, out.String(), fmt.Sprintf("last_line=%d", r.First-1))
	m.tellRemoved("audit-000000000001.log", 9, os.ErrPermission)
	require.Contains(t, out.String(), "level=ERROR")
}

// What the database knows of the log tells after a restart that lines are gone, that some
// could not be written, or that the database itself is an older one.
func TestAuditAndDatabase(t *testing.T) {
	use := audit.Entry{Event: audit.Begin, Kind: "sign", Request: "s"}
	done := audit.Entry{Event: audit.End, Kind: "sign", Request: "s", Outcome: audit.OutcomeOK}
	v, _ := newVault(t)
	tests := map[string]struct {
		noted  func(end audit.Head) storage.AuditHead
		after  []audit.Entry // the head was noted
		cut    bool
		reason types.Reason
		note   string
	}{
		"nothing was noted":                    {noted: func(audit.Head) storage.AuditHead { return storage.AuditHead{} }},
		"as it was":                            {noted: headAt(0, 0)},
		"an operator's line since, long after": {noted: headAt(0, -time.Hour), after: []audit.Entry{{Event: audit.BackedUp, Note: "x"}}},
		"killed before it could note":          {noted: headAt(0, -databaseLag/2), after: []audit.Entry{use, done}},
		"lines were lost":                      {noted: headAt(3, 0), note: "3 lines before this one could not be written until the node stopped"},
		"lines were cut off":                   {noted: headAt(0, 0), cut: true, reason: types.ErrAudit, note: "audit_log_broken: line 2"},
		"the database is older":                {noted: headAt(0, -time.Hour), after: []audit.Entry{use, done}, reason: types.ErrDatabaseOld, note: "database_old: its last note"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			lines, err := audit.Open(dir)
			require.NoError(t, err)
			require.NoError(t, lines.Append(use))
			before, err := os.ReadFile(filepath.Join(dir, "audit.log"))
			require.NoError(t, err)
			require.NoError(t, lines.Append(done))
			require.NoError(t, v.Database().NoteAudit(tt.noted(lines.Head())))
			for _, e := range tt.after {
				require.NoError(t, lines.Append(e))
			}
			require.NoError(t, lines.Close())
			if tt.cut {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "audit.log"), before, 0o600))
			}
			_, err = v.Database().AddPreparams([]byte("set"))
			require.NoError(t, err)

			var out logBuffer
			m := testMember(&out)
			m.vault = v
			m.openAudit(dir)
			defer m.closeAudit()
			sets, err := v.Database().Preparams()
			require.NoError(t, err)
			require.Equal(t, tt.reason == types.ErrDatabaseOld, len(sets) == 0, "pre-parameters of an older copy may have been used")
			if tt.reason == "" {
				require.Empty(t, m.warnings)
				require.Empty(t, out.String())
			} else {
				require.Len(t, m.warnings, 1)
				require.Equal(t, string(tt.reason), m.warnings[0].Reason)
				require.Equal(t, tt.reason.Remedy(), m.warnings[0].Remedy)
				require.Contains(t, out.String(), tt.reason)
			}
			found := strings.Join(notes(t, dir), "\n")
			require.Contains(t, found, tt.note)
			require.Equal(t, tt.note != "", strings.Contains(found, "gap: "))

			// It is told once: what the log is now is what is noted next.
			m.noteAudit(m.audit.Head(), true)
			m.closeAudit()
			again := testMember(&out)
			again.vault = v
			again.openAudit(dir)
			defer again.closeAudit()
			require.Empty(t, again.warnings)
		})
	}
}

// headAt notes the end of the log some time ago, with lines that were lost.
func headAt(lost uint64, ago time.Duration) func(audit.Head) storage.AuditHead {
	return func(end audit.Head) storage.AuditHead {
		h := storage.AuditHead{Number: end.Number, Lost: lost, At: time.Now().Add(ago)}
		if _, err := hex.Decode(h.Hash[:], []byte(end.Hash)); err != nil {
			panic(err)
		}
		return h
	}
}
