package p2p

import (
	"bytes"
	"testing"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

var (
	alice = newIdentity("alice", 1)
	bob   = newIdentity("bob", 1)
	carol = newIdentity("carol", 1)
)

// participants are n connected nodes with identities that know each other.
func participants(t *testing.T, ids ...identity) []*node {
	t.Helper()
	nodes := make([]*node, len(ids))
	for i, id := range ids {
		nodes[i] = newNode(t, i)
		nodes[i].identify(t, id)
		nodes[i].r.SetRoster(rosterOf(ids...))
	}
	for i := range nodes {
		for j := range i {
			connect(nodes[j].sw, nodes[i].sw)
		}
	}
	for _, n := range nodes {
		eventually(t, "all are reachable", func() bool { return len(n.r.Reachable()) == len(ids)-1 })
	}
	return nodes
}

func TestSendByOperator(t *testing.T) {
	nodes := participants(t, alice, bob, carol)
	a, b, c := nodes[0], nodes[1], nodes[2]
	require.Equal(t, []types.Operator{"bob", "carol"}, a.r.Reachable())
	require.Equal(t, 2, a.r.Peers())
	a.do(func() { require.ElementsMatch(t, []types.Operator{"bob", "carol"}, a.operators) })
	a.do(func() { require.ElementsMatch(t, []string{string(b.peerID()), string(c.peerID())}, a.peers) })

	big := bytes.Repeat([]byte{7}, MaxRoundBody)
	require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", 1, big)))
	require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_CONFIRM, "", 2, []byte("digest"))))
	require.True(t, a.r.Send("carol", alice.envelope(wire.KIND_READY, "bob", 3, nil)), "misdirected")
	require.True(t, a.r.Send("carol", alice.envelope(wire.KIND_READY, "carol", 4, nil)))
	require.False(t, a.r.Send("dave", alice.envelope(wire.KIND_READY, "dave", 5, nil)))

	eventually(t, "bob has both", func() bool { return len(b.sequences("alice")) == 2 })
	require.ElementsMatch(t, []uint64{1, 2}, b.sequences("alice"))
	eventually(t, "carol has hers", func() bool { return len(c.sequences("alice")) == 1 })
	eventually(t, "carol drops bob's", func() bool { return c.drops(In, DropNotForUs) == 1 })
	require.Equal(t, []uint64{4}, c.sequences("alice"))
	require.Equal(t, 1, a.drops(Out, DropUnreachable))

	require.NoError(t, b.sw.Stop())
	eventually(t, "bob is gone", func() bool { return len(a.r.Reachable()) == 1 && a.r.Peers() == 1 })
	require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 6, nil)), "carol may know the way")
	require.NoError(t, c.sw.Stop())
	eventually(t, "carol is gone", func() bool { return a.r.Peers() == 0 })
	require.False(t, a.r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 7, nil)))
}

func TestRefusesToSendOversize(t *testing.T) {
	nodes := participants(t, alice, bob)
	a := nodes[0]
	require.False(t, a.r.Send("bob", alice.envelope(wire.KIND_CONFIRM, "bob", 1, make([]byte, MaxSmallBody+1))))
	require.False(t, a.r.Send("bob", &wire.Envelope{}))
	g := alice.attestation(0)
	g.GetAttestation().Payload = make([]byte, MaxGossipBytes)
	require.False(t, a.r.GossipTo(string(nodes[1].peerID()), g))
	a.r.Gossip(g)
	require.Equal(t, 4, a.drops(Out, DropOversize))
}

func TestPeerWithoutTheChannel(t *testing.T) {
	n := newNode(t, 0)
	n.identify(t, alice)
	other := newRogue(0x71)
	sw := startSwitch(t, 1, other)
	connect(n.sw, sw)
	require.NotNil(t, n.sw.Peers().Get(sw.NodeInfo().ID()))
	require.Zero(t, n.r.Peers())
	strangers := n.r.Strangers()
	require.Len(t, strangers, 1)
	require.Equal(t, string(sw.NodeInfo().ID()), strangers[0].ID)
	require.Equal(t, sw.NodeInfo().(cmtp2p.DefaultNodeInfo).Moniker, strangers[0].Moniker)
	with := newNode(t, 2)
	connect(n.sw, with.sw)
	eventually(t, "one has it", func() bool { return n.r.Peers() == 1 })
	require.Equal(t, strangers, n.r.Strangers())
	n.r.Gossip(alice.attestation(0))
	require.False(t, n.r.GossipTo(string(sw.NodeInfo().ID()), alice.attestation(0)))
	require.Equal(t, 1, n.drops(Out, DropUnknownPeer))
	require.Empty(t, NewReactor(Options{ChainID: chain}).Strangers(), "it is part of no switch")
}

func TestIdentityAfterConnection(t *testing.T) {
	a, b := newNode(t, 0), newNode(t, 1)
	connect(a.sw, b.sw)
	a.identify(t, alice)
	eventually(t, "the hello waits", func() bool { return b.drops(In, DropHelloWaits) > 0 })
	require.Empty(t, b.r.Reachable())

	b.r.SetRoster(rosterOf(alice))
	eventually(t, "alice is known with the roster", func() bool { return len(b.r.Reachable()) == 1 })

	rotated := newIdentity("alice", 2)
	b.r.SetRoster(rosterOf(alice, rotated))
	a.identify(t, rotated)
	eventually(t, "the new hello came", func() bool { return helloVersion(b.r, "alice") == 2 })
	b.r.SetRoster(types.NewRoster(map[types.Operator][]types.Identity{
		"alice": {{Version: 1, Key: alice.public()}, {Version: 2, Key: rotated.public(), Revoked: true}},
	}))
	require.Empty(t, b.r.Reachable(), "revoked")

	b.r.SetRoster(rosterOf(alice, rotated))
	eventually(t, "the hello was kept", func() bool { return len(b.r.Reachable()) == 1 })
}

// helloVersion is the identity version behind which an operator is reachable.
func helloVersion(r *Reactor, op types.Operator) uint32 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if rem := r.operators[op]; rem != nil {
		return rem.hello.msg.IdentityVersion
	}
	return 0
}

func TestGossipReachesNodesWithoutIdentity(t *testing.T) {
	nodes := participants(t, alice, bob)
	full := newNode(t, 2)
	full.r.SetRoster(rosterOf(alice, bob))
	connect(nodes[0].sw, full.sw)
	eventually(t, "connected", func() bool { return nodes[0].r.Peers() == 2 })

	nodes[0].r.Gossip(alice.attestation(0))
	eventually(t, "the full node has it", func() bool { return full.gossiped() == 1 })
	eventually(t, "bob has it", func() bool { return nodes[1].gossiped() == 1 })
	require.True(t, full.r.GossipTo(string(nodes[0].peerID()), bob.attestation(1)))
	eventually(t, "the full node's comes", func() bool { return nodes[0].gossiped() == 1 })

	require.True(t, nodes[0].r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 1, nil)))
	eventually(t, "envelopes go on", func() bool { return len(nodes[1].sequences("alice")) == 1 })
	require.Equal(t, []types.Operator{"alice"}, full.r.Reachable())
	require.True(t, full.r.Send("alice", bob.envelope(wire.KIND_ABORT, "", 9, nil)), "verbatim, of another")
	eventually(t, "delivered for bob", func() bool { return len(nodes[0].sequences("bob")) == 1 })
}

// rogues connect one peer without rules to a node that knows alice.
func rogues(t *testing.T) (*node, *cmtp2p.Switch) {
	t.Helper()
	return roguesWithin(t, defaultLimits())
}

func roguesWithin(t *testing.T, l limits) (*node, *cmtp2p.Switch) {
	t.Helper()
	n := newNodeWithin(t, 0, l)
	n.identify(t, bob)
	n.r.SetRoster(rosterOf(alice, bob))
	sw := startSwitch(t, 1, newRogue(ChannelID))
	connect(n.sw, sw)
	return n, sw
}

func disconnected(n *node) func() bool {
	return func() bool { return n.sw.Peers().Size() == 0 && n.r.Peers() == 0 }
}

func TestOversizeDisconnects(t *testing.T) {
	tests := map[string]*wire.Envelope{
		"small kind":       alice.envelope(wire.KIND_READY, "bob", 1, make([]byte, 4<<10)),
		"round":            alice.envelope(wire.KIND_ROUND, "bob", 1, make([]byte, MaxRoundBody+EnvelopeOverhead)),
		"beyond a message": alice.envelope(wire.KIND_ROUND, "bob", 1, make([]byte, 2*MaxMessageBytes)),
	}
	for name, e := range tests {
		t.Run(name, func(t *testing.T) {
			n, sw := rogues(t)
			say(t, sw, e)
			eventually(t, "disconnected", disconnected(n))
			require.Empty(t, n.sequences("alice"))
		})
	}
}

func TestFaultsDisconnect(t *testing.T) {
	badSignature := alice.envelope(wire.KIND_READY, "bob", 1, nil)
	badSignature.Signature[0] ^= 1
	otherBody := alice.envelope(wire.KIND_READY, "bob", 1, []byte("a"))
	otherBody.Body = []byte("b")
	otherChain := alice.envelope(wire.KIND_READY, "bob", 1, nil)
	otherChain.Header.ChainId = "chain-2"
	forged := alice.attestation(0)
	forged.GetAttestation().Attempt++
	shapeless := &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: &wire.Signature{RequestId: "s", R: []byte{1}}}}
	badHello := func(to cmtp2p.ID) *wire.Hello {
		h := alice.hello(to)
		h.Signature[5] ^= 1
		return h
	}
	tests := []struct {
		name   string
		reason types.Reason
		say    func(own cmtp2p.ID) cmtp2p.Wrapper
	}{
		{"signature", FaultSignature, func(cmtp2p.ID) cmtp2p.Wrapper { return badSignature }},
		{"body", FaultSignature, func(cmtp2p.ID) cmtp2p.Wrapper { return otherBody }},
		{"chain", FaultShape, func(cmtp2p.ID) cmtp2p.Wrapper { return otherChain }},
		{"no header", FaultShape, func(cmtp2p.ID) cmtp2p.Wrapper { return &wire.Envelope{Body: []byte{1}} }},
		{"attestation", FaultSignature, func(cmtp2p.ID) cmtp2p.Wrapper { return forged }},
		{"result", FaultShape, func(cmtp2p.ID) cmtp2p.Wrapper { return shapeless }},
		{"hello of another peer", FaultPeerID, func(cmtp2p.ID) cmtp2p.Wrapper { return alice.hello("0123456789abcdef") }},
		{"hello with a wrong signature", FaultSignature, func(own cmtp2p.ID) cmtp2p.Wrapper { return badHello(own) }},
		{"hello without an operator", FaultShape, func(own cmtp2p.ID) cmtp2p.Wrapper { return newIdentity("", 1).hello(own) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, sw := rogues(t)
			m := tt.say(sw.NodeInfo().ID())
			for range MaxFaults - 1 {
				say(t, sw, m)
			}
			eventually(t, "counted", func() bool { return n.drops(In, tt.reason) == MaxFaults-1 })
			require.Equal(t, 1, n.r.Peers(), "one fault less than allowed")
			require.Empty(t, n.r.Reachable())
			say(t, sw, m)
			eventually(t, "disconnected", disconnected(n))
			require.Zero(t, len(n.sequences("alice"))+n.gossiped())
		})
	}
}

func TestWhatIsNobodysFault(t *testing.T) {
	unknownKind := alice.envelope(wire.KIND_READY, "bob", 1, nil)
	unknownKind.Header.Kind = 77
	tests := []struct {
		name   string
		reason types.Reason
		m      cmtp2p.Envelope
	}{
		{"version ahead of the roster", DropUnknownSender, cmtp2p.Envelope{Message: newIdentity("alice", 9).envelope(wire.KIND_READY, "bob", 1, nil)}},
		{"unknown operator", DropUnknownSender, cmtp2p.Envelope{Message: carol.envelope(wire.KIND_READY, "bob", 1, nil)}},
		{"attestation of an unknown operator", DropUnknownSender, cmtp2p.Envelope{Message: carol.attestation(0)}},
		{"unknown kind", DropUnknownMessage, cmtp2p.Envelope{Message: unknownKind}},
		{"unknown message", DropUnknownMessage, cmtp2p.Envelope{Message: raw{9<<3 | 2, 1, 0}}},
		{"unknown result", DropUnknownMessage, cmtp2p.Envelope{Message: &wire.Gossip{}}},
		{"own envelope", DropNotForUs, cmtp2p.Envelope{Message: bob.envelope(wire.KIND_READY, "", 1, nil)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, sw := rogues(t)
			for range 3 * MaxFaults {
				say(t, sw, tt.m.Message)
			}
			eventually(t, "counted", func() bool { return n.drops(In, tt.reason) == 3*MaxFaults })
			say(t, sw, alice.envelope(wire.KIND_READY, "bob", 2, nil))
			eventually(t, "the next one arrives", func() bool { return len(n.sequences("alice")) == 1 })
		})
	}
}

func TestFloodOfOnePeer(t *testing.T) {
	l := defaultLimits()
	l.peer.messages, l.peer.messageBurst = 100, 100
	n, sw := roguesWithin(t, l)
	honest := newNode(t, 2)
	honest.identify(t, alice)
	honest.r.SetRoster(rosterOf(alice, bob))
	connect(n.sw, honest.sw)
	eventually(t, "bob is reachable", func() bool { return len(honest.r.Reachable()) == 1 })

	junk := carol.envelope(wire.KIND_ROUND, "bob", 1, make([]byte, 100))
	done, flooded := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(flooded)
		for peer := sw.Peers().Copy()[0]; ; {
			select {
			case <-done:
				return
			default:
				peer.TrySend(cmtp2p.Envelope{ChannelID: ChannelID, Message: junk})
			}
		}
	}()
	defer func() { close(done); <-flooded }()
	eventually(t, "the flood is over its budget", func() bool { return n.drops(In, DropPeerBudget) > 0 })
	for seq := range uint64(50) {
		require.True(t, honest.r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", seq, make([]byte, 1000))))
	}
	eventually(t, "all of the honest peer's arrive", func() bool { return len(n.sequences("alice")) == 50 })
}
