package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// forgiven is how long after the weather calmed honest members may still accuse each
// other: a session that it spoiled is stale two stall times after its last progress,
// which a message that was on its way for four seconds may have made.
var forgiven = 2*session.DefaultTiming().Stall + 5*time.Second

// fair: what honest members say of each other is what they saw. Weather, partitions
// and crashes make one look silent to another, so that one accuses the other of
// silence; nothing makes an honest one look like a liar, and in calm weather nobody
// accuses an honest one at all, whatever the liars say. The chain holds in an
// honest name what its engine said, and proof against nobody but liars.
func fair(t *testing.T, w *sim.World, calm time.Time, liars ...*sim.Node) {
	t.Helper()
	lies := make(map[types.Operator]bool)
	for _, n := range liars {
		lies[n.Operator] = true
	}
	said := make(map[types.Fault]bool)
	for _, n := range w.Nodes {
		if !lies[n.Operator] {
			require.Zero(t, n.False, "%s, who is honest, is charged for false results", n.Operator)
		}
		for _, a := range n.Accused {
			said[types.Fault{Participant: a.Accused, Accuser: a.Operator, Reason: a.Reason, Request: a.Request, Session: a.Session}] = true
			if lies[n.Operator] || lies[a.Accused] {
				continue
			}
			require.Contains(t, []types.Reason{types.ErrStalled, types.ErrStartTimeout}, a.Reason,
				"%s accuses the honest %s in %s", a.Operator, a.Accused, a.Request)
			require.Less(t, a.At.Sub(calm), forgiven,
				"%s accuses the honest %s of %s in attempt %d at %s in calm weather", a.Operator, a.Accused, a.Reason, a.Attempt, a.Request)
		}
	}
	for _, f := range w.Chain.EverHeld() {
		switch {
		case f.Proven():
			require.True(t, lies[f.Participant], "an honest member is proved guilty: %v", f)
		case !lies[f.Accuser]:
			require.True(t, said[f], "%v was never said by its accuser", f)
		}
	}
}
