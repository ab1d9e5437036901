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
	// burst is how many signatures are asked for in one block, from the pool. Who leads one
	// is drawn: pooledEach leaves each of four enough for its part and some more.
	burst, pooledEach = 100, 40
	// ordinary is how many without a pool.
	ordinary = 20
)

// TestBenchThroughput measures signatures per second and seconds of CPU per signature,
// of all signers together: a burst that presignatures serve, what making those took
// before, and ordinary signing; each against the bare library with as many sessions at
// once as there are cores, median of three runs: before, between and after ours. It runs
// with MPC_BENCH=1.
func TestBenchThroughput(t *testing.T) {
	onlyWhenAsked(t)
	k, cores := fixtures.Shares(4, 2), runtime.GOMAXPROCS(0)
	var base rates
	raw := func() {
		base.add(rate(t, ordinary, func(digests map[string][]byte) { rawSignAll(t, k, digests, cores) }))
	}
	raw()
	pool := pooledEach * len(k.Operators)
	var pooled *cluster.Cluster
	making := cpuSeconds(t, func() {
		since := time.Now()
		pooled = cluster.New(t, k, fixtureProtocols, cores, pooledEach)
		require.Eventually(t, func() bool { return pooled.Rests(pool, since) }, 3*patience, 100*time.Millisecond)
	})
	burstRate, burstCPU := rate(t, burst, func(digests map[string][]byte) { pooled.Sign(digests, patience) })
	pooled.Stop() // it would fill its pools again
	raw()
	plain := cluster.New(t, k, fixtureProtocols, cores, 0)
	plainRate, plainCPU := rate(t, ordinary, func(digests map[string][]byte) { plain.Sign(digests, patience) })
	raw()
	baseRate, baseCPU := median(base.perSecond), median(base.cpu)
	throughput("burst-from-pool", burstRate, burstCPU, making/float64(pool), baseRate, baseCPU)
	throughput("sustained", plainRate, plainCPU, 0, baseRate, baseCPU)
	require.LessOrEqual(t, plainCPU/baseCPU, maxRatio)
}

// rates of several runs.
type rates struct{ perSecond, cpu []float64 }

func (r *rates) add(perSecond, cpu float64) {
	r.perSecond, r.cpu = append(r.perSecond, perSecond), append(r.cpu, cpu)
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

// throughput prints what one signature costs; cpu-ratio counts what was made before it,
// too.
func throughput(name string, perSecond, cpu, before, baseRate, baseCPU float64) {
	fmt.Printf("bench throughput-%s ours=%.2f/s base=%.2f/s cpu=%.4fs cpu-before=%.4fs cpu-base=%.4fs cpu-ratio=%.4f\n",
		name, perSecond, baseRate, cpu, before, baseCPU, (cpu+before)/baseCPU)
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
