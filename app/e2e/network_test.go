package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// timeLimit is many times what the test takes on two cores.
	timeLimit = 20 * time.Minute
	// manySignatures are asked for at once.
	manySignatures = 30
	// pause is how long one node stands still meanwhile: longer than a session
	// waits for a member that says nothing.
	pause = 20 * time.Second
	// twoCores is what all nodes together run on, whatever the machine has.
	twoCores = 2
	// shortQueue is how many messages wait in CometBFT for a peer, a quarter of
	// the default.
	shortQueue = 4
	// warmUpBlocks come before anything is measured: nodes are still starting.
	warmUpBlocks = 5
	// idleBlocks measure the network without work: the fewest of which the 95th
	// percentile is not the longest.
	idleBlocks = 20
	// maxIdle bounds the median without work, whatever it is compared with: twice the pause
	// between blocks, which a round that fails takes.
	maxIdle = 2 * time.Second
	// maxSlowdown is how much longer blocks may take under load. How much they do is for make
	// bench to say.
	maxSlowdown = 3
	// readmeChain is the id of the chain that the README tells people to join.
	readmeChain = "seq-1"
)

func digests(prefix string, n int) map[string][]byte {
	out := make(map[string][]byte, n)
	for i := range n {
		maps.Copy(out, one(fmt.Sprintf("%s-%d", prefix, i)))
	}
	return out
}

func one(id string) map[string][]byte {
	sum := sha256.Sum256([]byte(id))
	return map[string][]byte{id: sum[:]}
}

// One network lives through everything, because a key takes long to make.
func TestNetwork(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cores, err := localnet.FirstCores(twoCores)
	require.NoError(t, err)
	cfg.Cores = cores
	cfg.ChainID = readmeChain
	cfg.Params = func(p *mpctypes.Params) { p.RetireBlocks = 5; p.SignAttemptBlocks = 5 }
	cfg.Tune = func(node int, c *localnet.NodeConfig) {
		c.App.MPC.PreparamsTarget = 1
		c.App.MPC.SendQueue = shortQueue
		if node == 1 { // executors may differ from node to node
			c.App.BlockExecutor = serverconfig.BlockExecutorBlockSTM
		}
	}
	n := startNetwork(t, ctx, cfg)

	idle := n.measureIdle(ctx)
	n.serves(ctx, 1, "sequencer_mpc_engine_up")

	key := n.makeKeyFlooded(ctx, idle)
	require.Len(t, key.Participants, 4)
	require.Len(t, key.PublicShares, 4)
	n.servesKey(ctx, key)
	n.showsKeyOnPage(ctx, key)

	n.signMany(ctx, key, idle)
	n.signWithout(ctx, key, 3)
	n.loses(ctx, key, 3)
	newcomer := n.follow(ctx, key)
	n.delete(ctx, key)
	newcomer.joins(ctx)
}

// signMany asks for many signatures while one node stands still for a while. All
// complete, and blocks go on.
func (n *network) signMany(ctx context.Context, key mpctypes.Key, idle intervals) {
	t := n.t
	began, from := time.Now(), n.height(ctx)
	many := digests("many", manySignatures)
	n.askSignatures(ctx, key.Id, many)
	paused := n.Node(2)
	require.NoError(t, paused.Pause())
	select {
	case <-ctx.Done():
	case <-time.After(pause): // the length of the pause, not a wait for a state
	}
	require.NoError(t, paused.Continue())
	n.awaitSignatures(ctx, key, many)
	took := time.Since(began)

	busy := measure(t, ctx, n.Node(0), from, n.height(ctx))
	t.Logf("%d signatures at once, one node of four stopped for %s: %.1f s, %.2f signatures/s", manySignatures, pause, took.Seconds(), manySignatures/took.Seconds())
	t.Logf("block interval, idle: %s", idle)
	t.Logf("block interval, under load: %s", busy)
	t.Logf("95th percentile under load over idle: x%.2f, where no round failed x%.2f", float64(busy.p95())/float64(idle.p95()), busy.smoothOver(idle))
	busy.requireNotSlowed(t, idle)
}

// signWithout kills a node, signs without it, starts it again and has it sign.
func (n *network) signWithout(ctx context.Context, key mpctypes.Key, victim int) {
	t := n.t
	require.NoError(t, n.Node(victim).Kill())
	without := digests("without", 2)
	n.askSignatures(ctx, key.Id, without)
	n.awaitSignatures(ctx, key, without)

	require.NoError(t, n.Node(victim).Start())
	require.NoError(t, n.Node(victim).WaitReady(ctx))
	keys := n.keysOf(ctx, n.Node(victim))
	require.Len(t, keys.Keys, 1)
	require.Equal(t, "READY", keys.Keys[0].Status)
	require.True(t, keys.Keys[0].HasShare)

	// With another one stopped, nobody is left to sign in the victim's place.
	require.NoError(t, n.Node(2).Stop())
	with := digests("with", 1)
	n.askSignatures(ctx, key.Id, with)
	n.awaitSignatures(ctx, key, with)
	require.NoError(t, n.Node(2).Start())
	require.NoError(t, n.Node(2).WaitReady(ctx))

	for id := range with {
		n.shows(ctx, "SIGNATURE_STATUS_READY", "query", "mpc", "signature", id)
	}
	n.shows(ctx, "KEY_STATUS_READY", "query", "mpc", "key", key.Id)
	n.shows(ctx, "without-0", "query", "mpc", "signatures", key.Id)
}

// delete destroys the key everywhere.
func (n *network) delete(ctx context.Context, key mpctypes.Key) {
	t := n.t
	n.send(ctx, &mpctypes.MsgKeyDelete{Requester: n.requester.Address, KeyId: key.Id})
	n.eventually(ctx, "all shares are destroyed", func() bool {
		k := n.key(ctx, key.Id)
		return k.Status == mpctypes.KEY_STATUS_DELETED && len(k.DeletionAcks) == len(key.Participants)
	})
	for i := range len(key.Participants) {
		keys := n.keysOf(ctx, n.Node(i))
		require.Empty(t, keys.Keys)
		require.Equal(t, []string{key.Id}, keys.Tombstones)
	}
	_, err := n.requester.Send(ctx, &mpctypes.MsgKeySign{
		Requester: n.requester.Address, SignatureId: "too-late", KeyId: key.Id,
		Payload: mpctypes.SignPayload{Kind: &mpctypes.SignPayload_Digest{Digest: digests("too-late", 1)["too-late-0"]}},
	})
	require.ErrorContains(t, err, string(types.ErrKeyDeleted))
}
