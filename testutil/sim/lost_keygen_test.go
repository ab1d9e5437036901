package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// shortMessages is how far the messages are apart at which nodes are killed with
// -short. It is odd, so that every member has its turn.
const shortMessages = 13

// slowNetwork has sessions that last longer than an attempt of two blocks.
func slowNetwork(t *testing.T, seed uint64) *sim.World {
	return sim.New(t, sim.Config{
		Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 40,
		Params: func(p *xtypes.Params) { p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 2, 500 },
		Lag:    500 * time.Millisecond, Step: [2]time.Duration{time.Second, 3 * time.Second},
	})
}

// holdsWinner checks the promise of the design: the session that wins on chain
// has a durable share at every participant.
func holdsWinner(t *testing.T, w *sim.World, id types.KeyID) {
	t.Helper()
	key, _ := w.Chain.Key(id)
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		held := 0
		for _, r := range records {
			if r.Context == key.Session && r.HasData {
				held++
				require.NotEqual(t, types.StatusError, r.Status)
			}
		}
		require.Equal(t, 1, held, "%s does not hold the winning share", n.Operator)
	}
}

// TestKeygenIsNeitherLostNorStuck kills and restarts a node at every message of
// a keygen, the sender or the recipient, for a short or a long time, with
// attempts shorter than a session and one validator jailed after the request. With
// -short, at some of them.
func TestKeygenIsNeitherLostNorStuck(t *testing.T) {
	calm := slowNetwork(t, 7)
	calm.Chain.Keygen("key", 2)
	require.True(t, calm.Run(5*time.Minute, ready(calm, "key")))
	messages := calm.Messages
	require.Greater(t, messages, 60)

	every := 1
	if testing.Short() {
		every = shortMessages
	}
	runs, restarts := 0, 0
	for _, victim := range []string{"sender", "recipient"} {
		for _, down := range []time.Duration{300 * time.Millisecond, 25 * time.Second} {
			for at := 1; at <= messages; at += every {
				w := slowNetwork(t, 7)
				killed, jailed := 0, w.Nodes[runs%4].Operator
				w.Delivered = func(from, to *sim.Node, _ *wire.Envelope) {
					if w.Messages != at {
						return
					}
					if victim == "sender" {
						from.RestartAfter(down)
					} else {
						to.RestartAfter(down)
					}
					killed++
				}
				w.Chain.Keygen("key", 2)
				w.After(2500*time.Millisecond, func() { w.Chain.Jail(jailed) })
				require.True(t, w.Run(20*time.Minute, ready(w, "key")), "stuck: %s killed at message %d for %s", victim, at, down)
				require.Positive(t, killed, "nobody was killed: there is no message %d", at)
				require.True(t, isJailed(w, jailed))
				require.True(t, w.Run(time.Minute, func() bool { return allUp(w) }))
				holdsWinner(t, w, "key")
				signs(t, w, "key")
				nobodyAccused(t, w)
				require.Empty(t, w.Chain.Errors)
				restarts += killed
				runs++
			}
		}
	}
	t.Logf("%d runs, %d restarts, at every %d. of %d messages", runs, restarts, every, messages)
}

// isJailed says whether the chain has a validator as jailed.
func isJailed(w *sim.World, op types.Operator) bool {
	for _, p := range w.Chain.Fixture.Participants {
		if p.Operator == string(op) {
			return p.Staked.Jailed
		}
	}
	return false
}

func allUp(w *sim.World) bool {
	for _, n := range w.Nodes {
		if !n.Up() {
			return false
		}
	}
	return true
}

// signs proves that the key is usable.
func signs(t *testing.T, w *sim.World, id types.KeyID) {
	t.Helper()
	digest := [32]byte{1, 2, 3}
	w.Chain.Sign("after", id, digest[:])
	require.True(t, w.Run(5*time.Minute, func() bool { _, ok := w.Chain.Signature("after"); return ok }), "the key does not sign")
}
