package mpcnode

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
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
// written goes on.
func TestAuditLogThatIsNotThere(t *testing.T) {
	var out logBuffer
	m := testMember(&out)
	dir := t.TempDir()
	m.openAudit(dir)
	require.Nil(t, m.audit)
	_, err := audit.Verify(dir)
	require.ErrorIs(t, err, audit.ErrNone)
	m.vault, _ = newVault(t)
	m.openAudit(dir + "/missing")
	require.Nil(t, m.audit)
	require.Contains(t, out.String(), "works without")
	m.closeAudit()
	m.openAudit(dir)
	require.NotNil(t, m.audit)
	m.closeAudit()
}
