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
	// ordinary is how many without a pool, and throughputRuns how often each is measured.
	ordinary, throughputRuns = 12, 3
)

// TestBenchThroughput measures signatures per second and seconds of CPU per signature,
// of all signers together: bursts that presignatures serve, what making those took
// before, and ordinary signing, against the bare library with as many sessions at once as
// there are cores: medians of runs of each in turn. It runs with MPC_BENCH=1.
func TestBenchThroughput(t *testing.T) {
	onlyWhenAsked(t)
	k, cores := fixtures.Shares(4, 2), runtime.GOMAXPROCS(0)
	plain := cluster.New(t, k, fixtureProtocols, cores, 0)
	pool := pooledEach * len(k.Operators)
	var pooled *cluster.Cluster
	making := cpuSeconds(t, func() {
		pooled = cluster.New(t, k, fixtureProtocols, cores, pooledEach)
		awaitRest(t, pooled, pool)
	}) / float64(pool)

	var raw, sustained, bursts rates
	used := 0
	sides := []func(run int){
		func(run int) {
			raw.measure(t, run, ordinary, func(digests map[string][]byte) { rawSignAll(t, k, digests, cores) })
		},
		func(run int) {
			sustained.measure(t, run, ordinary, func(digests map[string][]byte) { plain.Sign(digests, patience) })
		},
		func(run int) {
			awaitRest(t, pooled, pool)
			// Or those who are done would begin to fill their pools again.
			require.Eventually(t, pooled.Late, patience, restPoll)
			bursts.measure(t, run, burst, func(digests map[string][]byte) { pooled.Sign(digests, patience) })
			used += pool - stockOf(t, pooled)
		},
	}
	for run := range throughputRuns {
		for i := range sides {
			sides[(run+i)%len(sides)](run) // each goes first in turn
		}
	}
	before := making * float64(used) / (burst * throughputRuns)
	throughput("burst-from-pool", &bursts, before, &raw, burst)
	throughput("sustained", &sustained, 0, &raw, ordinary)
	require.LessOrEqual(t, sustained.cpuEach()/raw.cpuEach(), maxRatio)
}

// rates of several runs: signatures per second, and seconds of CPU for each.
type rates struct{ perSecond, cpu []float64 }

// measure makes n signatures.
func (r *rates) measure(t *testing.T, run, n int, sign func(map[string][]byte)) {
	t.Helper()
	digests := make(map[string][]byte)
	for i := range n {
		id := fmt.Sprintf("sig-%d-%d", run, i)
		digests[id] = digestOf(id)
	}
	begun := time.Now()
	used := cpuSeconds(t, func() { sign(digests) })
	r.perSecond = append(r.perSecond, float64(n)/time.Since(begun).Seconds())
	r.cpu = append(r.cpu, used/float64(n))
}

func (r *rates) rate() float64    { return median(r.perSecond) }
func (r *rates) cpuEach() float64 { return median(r.cpu) }

// throughput prints what one signature costs; cpu-ratio counts what was made before it,
// too.
func throughput(name string, ours *rates, before float64, base *rates, atOnce int) {
	fmt.Printf("bench throughput-%s ours=%.2f/s base=%.2f/s ratio=%.4f cpu=%.4fs cpu-before=%.4fs cpu-base=%.4fs cpu-ratio=%.4f at-once=%d of=median-of-%d\n",
		name, ours.rate(), base.rate(), ours.rate()/base.rate(), ours.cpuEach(), before, base.cpuEach(), (ours.cpuEach()+before)/base.cpuEach(),
		atOnce, throughputRuns)
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
