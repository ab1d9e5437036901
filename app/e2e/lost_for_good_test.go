package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// lostTimeLimit is some four times what the test takes on two cores.
const lostTimeLimit = 16 * time.Minute

// shareMissingAfter is short, so that nobody has to wait; and longer than a node takes to
// start.
const shareMissingAfter = 5 * time.Second

// TestLostForGood: a node loses its database and there is no backup. It says so at the
// start, follows the chain, and after a while the chain shows that its share is missing,
// though nobody did anything. Its operator does what the remedy says: an empty database
// beside the identity that is there. After a refresh it signs again,
// with as many others away as may be.
func TestLostForGood(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), lostTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = shortBlocks
	cfg.Params = func(p *mpctypes.Params) {
		p.RetireBlocks, p.SignAttemptBlocks, p.KeygenAttemptBlocks, p.ReshareAttemptBlocks = 20, 20, 120, 120
	}
	cfg.Tune = func(_ int, c *localnet.NodeConfig) {
		c.App.MPC.PreparamsTarget, c.App.MPC.ShareMissingAfter = 1, shareMissingAfter
	}
	n := startNetwork(t, ctx, cfg)
	made := n.makeKey(ctx, "key", 2)
	n.signs(ctx, made, "before")

	const victim = 3
	node := n.Node(victim)
	n.losesDatabase(ctx, made, node)
	n.signs(ctx, made, "without-it")
	n.eventually(ctx, "the chain shows whose share of an idle key is missing", func() bool { return len(n.key(ctx, made.Id).MissingShares) > 0 })
	require.Equal(t, []string{node.Info().Operator}, n.key(ctx, made.Id).MissingShares)
	n.shows(ctx, node.Info().Operator, "query", "mpc", "key", made.Id, "-o", "json")
	n.startsAnew(ctx, node)
	n.signs(ctx, made, "asks-all")

	refreshed := n.refresh(ctx, made, "refresh")
	require.Empty(t, refreshed.MissingShares)
	n.holds(ctx, refreshed, victim)
	require.NoError(t, n.Node(1).Stop())
	n.signs(ctx, refreshed, "with-it")
	require.NoError(t, n.Node(1).Start())
	require.NoError(t, n.Node(1).WaitReady(ctx))
	n.agree(ctx)
}

// startsAnew gives a node that lost its database an empty one, as the remedy of
// types.ErrDatabaseLost says.
func (n *network) startsAnew(ctx context.Context, node *localnet.Node) {
	t := n.t
	require.NoError(t, node.Stop())
	require.Contains(t, n.operate(ctx, node, "mpc", "database", "create", "--shares-are-lost"), "made an empty database")
	require.NoError(t, node.Start())
	require.NoError(t, node.WaitHeight(ctx, n.height(ctx)))
	require.NoError(t, node.WaitReady(ctx))
	s := n.statusOf(ctx, node)
	require.Empty(t, s.Problem)
	require.Equal(t, node.Info().Operator, s.Operator)
	require.Equal(t, uint32(1), s.IdentityVersion, "the identity is the one of before")
}
