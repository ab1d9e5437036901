package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// libp2pTimeLimit is some four times what the test takes on two cores.
const libp2pTimeLimit = 12 * time.Minute

// Four nodes that "sequencerd localnet --mpc-transport libp2p" runs make a key and sign
// over libp2p. Started again, they still do, also after one of them was killed and came
// back.
func TestLibP2P(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), libp2pTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Transport, cfg.BlockTime = mpcnode.TransportLibP2P, shortBlocks
	cfg.Params = func(p *mpctypes.Params) { p.SignAttemptBlocks = 6 }
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := writeNetwork(t, ctx, cfg, binary)
	command := startLocalnet(t, ctx, cfg.Validators, "localnet", "--mpc-transport", mpcnode.TransportLibP2P, "--output", n.Dir())
	n.connect()
	n.allReachable(ctx)
	began := time.Now()
	key := n.makeKey(ctx, "key", 2)
	require.Len(t, key.Participants, cfg.Validators)
	t.Logf("key of %d over libp2p: %.1f s", cfg.Validators, time.Since(began).Seconds())
	began = time.Now()
	some := digests("libp2p", 3)
	n.askSignatures(ctx, key.Id, some)
	n.awaitSignatures(ctx, key, some)
	t.Logf("%d signatures: %.1f s", len(some), time.Since(began).Seconds())
	height := n.height(ctx)
	command.interrupt(t)

	require.NoError(t, n.Start())
	require.NoError(t, n.WaitHeight(ctx, height+2))
	n.allReachable(ctx)
	n.signWithout(ctx, key, 3)
}

// allReachable waits until every validator has all others for peers.
func (n *network) allReachable(ctx context.Context) {
	n.t.Helper()
	m := n.Manifest()
	for i := range m.Validators() {
		n.eventually(ctx, "all are reachable", func() bool {
			s, err := n.Node(i).MPC().Status(ctx)
			return err == nil && len(s.Reachable) == m.Validators()-1
		})
	}
}
