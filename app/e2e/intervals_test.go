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
	// rounds are those that ended without a block in each of them: a proposer stood still, or
	// consensus was too slow for its timeouts. A block has the median time of the votes for the
	// one before, so the rounds of that one fall into the interval before it.
	rounds []int32
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
			out.rounds = append(out.rounds, block.Block.LastCommit.Round)
		}
		last = block.Block.Time
	}
	return out
}

// add counts another stretch of blocks.
func (i *intervals) add(other intervals) {
	i.all, i.rounds = append(i.all, other.all...), append(i.rounds, other.rounds...)
}

// failed counts the rounds that ended without a block.
func (i intervals) failed() (all int) {
	for _, rounds := range i.rounds {
		all += int(rounds)
	}
	return all
}

// smooth are those in which no round failed.
func (i intervals) smooth() (out intervals) {
	for n, d := range i.all {
		if i.rounds[n] == 0 {
			out.all, out.rounds = append(out.all, d), append(out.rounds, 0)
		}
	}
	return out
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

// most is what at least 95 % do not exceed, and of fewer than 20, where that is the longest, all
// but the longest: one block alone says nothing.
func (i intervals) most() time.Duration {
	if len(i.all) < 2 || len(i.all) >= idleBlocks {
		return i.p95()
	}
	sorted := slices.Sorted(slices.Values(i.all))
	return sorted[len(sorted)-2]
}

// median is the middle one.
func (i intervals) median() time.Duration {
	return slices.Sorted(slices.Values(i.all))[len(i.all)/2]
}

// requireNotSlowed compares blocks under load with those without. The 95th percentile of so
// few is made by two rounds that failed, as some do when a proposer stands still, or the
// machine has other work, and how long those take is a matter of timeouts. So it is compared
// with that of the idle network over the blocks of either in which no round failed. Blocks in
// which some did are bounded in number, and all blocks by what such rounds take.
func (i intervals) requireNotSlowed(t *testing.T, idle intervals) {
	t.Helper()
	require.NoError(t, i.slowed(idle))
}

// smoothOver is what most take over what most of others do, of the blocks in which no round
// failed; 0 if there are none.
func (i intervals) smoothOver(others intervals) float64 {
	mine, theirs := i.smooth(), others.smooth()
	if len(mine.all) == 0 || len(theirs.all) == 0 {
		return 0
	}
	return float64(mine.most()) / float64(theirs.most())
}

// slowed says what is wrong with blocks under load.
func (i intervals) slowed(idle intervals) error {
	smooth, quiet := i.smooth(), idle.smooth()
	switch {
	case len(quiet.all)*3 < len(idle.all)*2:
		return fmt.Errorf("rounds fail without work: %s", idle)
	case len(smooth.all)*3 < len(i.all)*2:
		return fmt.Errorf("rounds failed in more than a third of the blocks: %s", i)
	case smooth.most() > maxSlowdown*quiet.most():
		return fmt.Errorf("where no round failed: %s; without work: %s", smooth, quiet)
	case i.median() > maxSlowdown*idle.median():
		return fmt.Errorf("%s; without work: %s", i, idle)
	case i.p95() > maxSlowdown*maxIdle:
		return fmt.Errorf("more than %s: %s", maxSlowdown*maxIdle, i)
	}
	return nil
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

// intervalsOf are intervals of so many milliseconds, and the rounds that failed in each.
func intervalsOf(of ...[2]int) (i intervals) {
	for _, one := range of {
		i.all = append(i.all, time.Duration(one[0])*time.Millisecond)
		i.rounds = append(i.rounds, int32(one[1]))
	}
	return i
}

// Rounds that fail do not hide how long the other blocks take, nor make them long; without work
// too. They may not be many.
func TestSlowBlocksAreToldFromFailedRounds(t *testing.T) {
	idle := slices.Repeat([][2]int{{1200, 0}}, 20)
	few := slices.Repeat([][2]int{{1300, 0}}, 24)
	for name, c := range map[string]struct {
		idle, busy [][2]int
		want       string
	}{
		"as ever":                           {idle, few, ""},
		"four rounds failed":                {idle, append(slices.Clone(few), slices.Repeat([][2]int{{3700, 1}}, 4)...), ""},
		"one block is slow":                 {idle, append(slices.Clone(few), [2]int{3700, 0}), ""},
		"two blocks are slow":               {idle, append(slices.Clone(few), [2]int{3700, 0}, [2]int{3700, 0}), "where no round failed"},
		"one of a few is slow":              {idle, append(slices.Clone(few[:12]), [2]int{3700, 0}), ""},
		"two of a few are slow":             {idle, append(slices.Clone(few[:12]), [2]int{3700, 0}, [2]int{3700, 0}), "where no round failed"},
		"two, and rounds failed before":     {append(slices.Clone(idle), [2]int{3700, 1}, [2]int{3700, 1}), append(slices.Clone(few), [2]int{3700, 0}, [2]int{3700, 0}), "where no round failed"},
		"rounds failed in half of them":     {idle, append(slices.Clone(few), slices.Repeat([][2]int{{2800, 1}}, 24)...), "a third"},
		"rounds failed in all of them":      {idle, slices.Repeat([][2]int{{2800, 1}}, 24), "a third"},
		"rounds fail without work":          {slices.Repeat([][2]int{{2800, 1}}, 20), few, "without work"},
		"rounds that failed took very long": {idle, append(slices.Clone(few), [2]int{6100, 4}, [2]int{6100, 4}), "more than 6s"},
	} {
		t.Run(name, func(t *testing.T) {
			err := intervalsOf(c.busy...).slowed(intervalsOf(c.idle...))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// String is for the log.
func (i intervals) String() string {
	return fmt.Sprintf("95th percentile %s, median %s, longest %s, of %d blocks with %d failed rounds",
		i.p95(), i.median(), i.longest(), len(i.all), i.failed())
}
