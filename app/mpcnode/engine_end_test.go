package mpcnode

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// neighbour is another reactor on the same connections, as that of consensus is.
type neighbour struct {
	cmtp2p.BaseReactor
	heard atomic.Int32
}

// neighbourChannel is that of consensus data.
const neighbourChannel = byte(0x21)

func newNeighbour() *neighbour {
	n := &neighbour{}
	n.BaseReactor = *cmtp2p.NewBaseReactor("neighbour", n)
	return n
}

func (n *neighbour) GetChannels() []*cmtp2p.ChannelDescriptor {
	return []*cmtp2p.ChannelDescriptor{{ID: neighbourChannel, Priority: 10, SendQueueCapacity: 10, MessageType: &wire.Message{}}}
}

func (n *neighbour) Receive(cmtp2p.Envelope) { n.heard.Add(1) }

// onSwitch runs a reactor and its neighbour on a real switch until the test ends.
func onSwitch(t *testing.T, i int, r cmtp2p.Reactor, n *neighbour) *cmtp2p.Switch {
	t.Helper()
	sw := cmtp2p.MakeSwitch(cmtcfg.TestP2PConfig(), i, func(_ int, sw *cmtp2p.Switch) *cmtp2p.Switch {
		sw.AddReactor(reactorName, r)
		sw.AddReactor("neighbour", n)
		return sw
	})
	require.NoError(t, sw.Start())
	t.Cleanup(func() { require.NoError(t, sw.Stop()) })
	return sw
}

// signature is a finished one that a node passes on.
func signature(i int) *wire.Gossip {
	s := types.SignatureResult{RequestID: fmt.Sprintf("sig-%d", i), R: make([]byte, 32), S: make([]byte, 32)}
	return &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: s.ToWire()}}
}

// droppedIn counts what the reactor dropped for a reason.
func droppedIn(t *testing.T, m *metrics, reason types.Reason) (n float64) {
	t.Helper()
	if family := gather(t, m)["sequencer_mpc_dropped_total"]; family != nil {
		for _, metric := range family.Metric {
			if l := labels(metric); l["place"] == string(p2p.In) && l["reason"] == string(reason) {
				n += metric.Counter.GetValue()
			}
		}
	}
	return n
}

// An engine that ended is given nothing any more, the reactor drains its channel
// all the same, and the connection goes on carrying what other reactors send.
func TestReactorGoesOnWithoutItsEngine(t *testing.T) {
	const results = 200
	var out logBuffer
	m := testMember(&out)
	at := time.Unix(1_700_000_000, 0)
	m.reactor = p2p.NewReactor(p2p.Options{
		ChainID: "seq-1", Metrics: m.metrics, Now: func() time.Time { return at },
		Workers: 1, // one worker keeps the order of a peer's messages
	})
	engine, err := mpc.New(mpc.Options{ChainID: "seq-1", Chain: idleChain{}, Store: panickyStore{}, Transport: idleTransport{}}, 1)
	require.NoError(t, err)
	state := &engineState{engine: engine}
	m.reactor.SetSink(sink{engine: engine, offer: m.reactor.GossipTo})
	m.app.MPCLink().attach(engine, engine.Wake)

	peer, here, there := p2p.NewReactor(p2p.Options{ChainID: "seq-1"}), newNeighbour(), newNeighbour()
	local, remote := onSwitch(t, 0, m.reactor, here), onSwitch(t, 1, peer, there)
	cmtp2p.Connect2Switches([]*cmtp2p.Switch{local, remote}, 0, 1)
	eventually := func(what string, done func() bool) {
		t.Helper()
		require.Eventually(t, done, 10*time.Second, time.Millisecond, what)
	}
	eventually("they are connected", func() bool { return m.reactor.Peers() == 1 && peer.Peers() == 1 })

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.runEngine(ctx, state) }()
	eventually("the engine ends", func() bool { return strings.Contains(out.String(), "goes on with the chain") })
	_, before := engine.Queued()

	for i := range results {
		peer.Gossip(signature(i))
	}
	peer.Gossip(signature(0)) // known by now, so that its drop tells that all were judged
	eventually("the channel is drained", func() bool { return droppedIn(t, m.metrics, p2p.DropRepeat) == 1 })
	_, after := engine.Queued()
	require.Equal(t, before, after, "nobody would take it out of the engine's inbox")

	say := func(from *cmtp2p.Switch) {
		t.Helper()
		peers := from.Peers().Copy()
		require.Len(t, peers, 1, "nobody was disconnected")
		require.True(t, peers[0].Send(cmtp2p.Envelope{ChannelID: neighbourChannel, Message: &wire.Hello{}}))
	}
	say(local)
	say(remote)
	eventually("other channels go on", func() bool { return here.heard.Load() == 1 && there.heard.Load() == 1 })

	// The application commits blocks and asks for results as before.
	m.app.MPCLink().Wake()
	require.Empty(t, m.app.MPCLink().Results())
	cancel()
	require.NoError(t, <-ended)
}
