package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestAutoReshare: a participant is jailed and its node goes away. Nobody asks, and the
// key goes to the three that remain and to the newcomer, signs all the time, and signs
// without another one of them in the end.
func TestAutoReshare(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 31, Nodes: 5, Protocols: fakeproto.Protocols{}, Preparams: 40, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.RetireBlocks, p.AutoReshare = 10, true },
	})
	w.Chain.Keygen("key", 2, w.Nodes[:4]...)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	signsAll(t, w, "before")
	w.Nodes[0].Crash()
	w.Chain.Jail(w.Nodes[0].Operator)
	signsAll(t, w, "meanwhile")
	require.True(t, w.Run(5*time.Minute, func() bool {
		key, _ := w.Chain.Key("key")
		return key.Epoch == 1
	}), "nobody reshares it")
	w.Nodes[1].Crash()
	signsAll(t, w, "after")
	w.Nodes[0].Start()
	w.Nodes[1].Start()
	retired(t, w)
	holdsEpoch(t, w, 1, w.Nodes[1:]...)
	require.Empty(t, w.Chain.Errors)
	nobodyAccused(t, w)
}

// TestAutoResharePastADeadParticipant: one participant is jailed, and another one is
// bonded and dead. It is asked for a share once, in vain; then the key goes to those who
// are there, with the jailed one's help, for there are two dealers otherwise and three must
// deal.
func TestAutoResharePastADeadParticipant(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 33, Nodes: 5, Protocols: fakeproto.Protocols{}, Preparams: 40, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) {
			p.RetireBlocks, p.AutoReshare, p.AutoResharePauseBlocks = 10, true, 20
			p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks = 100, 20
		},
	})
	jailed, dead := w.Nodes[0], w.Nodes[2]
	w.Chain.Keygen("key", 2, w.Nodes[:4]...)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	dead.Crash()
	w.Chain.Jail(jailed.Operator)
	signsAll(t, w, "meanwhile")
	require.True(t, w.Run(5*time.Minute, func() bool {
		key, _ := w.Chain.Key("key")
		return key.Epoch == 1
	}), "nobody reshares it")
	key, _ := w.Chain.Key("key")
	require.ElementsMatch(t, []types.Operator{w.Nodes[1].Operator, w.Nodes[3].Operator, w.Nodes[4].Operator}, key.Participants)
	jailed.Crash()
	signsAll(t, w, "after")
	for _, f := range w.Chain.EverHeld() {
		require.Equal(t, dead.Operator, f.Participant, "accused by %s", f.Accuser)
	}
	require.Empty(t, w.Chain.Errors)
}
