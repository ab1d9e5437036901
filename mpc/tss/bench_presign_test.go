package tss_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/cluster"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// mostOnline is the bar of a signature from a presignature: of the time that the bare
// library takes for a whole one.
const mostOnline = 0.04

// TestBenchPresign compares what it takes from a committed request to its signature by
// whole engines with a presignature (loops, workers, signed envelopes, echo, guard,
// goleveldb) with a signature of the bare library, both in wall time and on all cores,
// medians of runs in turn. It runs with MPC_BENCH=1.
func TestBenchPresign(t *testing.T) {
	for _, c := range []struct{ n, t, runs int }{{4, 2, 9}, {5, 4, 5}, {7, 6, 5}} {
		t.Run(fmt.Sprint(c.t+1), func(t *testing.T) {
			onlyWhenAsked(t)
			benchPresign(t, fixtures.Shares(c.n, c.t), c.runs)
		})
	}
}

// patience is how long pools may take to fill, on a slow machine.
const patience = 20 * time.Minute

func benchPresign(t *testing.T, k fixtures.KeySet, runs int) {
	const target = 2 // whoever leads a request has one, and those who refill it are at rest
	full, signers := len(k.Operators)*target, k.Operators[:k.Threshold+1]
	c := cluster.New(t, k, fixtureProtocols, runtime.GOMAXPROCS(0), target)
	filled := func() bool { return c.Ready() == full }
	require.Eventually(t, filled, patience, 10*time.Millisecond)
	var ours, base []float64
	for i := range runs {
		require.Eventually(t, filled, patience, 10*time.Millisecond)
		begun := time.Now()
		c.Sign(map[string][]byte{fmt.Sprint("sig-", i): digestOf(fmt.Sprint(i))}, time.Minute)
		ours = append(ours, time.Since(begun).Seconds())
		require.Eventually(t, filled, patience, 10*time.Millisecond)
		begun = time.Now()
		rawSign(t, k, digestOf(fmt.Sprint(i)), signers)
		base = append(base, time.Since(begun).Seconds())
	}
	slices.Sort(ours)
	slices.Sort(base)
	report(t, fmt.Sprint("presign-online-", len(signers)), ours[runs/2], base[runs/2], mostOnline)
}
