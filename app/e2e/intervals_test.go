package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
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
	c, err := rpchttp.New(node.Info().RPC, "/websocket")
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

// p95 is the value below which 95 % lie.
func (i intervals) p95() time.Duration {
	sorted := slices.Sorted(slices.Values(i.all))
	return sorted[len(sorted)*95/100]
}

// String is for the log.
func (i intervals) String() string {
	sorted := slices.Sorted(slices.Values(i.all))
	return fmt.Sprintf("95th percentile %s, median %s, longest %s, of %d blocks with %d failed rounds",
		i.p95(), sorted[len(sorted)/2], sorted[len(sorted)-1], len(sorted), i.failed)
}
