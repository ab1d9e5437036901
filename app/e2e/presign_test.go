package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	presignTimeLimit = 16 * time.Minute
	// presignTarget leaves everybody enough for its part of a burst and some more: who
	// leads a request is drawn.
	presignTarget = 40
	// singles are asked for one after the other, and nextBlock of them at least are on
	// chain in the block after that of the request.
	singles, nextBlock = 100, 95
	// burst is asked for in one block, and on chain burstBlocks later.
	burst, burstBlocks = 100, 3
)

// TestPresignatures: four nodes with full pools and a second between blocks
// (timeout_commit 1 s, timeout_propose 1 s).
func TestPresignatures(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), presignTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Params = func(p *mpctypes.Params) { p.PresignTarget = presignTarget }
	n := startNetwork(t, ctx, cfg)
	key := n.makeKey(ctx, "key", 2)
	begun := time.Now()
	n.stocked(ctx)
	t.Logf("presignatures: %d made in %s", presignTarget*n.Len(), time.Since(begun).Round(time.Second))

	took := make(map[int64]int)
	for i := range singles {
		id := fmt.Sprintf("single-%d", i)
		digests := one(id)
		n.askSignatures(ctx, key.Id, digests)
		n.awaitSignatures(ctx, key, digests)
		sig := n.decided(ctx, id)
		took[sig.DecidedHeight-sig.RequestedHeight]++
	}
	t.Logf("presignatures: of %d requests %d were signed in the next block, %d in the next but one, %d later",
		singles, took[1], took[2], singles-took[1]-took[2])
	require.GreaterOrEqual(t, took[1], nextBlock)

	n.stocked(ctx)
	digests := make(map[string][]byte)
	for i := range burst {
		sum := sha256.Sum256(fmt.Append(nil, "burst", i))
		digests[fmt.Sprintf("burst-%d", i)] = sum[:]
	}
	begun = time.Now()
	n.askSignatures(ctx, key.Id, digests)
	n.awaitSignatures(ctx, key, digests)
	last := int64(0)
	for id := range digests {
		sig := n.decided(ctx, id)
		last = max(last, sig.DecidedHeight-sig.RequestedHeight)
	}
	t.Logf("presignatures: %d requests of one block were signed within %d blocks (%s)", burst, last, time.Since(begun).Round(time.Second))
	require.LessOrEqual(t, last, int64(burstBlocks))
}

// stocked waits until all nodes have as many presignatures as they want.
func (n *network) stocked(ctx context.Context) {
	n.t.Helper()
	n.eventually(ctx, "all presignatures are made", func() bool {
		for i := range n.Len() {
			s, err := n.Node(i).MPC().Status(ctx)
			if err != nil || s.PresignaturesReady < presignTarget {
				return false
			}
		}
		return true
	})
}
