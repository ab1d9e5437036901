package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestDiskThatIsBack: the disk with a node's database is not mounted when it starts, long
// enough for the chain to show that its share is missing. When it is there again the node
// takes that back by itself, and signs; nobody reshares anything. Then the whole MPC folder
// is not there, and the node knows by its validator that it should be.
func TestDiskThatIsBack(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), lostTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = shortBlocks
	cfg.Params = func(p *mpctypes.Params) {
		p.SignAttemptBlocks, p.KeygenAttemptBlocks = 20, 120
	}
	cfg.Tune = func(_ int, c *localnet.NodeConfig) {
		c.App.MPC.PreparamsTarget, c.App.MPC.ShareMissingAfter = 1, shareMissingAfter
	}
	n := startNetwork(t, ctx, cfg)
	made := n.makeKey(ctx, "key", 2)
	const victim = 3
	node := n.Node(victim)
	home, away := node.Info().Home, filepath.Join(node.Info().Home, "away")

	database := filepath.Join(home, "mpc", "db")
	require.NoError(t, node.Stop())
	require.NoError(t, os.Rename(database, away))
	require.NoError(t, node.Start())
	n.eventually(ctx, "the chain shows whose share is missing", func() bool { return len(n.key(ctx, made.Id).MissingShares) > 0 })
	require.Equal(t, []string{node.Info().Operator}, n.key(ctx, made.Id).MissingShares)
	n.signs(ctx, made, "without-it")
	require.NoError(t, node.Stop())
	require.NoError(t, os.Rename(away, database))
	require.NoError(t, node.Start())
	n.eventually(ctx, "the node takes it back", func() bool { return len(n.key(ctx, made.Id).MissingShares) == 0 })
	require.Equal(t, []string{node.Info().Operator}, n.key(ctx, made.Id).FoundShares)
	require.NoError(t, node.WaitReady(ctx))
	n.signsWithout(ctx, made, "with-it", 1)

	folder := filepath.Join(home, "mpc")
	require.NoError(t, node.Stop())
	require.NoError(t, os.Rename(folder, away))
	require.NoError(t, node.Start())
	require.NoError(t, node.WaitHeight(ctx, n.height(ctx)+1))
	n.eventually(ctx, "the node says that its folder is gone", func() bool {
		s, err := node.MPC().Status(ctx)
		return err == nil && s.Problem == string(types.ErrFolderLost)
	})
	require.Contains(t, n.operate(ctx, node, "mpc", "status"), string(types.ErrFolderLost))
	require.NoError(t, node.Stop())
	require.NoFileExists(t, filepath.Join(folder, "identity.json"), "nothing is made in its place")
	require.NoDirExists(t, database)
	require.NoError(t, os.RemoveAll(folder)) // it may be there, empty
	require.NoError(t, os.Rename(away, folder))
	require.NoError(t, node.Start())
	require.NoError(t, node.WaitReady(ctx))
	n.signsWithout(ctx, made, "with-it-again", 1)
	require.Zero(t, n.key(ctx, made.Id).Epoch)
	n.agree(ctx)
}
