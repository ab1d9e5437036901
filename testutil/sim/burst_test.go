package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// TestBurstOnSlowDisks: a block asks for many signatures of nodes of which each write
// takes as long as on a slow disk. All are made in their first attempt, and nobody is
// called silent: no node is, for long.
func TestBurstOnSlowDisks(t *testing.T) {
	const requests = 200
	w := sim.New(t, sim.Config{
		Seed: 5, Nodes: 4, Protocols: fakeproto.Protocols{}, WriteCost: 40 * time.Millisecond,
		Step: [2]time.Duration{5 * time.Millisecond, 15 * time.Millisecond}, Lag: 300 * time.Millisecond,
	})
	plantKey(t, w, 2, w.Nodes...)
	var ids []string
	for i := range requests {
		ids = append(ids, fmt.Sprintf("burst-%03d", i))
		w.Chain.Sign(ids[i], "key", digestOf(ids[i]))
	}
	require.True(t, w.Run(5*time.Second, func() bool { return w.Chain.Open() == requests }))
	require.True(t, w.Run(5*time.Minute, func() bool { return w.Chain.Open() == 0 && idle(w) }))
	for _, id := range ids {
		_, signed := w.Chain.Signature(id)
		require.True(t, signed, id)
	}
	for _, n := range w.Nodes {
		require.Empty(t, n.Accused, "%s accuses others", n.Operator)
		require.Zero(t, n.Ended[types.ErrStartTimeout])
		require.Zero(t, n.Ended[types.ErrStalled])
	}
	require.Empty(t, w.Chain.Faults())
	nobodyAccused(t, w)
}
