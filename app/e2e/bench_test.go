package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	benchTimeLimit = 20 * time.Minute
	// presignTarget leaves everybody enough for its part of a burst and some more: who
	// leads a request is drawn.
	presignTarget = 40
	// singles are asked for one after the other, and nextBlock of them at least are on
	// chain in the block after that of the request.
	singles, nextBlock = 100, 95
	// burst is asked for in one block, and on chain burstBlocks later.
	burst, burstBlocks = 100, 3
	// measuredBlocks are measured without and with work, measuredTurns times in turn; the
	// work is loadAtOnce signatures, asked for whenever so many are done.
	measuredBlocks, measuredTurns, loadAtOnce = 30, 3, 30
	// onePreparams is a pool that a keygen empties and one search fills.
	onePreparams = 1
	// mostOfIdle is how long blocks may take under full load, of what they take without.
	mostOfIdle = 1.2
)

// whenAsked skips what takes minutes and a quiet machine.
func whenAsked(t *testing.T) {
	t.Helper()
	if os.Getenv("MPC_BENCH") == "" {
		t.Skip("set MPC_BENCH=1 to measure")
	}
}

// TestBenchNextBlock counts the blocks from request to signature on four nodes with full
// pools and a second between blocks (timeout_commit 1 s, timeout_propose 1 s). It runs
// with MPC_BENCH=1.
func TestBenchNextBlock(t *testing.T) {
	whenAsked(t)
	ctx, cancel := context.WithTimeout(context.Background(), benchTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Params = func(p *mpctypes.Params) { p.PresignTarget = presignTarget }
	var consensus cmtcfg.ConsensusConfig
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { consensus = *c.Comet.Consensus }
	n := startNetwork(t, ctx, cfg)
	key := n.makeKey(ctx, "key", 2)
	begun := time.Now()
	n.stocked(ctx)
	made := presignTarget * n.Len()
	fmt.Printf("bench presign-pool made=%d took=%s per-second=%.2f\n", made, time.Since(begun).Round(time.Second), float64(made)/time.Since(begun).Seconds())

	took := make(map[int64]int)
	for i := range singles {
		id := fmt.Sprintf("single-%d", i)
		digests := one(id)
		n.askSignatures(ctx, key.Id, digests)
		n.awaitSignatures(ctx, key, digests)
		sig := n.decided(ctx, id)
		took[sig.DecidedHeight-sig.RequestedHeight]++
	}
	fmt.Printf("bench next-block requests=%d next=%d next-but-one=%d later=%d least-next=%d timeout-commit=%s timeout-propose=%s\n",
		singles, took[1], took[2], singles-took[1]-took[2], nextBlock, consensus.TimeoutCommit, consensus.TimeoutPropose)

	n.stocked(ctx)
	digests := make(map[string][]byte)
	for i := range burst {
		sum := sha256.Sum256(fmt.Append(nil, "burst", i))
		digests[fmt.Sprintf("burst-%d", i)] = sum[:]
	}
	n.askSignatures(ctx, key.Id, digests)
	n.awaitSignatures(ctx, key, digests)
	last := int64(0)
	for id := range digests {
		sig := n.decided(ctx, id)
		last = max(last, sig.DecidedHeight-sig.RequestedHeight)
	}
	fmt.Printf("bench burst-blocks requests=%d blocks=%d most-blocks=%d\n", burst, last, burstBlocks)
	require.GreaterOrEqual(t, took[1], nextBlock)
	require.LessOrEqual(t, last, int64(burstBlocks))
}

// TestBenchBlockInterval compares the time between blocks under as many ordinary
// signatures as the default limits let run with that of the idle network: four nodes on
// two cores together, a second between blocks. It runs with MPC_BENCH=1.
func TestBenchBlockInterval(t *testing.T) {
	whenAsked(t)
	ctx, cancel := context.WithTimeout(context.Background(), benchTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cores, err := localnet.FirstCores(twoCores)
	require.NoError(t, err)
	cfg.Cores = cores
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = onePreparams } // nothing else to do
	n := startNetwork(t, ctx, cfg)
	key := n.makeKey(ctx, "key", 2)
	n.all(ctx, "no pre-parameters are made any more", func(s mpcnode.StatusReport) bool { return s.Preparams >= onePreparams })
	var idle, busy intervals
	var signed, counted int
	var worked time.Duration
	load := func() {
		some := digests(fmt.Sprintf("load-%d", signed), loadAtOnce)
		n.askSignatures(ctx, key.Id, some)
		n.awaitSignatures(ctx, key, some)
		signed += loadAtOnce
	}
	for range measuredTurns {
		from := n.height(ctx) + warmUpBlocks
		require.NoError(t, n.WaitHeight(ctx, from+measuredBlocks))
		idle.add(measure(t, ctx, n.Node(0), from, from+measuredBlocks))

		load() // work is there before it counts
		begun, before := time.Now(), signed
		for from = n.height(ctx); n.height(ctx) < from+measuredBlocks; {
			load()
		}
		worked, counted = worked+time.Since(begun), counted+signed-before
		busy.add(measure(t, ctx, n.Node(0), from, n.height(ctx)))
	}
	t.Logf("idle: %s; under load: %s", idle, busy)
	fmt.Printf("bench signatures-under-load signed=%d per-second=%.2f blocks=%d failed-rounds=%d\n",
		counted, float64(counted)/worked.Seconds(), len(busy.all), busy.failed)
	ratio := busy.p95().Seconds() / idle.p95().Seconds()
	fmt.Printf("bench block-interval-p95 ours=%.4fs base=%.4fs ratio=%.4f most=%.2f of=%d-and-%d-blocks-in-%d-turns\n", busy.p95().Seconds(), idle.p95().Seconds(), ratio, mostOfIdle,
		len(busy.all), len(idle.all), measuredTurns)
	require.LessOrEqual(t, ratio, mostOfIdle)
}

// stocked waits until all nodes have as many presignatures as they want.
func (n *network) stocked(ctx context.Context) {
	n.t.Helper()
	n.all(ctx, "all presignatures are made", func(s mpcnode.StatusReport) bool { return s.PresignaturesReady >= presignTarget })
}

// all waits until what each node says of itself is so.
func (n *network) all(ctx context.Context, what string, is func(mpcnode.StatusReport) bool) {
	n.t.Helper()
	n.eventually(ctx, what, func() bool {
		for i := range n.Len() {
			s, err := n.Node(i).MPC().Status(ctx)
			if err != nil || !is(s) {
				return false
			}
		}
		return true
	})
}
