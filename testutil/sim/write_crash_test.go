package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// life runs a key's whole life and checks it.
func life(t *testing.T, w *sim.World) {
	t.Helper()
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(20*time.Minute, ready(w, "key")), "keygen is stuck")
	require.True(t, w.Run(time.Minute, func() bool { return allUp(w) }))
	holdsWinner(t, w, "key")
	signs(t, w, "key")
	w.Chain.Delete("key")
	require.True(t, w.Run(5*time.Minute, func() bool {
		k, _ := w.Chain.Key("key")
		return allUp(w) && len(k.DeletionAcked) == len(k.Holders) && k.Status == types.KeyDeleted
	}), "the deletion is stuck")
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		require.Empty(t, records)
	}
	nobodyAccused(t, w)
}

// TestCrashAtEveryWrite: a node that crashes right before or right after any
// write of a key's life comes back to a network that goes on.
func TestCrashAtEveryWrite(t *testing.T) {
	type point struct {
		node  types.Operator
		write int
		done  bool
	}
	var points []point
	calm := network(t, 11, 4)
	counts := make(map[types.Operator]int)
	calm.CrashAt = func(n *sim.Node, _ string, done bool) bool {
		points = append(points, point{n.Operator, counts[n.Operator], done})
		if done {
			counts[n.Operator]++
		}
		return false
	}
	life(t, calm)
	require.Greater(t, len(points), 30)

	for _, p := range points {
		w := network(t, 11, 4)
		writes, hit := 0, ""
		w.CrashAt = func(n *sim.Node, what string, done bool) bool {
			if n.Operator != p.node || hit != "" {
				return false
			}
			if writes == p.write && done == p.done {
				hit = what
				return true
			}
			if done {
				writes++
			}
			return false
		}
		ok := t.Run(fmt.Sprintf("%s write %d done %t", p.node, p.write, p.done), func(t *testing.T) { life(t, w) })
		require.True(t, ok, "crashed at %q", hit)
		require.NotEmpty(t, hit, "%+v was not reached", p)
	}
	t.Logf("crashed at %d points: before and after each of %d writes", len(points), len(points)/2)
}
