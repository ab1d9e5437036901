package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// syncTimeLimit is some four times what the test takes on two cores.
	syncTimeLimit = 20 * time.Minute
	// snapshotInterval is how many blocks are between two snapshots of node 0, of which it
	// keeps some, for longer than another node takes to find one and fetch it.
	snapshotInterval, snapshotsKept = 20, 6
)

// TestStateSync: while a node is away one of its keys is reshared to others, another one is
// deleted, and both are over. Then it gets the chain by state sync, with the folder mpc/ that
// it had: it never executes the blocks in which that was decided. It destroys what is not its
// own any more, says so on chain, and signs with the share of the third key, without which
// there is no signature. It is no older copy of anything, also when it starts again.
func TestStateSync(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), syncTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = shortBlocks
	cfg.Params = func(p *mpctypes.Params) {
		p.RetireBlocks, p.SignAttemptBlocks = 20, 20
		p.KeygenAttemptBlocks, p.ReshareAttemptBlocks = 120, 120
	}
	cfg.Tune = func(node int, c *localnet.NodeConfig) {
		c.App.MPC.PreparamsTarget = 1
		if node == 0 {
			c.App.StateSync.SnapshotInterval, c.App.StateSync.SnapshotKeepRecent = snapshotInterval, snapshotsKept
		}
	}
	n := startNetwork(t, ctx, cfg)
	const away = 3
	stays := n.makeKey(ctx, "stays", 1, n.operators(2, away)...)
	moves := n.makeKey(ctx, "moves", 1, n.operators(0, 1, away)...)
	goes := n.makeKey(ctx, "goes", 1, n.operators(0, away)...)
	n.signs(ctx, stays, "before")

	node := n.Node(away)
	require.NoError(t, node.Stop())
	trusted := n.height(ctx)
	moved := n.goesTo(ctx, moves, 0, 1, 2)
	gone := n.buries(ctx, goes)
	over := max(moved.RetireHeight, gone.RetireHeight)
	require.NoError(t, n.Node(0).WaitHeight(ctx, over+snapshotInterval+2)) // a snapshot after all that

	n.syncsState(ctx, away, trusted)
	require.Greater(t, earliest(t, ctx, node), over, "it executed the blocks")
	var held mpcnode.KeysReport
	n.eventually(ctx, "it destroys what is not its own any more", func() bool {
		held = n.keysOf(ctx, node)
		return len(held.Keys) == 1 && len(held.Tombstones) == 1
	})
	require.Equal(t, stays.Id, held.Keys[0].KeyID)
	require.Equal(t, []string{goes.Id}, held.Tombstones)
	n.eventually(ctx, "it says that it destroyed its share", func() bool { return len(n.key(ctx, goes.Id).DeletionAcks) == 2 })
	n.onlyHolds(ctx, stays, away)
	n.signs(ctx, stays, "synced")
	n.signs(ctx, moved, "by-others")

	require.NoError(t, node.Restart())
	require.NoError(t, node.WaitReady(ctx))
	n.onlyHolds(ctx, stays, away)
	n.signs(ctx, stays, "started-again")
	n.agree(ctx)
}

// goesTo reshares a key to these nodes, of whom two sign, and waits for nothing else.
func (n *network) goesTo(ctx context.Context, key mpctypes.Key, nodes ...int) (moved mpctypes.Key) {
	n.t.Helper()
	n.send(ctx, &mpctypes.MsgKeyReshare{
		Requester: n.requester.Address, ReshareId: "to-others", KeyId: key.Id, Threshold: 1, Participants: n.operators(nodes...),
	})
	n.eventually(ctx, "the key is with others", func() bool {
		moved = n.key(ctx, key.Id)
		return moved.Epoch == key.Epoch+1
	})
	n.holds(ctx, moved, nodes...)
	return moved
}

// buries deletes a key and waits until all of its holders but one, which is away, have
// destroyed it.
func (n *network) buries(ctx context.Context, key mpctypes.Key) (gone mpctypes.Key) {
	n.t.Helper()
	n.send(ctx, &mpctypes.MsgKeyDelete{Requester: n.requester.Address, KeyId: key.Id})
	n.eventually(ctx, "the others destroy the key", func() bool {
		gone = n.key(ctx, key.Id)
		return gone.Status == mpctypes.KEY_STATUS_DELETED && len(gone.DeletionAcks) == len(key.Participants)-1
	})
	return gone
}

// syncsState empties the data of a node that is stopped and has it fetch the state from the
// others, as the README says, from a block on that it trusts.
func (n *network) syncsState(ctx context.Context, i int, trusted int64) {
	t, node := n.t, n.Node(i)
	t.Helper()
	rpc, err := n.Node(0).RPC()
	require.NoError(t, err)
	block, err := rpc.Commit(ctx, &trusted)
	require.NoError(t, err)
	for name, value := range map[string]string{
		"enable": "true", "rpc_servers": fmt.Sprintf("%q", n.Node(0).Info().RPC+","+n.Node(1).Info().RPC),
		"trust_height": fmt.Sprint(trusted), "trust_hash": fmt.Sprintf("%q", block.Header.Hash().String()),
		"discovery_time": `"5s"`, // the least
	} {
		n.configure(i, "config.toml", name, value)
	}
	data := filepath.Join(node.Info().Home, "data")
	entries, err := os.ReadDir(data)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != "priv_validator_state.json" {
			require.NoError(t, os.RemoveAll(filepath.Join(data, e.Name())))
		}
	}
	require.NoError(t, node.Start())
	require.NoError(t, node.WaitHeight(ctx, n.height(ctx)))
	require.NoError(t, node.WaitReady(ctx))
}

// earliest is the first block that a node has.
func earliest(t *testing.T, ctx context.Context, node *localnet.Node) int64 {
	t.Helper()
	rpc, err := node.RPC()
	require.NoError(t, err)
	s, err := rpc.Status(ctx)
	require.NoError(t, err)
	return s.SyncInfo.EarliestBlockHeight
}
