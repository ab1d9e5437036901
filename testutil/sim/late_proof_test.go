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

// TestProofAfterTheDecision: one node hears that a member told different things in a
// session whose request is decided, or of a presignature. Every proposer hears of it, and
// the chain has it once, however often it is told; not when it comes too late.
func TestProofAfterTheDecision(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 61, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 8, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.FaultBlocks = 30 },
	})
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	signsAll(t, w, "s")
	require.True(t, w.Run(time.Minute, func() bool { return settled(w) && w.Chain.Open() == 0 }))
	key, _ := w.Chain.Key("key")
	liar := w.Nodes[3]
	sign := types.RequestID{Kind: types.KindSign, ID: "s"}
	proof := func(request types.RequestID, session types.Context, of types.KeyID) types.Evidence {
		say := func(body string) *wire.Envelope {
			return types.SignEnvelope(&wire.Header{
				ChainId: w.Chain.ID(), Context: session[:], Kind: wire.KIND_ROUND, Round: 9, Type: "s9", From: string(liar.Operator),
				IdentityVersion: 1, RequestKind: uint32(request.Kind), RequestId: request.ID,
			}, []byte(body), liar.Identity)
		}
		e := types.NewEvidence(say("one thing"), say("another"))
		e.KeyID = of
		return e
	}
	hears := func(n *sim.Node, e types.Evidence) {
		j, err := n.Core().Judge(&wire.Gossip{Sum: &wire.Gossip_Evidence{Evidence: e.ToWire()}})
		require.NoError(t, err)
		n.Core().HandleGossip(t.Context(), j)
	}
	hears(w.Nodes[0], proof(sign, types.Context{1}, ""))
	hears(w.Nodes[1], proof(types.PresignID(&key), types.Context{2}, "key"))
	require.True(t, w.Run(time.Minute, func() bool { return len(w.Chain.Proven()) == 2 }))
	require.ElementsMatch(t, []types.Fault{
		{Participant: liar.Operator, Reason: types.ErrBroadcastDiffer, Request: sign, Session: types.Context{1}},
		{Participant: liar.Operator, Reason: types.ErrBroadcastDiffer, Request: types.PresignID(&key), Session: types.Context{2}},
	}, w.Chain.Proven())

	w.Remind(w.Told(), 10, w.BlockTime)
	w.Run(20*time.Second, func() bool { return false })
	require.Len(t, w.Chain.Proven(), 2)
	for _, n := range w.Nodes {
		require.Empty(t, n.Core().Results().Evidence, "%s holds what the chain has", n.Operator)
	}

	w.Run(40*w.BlockTime, func() bool { return false })
	hears(w.Nodes[0], proof(sign, types.Context{3}, ""))
	w.Run(20*time.Second, func() bool { return false })
	require.Len(t, w.Chain.Proven(), 2, "it comes too late")
	signsAll(t, w, "afterwards")
}

// TestProofOutlivesWhoFoundIt: proof is in memory only. Who heard of it and restarts before any
// block has it hears of it again, and meanwhile others tell it.
func TestProofOutlivesWhoFoundIt(t *testing.T) {
	w := sim.New(t, sim.Config{Seed: 62, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 8, Lag: 300 * time.Millisecond})
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	require.True(t, w.Run(time.Minute, func() bool { return settled(w) }))
	key, _ := w.Chain.Key("key")
	finder, other, liar := w.Nodes[0], w.Nodes[1], w.Nodes[3]
	request, session := types.PresignID(&key), types.Context{1}
	say := func(body string) *wire.Envelope {
		return types.SignEnvelope(&wire.Header{
			ChainId: w.Chain.ID(), Context: session[:], Kind: wire.KIND_ROUND, Round: 9, Type: "s9", From: string(liar.Operator),
			IdentityVersion: 1, RequestKind: uint32(request.Kind), RequestId: request.ID,
		}, []byte(body), liar.Identity)
	}
	e := types.NewEvidence(say("one thing"), say("another"))
	e.KeyID = "key"
	j, err := finder.Core().Judge(&wire.Gossip{Sum: &wire.Gossip_Evidence{Evidence: e.ToWire()}})
	require.NoError(t, err)
	height := w.Chain.Height()
	require.True(t, w.Run(2*w.BlockTime, func() bool { return w.Chain.Height() > height }))
	finder.Core().HandleGossip(t.Context(), j)
	holds := func(n *sim.Node) bool { return n.Up() && len(n.Core().Results().Evidence) == 1 }
	require.True(t, w.Run(w.BlockTime/2, func() bool { return holds(other) }))
	require.Empty(t, w.Chain.Proven())
	finder.RestartAfter(w.BlockTime / 10)
	require.True(t, w.Run(time.Minute, func() bool { return holds(finder) || len(w.Chain.Proven()) > 0 }))
	require.True(t, w.Run(time.Minute, func() bool { return len(w.Chain.Proven()) == 1 }))
	require.Equal(t, liar.Operator, w.Chain.Proven()[0].Participant)
}
