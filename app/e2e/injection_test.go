package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cometbft/cometbft/privval"
	"github.com/stretchr/testify/require"

	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// liesEach is how often each lie is told before the chain is looked at.
	liesEach = 2
	// blocksOn is how many blocks must come after that.
	blocksOn = 5
)

// smallBundle is what a block may carry of results: as few bytes as parameters can allow,
// and so many entries that short ones reach that limit first and long ones the other.
var smallBundle = mpctypes.BundleLimits{Entries: 8, Bytes: mpctypes.MinBundleBytes}

// TestInjection: no proposer can halt or fork the chain by what it injects,
// while one validator executes blocks in parallel, one rotates its consensus key
// and one is jailed because it told two members of a session different things.
func TestInjection(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	self, err := os.Executable()
	require.NoError(t, err)
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = shortBlocks
	cfg.Params = func(p *mpctypes.Params) {
		p.KeygenAttemptBlocks, p.SignAttemptBlocks, p.JailEquivocation = 40, 6, true
		p.BundleMaxEntries, p.BundleMaxBytes = uint32(smallBundle.Entries), uint32(smallBundle.Bytes)
	}
	cfg.Tune = func(node int, c *localnet.NodeConfig) {
		if node == 1 {
			c.App.BlockExecutor = serverconfig.BlockExecutorBlockSTM
		}
	}
	n := writeNetwork(t, ctx, cfg, self)
	n.start(ctx)

	n.askKey(ctx, liedKey, 2)
	n.survives(ctx, tooMany)
	n.survives(ctx, tooLong)
	// Results get in though one proposer keeps them for itself.
	n.survives(ctx, nothing)
	key := n.awaitKey(ctx, liedKey)
	for _, l := range []lie{garbage, forged, misplaced} {
		n.survives(ctx, l)
	}
	tell(t, n.Node(0), "")

	n.rotate(ctx, 2)
	n.jail(ctx, key, 3)
	tell(t, n.Node(0), garbage)
	height := n.height(ctx)
	require.NoError(t, n.WaitHeight(ctx, height+blocksOn)) // two of three are too few: all must go on
	n.refused(ctx, garbage, height, height+blocksOn)
	n.agree(ctx)
}

// survives: blocks go on while a lie is told, and none of them holds it.
func (n *network) survives(ctx context.Context, l lie) {
	liar := n.Node(0)
	before, from := told(n.t, liar), n.height(ctx)
	tell(n.t, liar, l)
	n.eventually(ctx, "the proposer injects "+string(l), func() bool { return told(n.t, liar) >= before+liesEach })
	height := n.height(ctx)
	require.NoError(n.t, n.WaitHeight(ctx, height+blocksOn))
	n.agree(ctx)
	n.refused(ctx, l, from, height+blocksOn)
	n.t.Logf("%s: blocks %d to %d are free of it, and all agree", l, from, height+blocksOn)
}

// refused: no committed block has anything of a lie.
func (n *network) refused(ctx context.Context, l lie, from, to int64) {
	n.t.Helper()
	c, err := n.Node(1).RPC()
	require.NoError(n.t, err)
	for h := from; h <= to; h++ {
		b, err := c.Block(ctx, &h)
		require.NoError(n.t, err)
		for i, tx := range b.Block.Txs {
			if mpctypes.IsBundle(tx) {
				require.Zero(n.t, i)
				_, err := mpctypes.DecodeBundle(tx, smallBundle)
				require.NoError(n.t, err, "block %d", h)
			}
			for _, part := range l.txs() {
				require.False(n.t, bytes.Equal(tx, part), "block %d has a transaction of the lie %q", h, l)
			}
		}
	}
}

// agree: all nodes got the same state and the same receipts out of the block before
// the last one, each by its own execution. The last one may not be executed yet.
func (n *network) agree(ctx context.Context) {
	n.t.Helper()
	height := n.height(ctx)
	require.NoError(n.t, n.WaitHeight(ctx, height))
	want := outcome(n.t, ctx, n.Node(0), height-1)
	for i := range n.Len() {
		require.Equal(n.t, want, outcome(n.t, ctx, n.Node(i), height-1), n.Node(i).Info().Name)
	}
}

// rotate gives a validator another consensus key.
func (n *network) rotate(ctx context.Context, i int) {
	t, node := n.t, n.Node(i)
	home := node.Info().Home
	keyFile, stateFile := filepath.Join(home, "config", "priv_validator_key.json"), filepath.Join(home, "data", "priv_validator_state.json")
	old := privval.LoadFilePV(keyFile, stateFile)
	next := privval.GenFilePV(keyFile, stateFile)
	public, err := cryptocodec.FromCmtPubKeyInterface(next.Key.PubKey)
	require.NoError(t, err)
	operator, err := n.Operator(i)
	require.NoError(t, err)
	defer operator.Close()
	msg, err := stakingtypes.NewMsgRotateConsPubKey(node.Info().Operator, public)
	require.NoError(t, err)
	_, err = operator.Send(ctx, msg)
	require.NoError(t, err)

	require.NoError(t, node.Stop())
	next.LastSignState = old.LastSignState // never sign a height again
	next.Save()
	require.NoError(t, node.Start())
	n.eventually(ctx, "the validator signs with its new key", func() bool {
		return n.isValidator(ctx, next.Key.Address.String()) && !n.isValidator(ctx, old.Key.Address.String())
	})
	height := n.height(ctx)
	require.NoError(t, n.WaitHeight(ctx, height+blocksOn))
	n.agree(ctx)
}

// jail has a validator equivocate, which puts it out of the set.
func (n *network) jail(ctx context.Context, key mpctypes.Key, i int) {
	home := n.Node(i).Info().Home
	pv := privval.LoadFilePV(filepath.Join(home, "config", "priv_validator_key.json"), filepath.Join(home, "data", "priv_validator_state.json"))
	address := pv.Key.Address.String()
	require.True(n.t, n.isValidator(ctx, address))
	n.equivocate(ctx, key, i)
	require.False(n.t, n.isValidator(ctx, address))
}

// isValidator asks node 0 for the set of the next block.
func (n *network) isValidator(ctx context.Context, address string) bool {
	t := n.t
	t.Helper()
	c, err := n.Node(0).RPC()
	require.NoError(t, err)
	set, err := c.Validators(ctx, nil, nil, nil)
	require.NoError(t, err)
	for _, v := range set.Validators {
		if v.Address.String() == address {
			return true
		}
	}
	return false
}
