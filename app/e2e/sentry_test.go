package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// sentryTimeLimit is some four times what the test takes on two cores.
const sentryTimeLimit = 8 * time.Minute

// Validators that are connected to nobody but a sentry make a key and sign: two
// of them share one, the third is behind another, two nodes away.
func TestSentries(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), sentryTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Validators, cfg.Sentries, cfg.BlockTime = 3, 2, shortBlocks
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := startNetwork(t, ctx, cfg)

	began := time.Now()
	key := n.makeKey(ctx, "key", 2)
	require.Len(t, key.Participants, 3)
	t.Logf("key of 3 behind 2 sentries: %.1f s", time.Since(began).Seconds())
	began = time.Now()
	relayed := digests("relayed", 3)
	n.askSignatures(ctx, key.Id, relayed)
	n.awaitSignatures(ctx, key, relayed)
	t.Logf("%d signatures of all 3: %.1f s", len(relayed), time.Since(began).Seconds())

	// A sentry that was away for a moment does not end sessions.
	lone := n.Node(4)
	require.Equal(t, n.Node(1).Info().Behind, lone.Info().Name)
	again := digests("again", 2)
	n.askSignatures(ctx, key.Id, again)
	require.NoError(t, lone.Restart())
	n.awaitSignatures(ctx, key, again)

	for i := range cfg.Validators {
		var s mpcnode.StatusReport
		n.eventually(ctx, "it has its sentry back", func() bool {
			s = n.statusOf(ctx, n.Node(i))
			return s.Peers == 1
		})
		require.Empty(t, s.Reachable, "and no participant")
	}
}
