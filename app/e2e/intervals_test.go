package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
)

// intervals are the times between blocks, by the blocks' own times.
type intervals struct {
	all []time.Duration
	// failed counts the rounds that ended without a block: a proposer stood
	// still, or consensus was too slow for its timeouts.
	failed int32
}

// measure reads the intervals of blocks that a node has.
func measure(t *testing.T, ctx context.Context, node *localnet.Node, from, to int64) intervals {
	t.Helper()
	c, err := node.RPC()
	require.NoError(t, err)
	var out intervals
	var last time.Time
	for h := from; h <= to; h++ {
		block, err := c.Block(ctx, &h)
		require.NoError(t, err)
		if !last.IsZero() {
			out.all = append(out.all, block.Block.Time.Sub(last))
			out.failed += block.Block.LastCommit.Round
		}
		last = block.Block.Time
	}
	return out
}

// add counts another stretch of blocks.
func (i *intervals) add(other intervals) {
	i.all, i.failed = append(i.all, other.all...), i.failed+other.failed
}

// sum is how long all of them took.
func (i intervals) sum() (all time.Duration) {
	for _, d := range i.all {
		all += d
	}
	return all
}

// measureIdle measures a network that has just started, and must be fast.
func (n *network) measureIdle(ctx context.Context) intervals {
	n.t.Helper()
	from := n.height(ctx) + warmUpBlocks
	require.NoError(n.t, n.WaitHeight(ctx, from+idleBlocks))
	idle := measure(n.t, ctx, n.Node(0), from, from+idleBlocks)
	require.LessOrEqual(n.t, idle.median(), maxIdle, idle.String())
	return idle
}

// p95 is the smallest interval that at least 95 % do not exceed (nearest rank).
func (i intervals) p95() time.Duration {
	sorted := slices.Sorted(slices.Values(i.all))
	return sorted[(len(sorted)*95+99)/100-1]
}

// median is the middle one.
func (i intervals) median() time.Duration {
	return slices.Sorted(slices.Values(i.all))[len(i.all)/2]
}

// requireNotSlowed compares blocks under load with those without. The 95th percentile of so
// few is made by two rounds that failed, as some do when a proposer stands still, or the
// machine has other work: it is compared with what such a round takes.
func (i intervals) requireNotSlowed(t *testing.T, idle intervals) {
	t.Helper()
	require.LessOrEqual(t, i.median(), maxSlowdown*idle.median(), i.String())
	require.LessOrEqual(t, i.p95(), maxSlowdown*maxIdle, i.String())
}

// longest of them.
func (i intervals) longest() time.Duration { return slices.Max(i.all) }

func TestPercentileIsTheNearestRank(t *testing.T) {
	for blocks, want := range map[int]time.Duration{1: 1, 15: 15, 19: 19, 20: 19, 40: 38, 41: 39, 100: 95} {
		var i intervals
		for n := blocks; n > 0; n-- {
			i.all = append(i.all, time.Duration(n))
		}
		require.Equal(t, want, i.p95(), "%d blocks", blocks)
	}
}

// String is for the log.
func (i intervals) String() string {
	return fmt.Sprintf("95th percentile %s, median %s, longest %s, of %d blocks with %d failed rounds",
		i.p95(), i.median(), i.longest(), len(i.all), i.failed)
}
