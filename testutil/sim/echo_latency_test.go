package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// TestEchoLatency: how much longer the echo makes a keygen and a signature, in virtual time, as
// mpc/session/doc.go says: the same rounds take one way less each where no message of theirs
// is a broadcast.
func TestEchoLatency(t *testing.T) {
	const n, threshold, way = 4, 2, 50 * time.Millisecond
	shape := func(kind types.RequestKind, echo bool) (rounds []session.Round) {
		p, err := tss.New().Protocol(kind, types.ECDSASecp256k1)
		require.NoError(t, err)
		for _, round := range p.Rounds(threshold, n) {
			round = slices.Clone(round)
			for i := range round {
				round[i].Broadcast = round[i].Broadcast && echo
			}
			rounds = append(rounds, round)
		}
		return rounds
	}
	measure := func(echo bool) (keygen, sign time.Duration) {
		w := sim.New(t, sim.Config{
			Seed: 1, Nodes: n, Preparams: 2, BlockTime: time.Second,
			Protocols: fakeproto.Protocols{Shape: func(kind types.RequestKind) []session.Round { return shape(kind, echo) }},
			Step:      [2]time.Duration{time.Nanosecond, time.Nanosecond}, Workers: 4, Delay: [2]time.Duration{way, way},
		})
		keygen = measureLatency(t, w, types.KindKeygen, func() { w.Chain.Keygen("key", threshold) })
		require.True(t, w.Run(time.Minute, ready(w, "key")))
		sign = measureLatency(t, w, types.KindSign, func() { w.Chain.Sign("sig", "key", digestOf("sig")) })
		return keygen, sign
	}
	keygen, sign := measure(true)
	plainKeygen, plainSign := measure(false)
	t.Logf("with an echo a keygen takes %s and a signature %s, without one %s and %s",
		keygen.Round(time.Millisecond), sign.Round(time.Millisecond), plainKeygen.Round(time.Millisecond), plainSign.Round(time.Millisecond))
	const slack = float64(way / 5)
	require.InDelta(t, 3*way, keygen-plainKeygen, slack)
	require.InDelta(t, 8*way, sign-plainSign, slack)
}
