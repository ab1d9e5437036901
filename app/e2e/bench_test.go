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
