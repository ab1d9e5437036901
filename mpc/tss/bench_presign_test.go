package tss_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/cluster"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// TestBenchPresign compares what it takes from a committed request to its signature by
// whole engines with a presignature (loops, workers, signed envelopes, echo, guard,
// goleveldb) with a signature of the bare library, both in wall time and on all cores.
// It runs with MPC_BENCH=1.
func TestBenchPresign(t *testing.T) {
	if os.Getenv("MPC_BENCH") == "" {
		t.Skip("set MPC_BENCH=1 to measure")
	}
	k := fixtures.Shares(4, 2)
	const runs = 9
	parked := len(k.Operators) * (runs + 1)
	before := heap()
	c := cluster.New(t, k, fixtureProtocols, runtime.GOMAXPROCS(0), runs+1)
	require.Eventually(t, func() bool { return c.Ready() >= parked }, 10*time.Minute, 100*time.Millisecond)
	fmt.Printf("bench presign-memory signers=%d bytes-per-signer=%d\n", k.Threshold+1, (heap()-before)/uint64(parked*(k.Threshold+1)))
	var ours, base []float64
	for i := range runs {
		begun := time.Now()
		c.Sign(map[string][]byte{fmt.Sprint("sig-", i): digestOf(fmt.Sprint(i))}, time.Minute)
		ours = append(ours, time.Since(begun).Seconds())
		begun = time.Now()
		rawSign(t, k, digestOf(fmt.Sprint(i)), k.Operators[:k.Threshold+1])
		base = append(base, time.Since(begun).Seconds())
	}
	slices.Sort(ours)
	slices.Sort(base)
	fmt.Printf("bench presign-online-%d ours=%.4f base=%.4f ratio=%.4f\n", k.Threshold+1, ours[runs/2], base[runs/2], ours[runs/2]/base[runs/2])
}

// heap is what is alive.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
