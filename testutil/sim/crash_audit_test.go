package sim_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/storage/audit"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// auditCount counts what the audit logs of many runs say.
type auditCount struct {
	runs, lines, uses, torn atomic.Int64
	// unused: what is run needs no share.
	unused bool
}

// check requires that the audit logs of all nodes are whole, and that each party that was
// made of a share or of pre-parameters stands in its node's: whatever a crash cut off.
func (c *auditCount) check(t *testing.T, w *sim.World, ledger *fakeproto.Ledger) {
	t.Helper()
	c.runs.Add(1)
	said := make(map[*sim.Node]sim.Audited)
	for _, n := range w.Nodes {
		read, err := n.ReadAudit()
		require.NoError(t, err)
		said[n] = read
		c.lines.Add(int64(len(read.Lines)))
		for _, line := range read.Lines {
			if line.Event == audit.Repaired {
				c.torn.Add(1)
			}
		}
	}
	for _, use := range ledger.Uses() {
		for _, n := range w.Nodes {
			read := said[n]
			if n.Operator != use.Operator {
				continue
			}
			if use.Share {
				c.uses.Add(1)
				require.True(t, read.Has(audit.Begin, use.Session), "%s used a share in session %s, and its audit log does not say so", n.Operator, use.Session.Short())
			}
			if use.Preparams {
				c.uses.Add(1)
				require.True(t, read.Has(audit.Burned, use.Session), "%s used pre-parameters in session %s, and its audit log does not say so", n.Operator, use.Session.Short())
			}
		}
	}
}

// report prints what was counted since the last report.
func (c *auditCount) report(t *testing.T, name string) {
	runs, uses := c.runs.Swap(0), c.uses.Swap(0)
	t.Logf("%s: the audit logs of %d runs have all %d uses of shares and pre-parameters, in %d lines; a crash tore %d lines",
		name, runs, uses, c.lines.Swap(0), c.torn.Swap(0))
	require.Positive(t, runs)
	require.Equal(t, c.unused, uses == 0, "the ledger of what was used is not kept")
}
