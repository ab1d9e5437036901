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

// Three of four nodes make a key and sign over libp2p, also after one of them was
// killed and came back.
func TestLibP2P(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), libp2pTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Transport, cfg.BlockTime = mpcnode.TransportLibP2P, shortBlocks
	cfg.Params = func(p *mpctypes.Params) { p.SignAttemptBlocks = 6 }
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := startNetwork(t, ctx, cfg)
	for i := range cfg.Validators {
		n.eventually(ctx, "all are reachable", func() bool {
			s, err := n.Node(i).MPC().Status(ctx)
			return err == nil && len(s.Reachable) == cfg.Validators-1
		})
	}
	began := time.Now()
	key := n.makeKey(ctx, "key", 1, n.operators(1, 2, 3)...)
	require.Len(t, key.Participants, 3)
	t.Logf("key of 3 over libp2p: %.1f s", time.Since(began).Seconds())
	began = time.Now()
	some := digests("libp2p", 3)
	n.askSignatures(ctx, key.Id, some)
	n.awaitSignatures(ctx, key, some)
	t.Logf("%d signatures: %.1f s", len(some), time.Since(began).Seconds())
	n.signWithout(ctx, key, 3)
}
