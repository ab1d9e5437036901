package tss_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/sequencer-mpc/sequencer/testutil/cluster"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// mostOnline is the bar of a signature from a presignature: of the time that the bare
// library takes for a whole one.
const mostOnline = 0.04

// TestBenchPresign compares what it takes from a committed request to its signature by
// whole engines with a presignature (loops, workers, signed envelopes, echo, guard,
// goleveldb, audit log) with a signature of the bare library, both in wall time and on all
// cores. The engines rest, with full pools, when either side begins; what is between them
// here is no network: TestBenchNextBlock of package e2e has that. It runs with MPC_BENCH=1.
func TestBenchPresign(t *testing.T) {
	for _, c := range []struct{ n, t, runs int }{{4, 2, 9}, {5, 4, 5}, {7, 6, 5}} {
		t.Run(fmt.Sprint(c.t+1), func(t *testing.T) {
			onlyWhenAsked(t)
			benchPresign(t, fixtures.Shares(c.n, c.t), c.runs)
		})
	}
}

func benchPresign(t *testing.T, k fixtures.KeySet, runs int) {
	const target = 1 // whoever leads a request has one, and those who refill it are at rest
	full, signers := len(k.Operators)*target, k.Operators[:k.Threshold+1]
	c := cluster.New(t, k, fixtureProtocols, runtime.GOMAXPROCS(0), target)
	made := 0
	ours := func() {
		made++
		c.Sign(map[string][]byte{fmt.Sprint("sig-", made): digestOf(fmt.Sprint(made))}, time.Minute)
	}
	base := func() { rawSign(t, k, digestOf(fmt.Sprint(made)), signers) }
	compare(t, bar{name: fmt.Sprint("presign-online-", len(signers)), most: mostOnline, runs: runs, unit: wall, ours: ours, base: base, rest: func() { awaitRest(t, c, full) }})
}
