package tss_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/cluster"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

const (
	// burst is how many signatures are asked for in one block, from the pool.
	burst = 100
	// ordinary is how many without a pool.
	ordinary = 20
)

// TestBenchThroughput measures signatures per second and seconds of CPU per signature,
// of all signers together: a burst that presignatures serve, and ordinary signing; each
// against the bare library with as many sessions at once as there are cores. It runs
// with MPC_BENCH=1.
func TestBenchThroughput(t *testing.T) {
	onlyWhenAsked(t)
	k, cores := fixtures.Shares(4, 2), runtime.GOMAXPROCS(0)
	baseRate, baseCPU := rate(t, ordinary, func(digests map[string][]byte) { rawSignAll(t, k, digests, cores) })

	// Everybody could sign all of it with what it leads.
	pooled := cluster.New(t, k, fixtureProtocols, cores, burst)
	require.Eventually(t, func() bool { return pooled.Ready() == burst*len(k.Operators) }, 2*patience, 100*time.Millisecond)
	r, cpu := rate(t, burst, func(digests map[string][]byte) { pooled.Sign(digests, patience) })
	throughput("burst-from-pool", r, cpu, baseRate, baseCPU)

	plain := cluster.New(t, k, fixtureProtocols, cores, 0)
	r, cpu = rate(t, ordinary, func(digests map[string][]byte) { plain.Sign(digests, patience) })
	throughput("sustained", r, cpu, baseRate, baseCPU)
	require.LessOrEqual(t, cpu/baseCPU, maxRatio)
}

// rate makes signatures and returns how many per second and how many seconds of CPU for
// one.
func rate(t *testing.T, n int, sign func(map[string][]byte)) (perSecond, cpu float64) {
	t.Helper()
	digests := make(map[string][]byte)
	for i := range n {
		digests[fmt.Sprint("sig-", i)] = digestOf(fmt.Sprint(i))
	}
	begun := time.Now()
	cpu = cpuSeconds(t, func() { sign(digests) })
	return float64(n) / time.Since(begun).Seconds(), cpu / float64(n)
}

func throughput(name string, perSecond, cpu, baseRate, baseCPU float64) {
	fmt.Printf("bench throughput-%s ours=%.2f/s base=%.2f/s cpu-per-signature=%.4fs cpu-base=%.4fs cpu-ratio=%.4f\n",
		name, perSecond, baseRate, cpu, baseCPU, cpu/baseCPU)
}

// rawSignAll signs with the bare library, some at once.
func rawSignAll(t *testing.T, k fixtures.KeySet, digests map[string][]byte, atOnce int) {
	todo := make(chan []byte)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for digest := range todo {
				rawSign(t, k, digest, k.Operators[:k.Threshold+1])
			}
		})
	}
	for _, digest := range digests {
		todo <- digest
	}
	close(todo)
	workers.Wait()
}
