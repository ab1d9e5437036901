package sim_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Ways through the network, each half a round trip, before the first round: Prepare,
// Ready and Start. A presignature's Consume goes with its owner's message of round 4, and
// the others' messages of that round answer it.
const (
	waysToStart = 3
	consumeWays = 1
	parkedAt    = 3
)

// ways are what the arithmetic says that rounds take: one for the messages, and one for
// the echo of broadcasts.
func ways(rounds []session.Round) (n int) {
	for _, round := range rounds {
		n++
		for _, m := range round {
			if m.Broadcast {
				n++
				break
			}
		}
	}
	return n
}

// TestBenchLatency tables how long keygens, signatures and resharings take on networks with long
// round trips, in virtual time: whole engines, envelopes and blocks, the rounds of the
// real protocols with fake content, so no arithmetic is in it. Each is what the count of
// rounds says, or it fails. It runs with MPC_BENCH=1.
func TestBenchLatency(t *testing.T) {
	if os.Getenv("MPC_BENCH") == "" {
		t.Skip("set MPC_BENCH=1 to measure")
	}
	for _, trip := range []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond} {
		took := make(map[string]string)
		for _, n := range []int{4, 7, 16, 30} {
			benchLatency(t, n, trip, took)
		}
		for _, name := range slices.Sorted(maps.Keys(took)) {
			fmt.Printf("bench latency-%s trip=%s%s\n", name, trip, took[name])
		}
	}
}

// benchLatency adds what it measures to the lines of each operation.
func benchLatency(t *testing.T, n int, trip time.Duration, lines map[string]string) {
	shape := func(kind types.RequestKind) []session.Round {
		if kind == types.KindPresign {
			kind = types.KindSign
		}
		p, err := tss.New().Protocol(kind, types.ECDSASecp256k1)
		require.NoError(t, err)
		return p.Rounds(n*2/3, n)
	}
	w := sim.New(t, sim.Config{
		Seed: 1, Nodes: n, Protocols: fakeproto.Protocols{Shape: shape}, Preparams: 2, BlockTime: time.Second,
		Step: [2]time.Duration{time.Nanosecond, time.Nanosecond}, Workers: 4,
		Delay: [2]time.Duration{trip / 2, trip / 2}, Verified: make(sim.Verified),
		Params: func(p *xtypes.Params) { p.MaxParticipants = uint32(n) },
	})
	sign := shape(types.KindSign)
	one := func(name string, kind types.RequestKind, ask func(), want int) {
		took := measureLatency(t, w, kind, ask)
		expected := time.Duration(want) * trip / 2
		require.InDelta(t, expected, took, float64(trip/10), name)
		if lines[name] == "" {
			lines[name] = fmt.Sprintf(" protocol=fake half-trips=%d arithmetic=%s", want, expected)
		}
		lines[name] += fmt.Sprintf(" n%d=%s", n, took.Round(time.Millisecond))
	}
	one("keygen", types.KindKeygen, func() { w.Chain.Keygen("key", n*2/3) }, waysToStart+ways(shape(types.KindKeygen)))
	require.True(t, w.Run(time.Minute, ready(w, "key")))
	one("sign", types.KindSign, func() { w.Chain.Sign("plain", "key", digestOf("plain")) }, waysToStart+ways(sign))
	w.Chain.ChangeParams(func(p *xtypes.Params) { p.PresignTarget = 1 })
	require.True(t, w.Run(20*time.Minute, func() bool { return stocked(w, 1) }))
	one("sign-presigned", types.KindSign, func() { w.Chain.Sign("pooled", "key", digestOf("pooled")) }, consumeWays+ways(sign[parkedAt:]))
	w.Chain.ChangeParams(func(p *xtypes.Params) { p.PresignTarget = 0 })
	require.True(t, w.Run(time.Minute, func() bool { return parked(w) == 0 }))
	one("reshare", types.KindReshare, func() { w.Chain.Reshare("reshare", "key", n*2/3, w.Nodes...) }, waysToStart+ways(shape(types.KindReshare)))
}

// measureLatency is from the block of a request to its signature, or to the last of the
// attestations that make its key READY or test its new epoch, as they leave their nodes.
func measureLatency(t *testing.T, w *sim.World, kind types.RequestKind, ask func()) time.Duration {
	t.Helper()
	attested, signed := make(map[*sim.Node]bool), false
	w.Meddle = func(from, _ *sim.Node, m *wire.Message) sim.Verdict {
		if g, ok := m.Sum.(*wire.Message_Gossip); ok {
			switch g.Gossip.Sum.(type) {
			case *wire.Gossip_Attestation:
				attested[from] = true
			case *wire.Gossip_Signature:
				signed = true
			}
		}
		return sim.Verdict{}
	}
	defer func() { w.Meddle = nil }()
	ask()
	height := w.Chain.Height()
	require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Height() > height }))
	began := w.Now()
	require.True(t, w.Run(time.Minute, func() bool {
		return kind == types.KindSign && signed || kind != types.KindSign && len(attested) == len(w.Nodes)
	}))
	took := w.Now().Sub(began)
	require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() == 0 }))
	return took
}
