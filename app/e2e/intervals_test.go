package e2e

import (
	"context"
	"slices"
	"testing"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
)

// intervals measures the time between blocks, by their own times.
func intervals(t *testing.T, ctx context.Context, node *localnet.Node, from, to int64) []time.Duration {
	t.Helper()
	c, err := rpchttp.New(node.Info().RPC, "/websocket")
	require.NoError(t, err)
	var out []time.Duration
	var last time.Time
	for h := from; h <= to; h++ {
		header, err := c.Header(ctx, &h)
		require.NoError(t, err)
		if !last.IsZero() {
			out = append(out, header.Header.Time.Sub(last))
		}
		last = header.Header.Time
	}
	return out
}

// p95 is the value below which 95 % lie.
func p95(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)*95/100]
}
