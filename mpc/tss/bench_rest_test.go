package tss_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/cluster"
)

const (
	// patience is how long pools may take to fill, on a slow machine.
	patience = 20 * time.Minute
	// restPoll lies between two looks at engines that are awaited.
	restPoll = 10 * time.Millisecond
)

// awaitRest waits until engines have full pools and do nothing, and the next block is due.
// Meanwhile blocks come in time, without which they would make nothing.
func awaitRest(t *testing.T, c *cluster.Cluster, full int) {
	t.Helper()
	since := time.Now()
	require.Eventually(t, func() bool {
		if !c.Due() {
			return false
		}
		if ready, resting := c.Stock(since); resting && ready == full {
			return true
		}
		c.Block()
		return false
	}, patience, restPoll)
}

// stockOf is how many presignatures engines have that make no more.
func stockOf(t *testing.T, c *cluster.Cluster) (ready int) {
	t.Helper()
	since := time.Now()
	require.Eventually(t, func() (resting bool) {
		ready, resting = c.Stock(since)
		return resting
	}, patience, restPoll)
	return ready
}
