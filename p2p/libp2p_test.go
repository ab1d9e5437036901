package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/lp2p"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// place is where a node of a libp2p network is.
type place struct {
	LibP2PPeer
	key ed25519.PrivKey
}

func libp2pPlaces(t *testing.T, n int) []place {
	t.Helper()
	places := make([]place, n)
	for i := range places {
		c := listenBelowEphemeral(t)
		defer c.Close()
		var err error
		places[i].key = ed25519.GenPrivKey()
		places[i].Address = c.LocalAddr().String()
		places[i].ID, err = LibP2PID(places[i].key)
		require.NoError(t, err)
	}
	return places
}

// listenBelowEphemeral listens on a free port below those that systems give to who asks for
// any: nobody gets it between its end here and the node's start.
func listenBelowEphemeral(t *testing.T) net.PacketConn {
	t.Helper()
	for range 1000 {
		if c, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(22000))); err == nil {
			return c
		}
	}
	t.Fatal("no free UDP port")
	return nil
}

// libp2pNode is a reactor on a libp2p switch.
type libp2pNode struct {
	*recorder
	id   identity
	sw   *LibP2P
	r    *Reactor
	log  *lockedBuffer
	stop func()
	// switchLog is what the switch says.
	switchLog *lockedBuffer
}

func startLibP2P(t *testing.T, id identity, at place, peers ...place) *libp2pNode {
	t.Helper()
	return startLibP2PWithin(t, defaultLimits(), id, at, peers...)
}

func startLibP2PWithin(t *testing.T, l limits, id identity, at place, peers ...place) *libp2pNode {
	t.Helper()
	n := &libp2pNode{recorder: newRecorder(), id: id, log: &lockedBuffer{}, switchLog: &lockedBuffer{}}
	n.r = newReactor(Options{ChainID: chain, Metrics: n.recorder, Logger: slog.New(slog.NewTextHandler(n.log, nil))}, l)
	n.r.SetSink(n.recorder)
	n.r.SetRoster(rosterOf(alice, bob, carol))
	require.NoError(t, n.r.SetSelf(id.self(cmtp2p.ID(at.ID))))
	opts := LibP2POptions{Key: at.key, Listen: at.Address, External: at.Address, Logger: log.NewTMLogger(log.NewSyncWriter(n.switchLog))}
	for _, p := range peers {
		opts.Peers = append(opts.Peers, p.LibP2PPeer)
	}
	sw, err := NewLibP2P(opts, n.r)
	require.NoError(t, err)
	n.sw = sw
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sw.Run(ctx) }()
	stopped := false
	n.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(n.stop)
	return n
}

func (n *libp2pNode) reaches(t *testing.T, operators int) {
	t.Helper()
	eventually(t, "the others are reachable", func() bool { return len(n.r.Reachable()) == operators })
}

func rawConfig(listen string) *config.P2PConfig {
	c := config.DefaultP2PConfig()
	c.ListenAddress = listen
	c.LibP2PConfig.Enabled = true
	return c
}

// startRawHost runs a host without a reactor until the test ends.
func startRawHost(t *testing.T, at place, handle network.StreamHandler) *lp2p.Host {
	t.Helper()
	host, err := lp2p.NewHost(rawConfig(at.Address), at.key, log.NewNopLogger())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, host.Close()) })
	if handle != nil {
		host.SetStreamHandler(lp2p.ProtocolID(ChannelID), handle)
	}
	return host
}

// rawHost speaks libp2p without a reactor; it is connected with one node.
func rawHost(t *testing.T, at, to place, handle network.StreamHandler) (*lp2p.Host, peer.ID) {
	t.Helper()
	host := startRawHost(t, at, handle)
	address, err := lp2p.AddrInfoFromHostAndID(to.Address, to.ID)
	require.NoError(t, err)
	eventually(t, "connected", func() bool { return host.Connect(t.Context(), address) == nil })
	return host, address.ID
}

// write sends bytes on a stream of their own.
func write(t *testing.T, host *lp2p.Host, to peer.ID, bz []byte) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	s, err := host.NewStream(ctx, to, lp2p.ProtocolID(ChannelID))
	if err != nil {
		return err
	}
	return lp2p.StreamWriteClose(s, bz)
}

// No order, base58 ids, peers without a channel list: all arrives.
func TestOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 2)
	a, b := startLibP2P(t, alice, at[0], at[1]), startLibP2P(t, bob, at[1], at[0])
	a.reaches(t, 1)
	b.reaches(t, 1)
	for seq := range uint64(200) {
		require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", seq, make([]byte, 1000))))
		b.r.Gossip(bob.attestation(uint32(seq)))
	}
	require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_FORWARD, "bob", 200, make([]byte, MaxForwardBody))))
	eventually(t, "all arrive", func() bool { return len(b.sequences("alice")) == 201 && a.gossiped() == 200 })
	seen := map[uint64]bool{}
	for _, seq := range b.sequences("alice") {
		seen[seq] = true
	}
	require.Len(t, seen, 201, "each once, in whatever order")
}

// Relays cross libp2p as they cross CometBFT.
func TestRelayOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 3)
	a, c, b := startLibP2P(t, alice, at[0], at[1]), startLibP2P(t, carol, at[1], at[0], at[2]), startLibP2P(t, bob, at[2], at[1])
	c.reaches(t, 2)
	a.reaches(t, 1)
	b.reaches(t, 1)
	require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", 1, make([]byte, MaxRoundBody))))
	eventually(t, "bob has it", func() bool { return len(b.sequences("alice")) == 1 })
	require.Empty(t, c.sequences("alice"))
}

// A node that stopped and came back is known again, on both sides.
func TestComingBackOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 2)
	a, b := startLibP2P(t, alice, at[0], at[1]), startLibP2P(t, bob, at[1], at[0])
	a.reaches(t, 1)
	b.reaches(t, 1)
	b.stop()
	b = startLibP2P(t, bob, at[1], at[0])
	seq := uint64(0)
	require.Eventually(t, func() bool {
		seq++
		return a.r.Send("bob", alice.envelope(wire.KIND_READY, "bob", seq, nil)) && len(b.sequences("alice")) > 0
	}, patient, 50*time.Millisecond, "bob is reached again")
	require.Eventually(t, func() bool { return len(b.r.Reachable()) == 1 }, patient, tick, "alice says again who she is")
}

// Who is in nobody's list is turned away before it can say anything.
func TestUnlistedPeersOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 3)
	a, b := startLibP2P(t, alice, at[0], at[1]), startLibP2P(t, bob, at[1], at[0])
	a.reaches(t, 1)
	host, id := rawHost(t, at[2], at[0], nil)
	eventually(t, "turned away", func() bool { return len(host.Network().ConnsToPeer(id)) == 0 })
	require.Equal(t, 1, a.r.Peers())
	require.True(t, b.r.Send("alice", bob.envelope(wire.KIND_READY, "alice", 1, nil)))
	eventually(t, "others go on", func() bool { return len(a.sequences("bob")) == 1 })
}

// rogueHosts are more than the guests that a node has room for, twice over.
const rogueHosts = 2*libp2pGuests + 8

// crowd has hosts that are in nobody's list connect with nodes again and again, without
// a pause, and hold what they get, until the test ends. It counts their connections.
func crowd(t *testing.T, hosts int, at ...place) *atomic.Int64 {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	made := &atomic.Int64{}
	for _, own := range libp2pPlaces(t, hosts) {
		host := startRawHost(t, own, nil)
		for _, to := range at {
			address, err := lp2p.AddrInfoFromHostAndID(to.Address, to.ID)
			require.NoError(t, err)
			wait.Go(func() {
				for ctx.Err() == nil {
					// Without a backoff, and on a connection that is new if there is none.
					dial := network.WithForceDirectDial(network.WithDialPeerTimeout(ctx, time.Second), "crowd")
					if host.Connect(dial, address) == nil {
						made.Add(1)
					}
					if s, ok := host.Network().(*swarm.Swarm); ok {
						s.Backoff().Clear(address.ID)
					}
				}
			})
		}
	}
	t.Cleanup(func() { cancel(); wait.Wait() })
	return made
}

// A crowd of unlisted hosts, each with an id of its own, fills the ports of two nodes
// while one of them is started again: the two find each other again as without it, and
// no host of the crowd gets through to the reactor.
func TestComingBackInACrowdOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 2)
	a, b := startLibP2P(t, alice, at[0], at[1]), startLibP2P(t, bob, at[1], at[0])
	a.reaches(t, 1)
	b.reaches(t, 1)
	made := crowd(t, rogueHosts, at...)
	eventually(t, "the crowd is there", func() bool { return made.Load() > 10*rogueHosts })
	b.stop()
	before := made.Load()
	eventually(t, "it goes on at alice's", func() bool { return made.Load() > before+rogueHosts })
	began := time.Now()
	b = startLibP2P(t, bob, at[1], at[0])
	seq := uint64(0)
	require.Eventually(t, func() bool {
		seq++
		return a.r.Send("bob", alice.envelope(wire.KIND_READY, "bob", seq, nil)) && len(b.sequences("alice")) > 0
	}, patient, 50*time.Millisecond, "bob is reached again")
	require.Eventually(t, func() bool { return len(b.r.Reachable()) == 1 }, patient, tick, "and knows who alice is")
	t.Logf("back after %.1f s, among %d hosts that connected %d times", time.Since(began).Seconds(), rogueHosts, made.Load())
	a.do(func() {
		for _, p := range a.peers {
			require.Equal(t, at[1].ID, p, "only who is listed")
		}
	})
	require.Equal(t, 1, a.r.Peers())
}

// What is too long is not read; what is too long for its kind costs the
// connection. The channel's limit is below libp2p's.
func TestSizesOnLibP2P(t *testing.T) {
	require.Less(t, MaxMessageBytes, lp2p.MaxStreamSize)
	at := libp2pPlaces(t, 3)
	a, b := startLibP2P(t, alice, at[0], at[1], at[2]), startLibP2P(t, bob, at[1], at[0])
	a.reaches(t, 1)
	host, id := rawHost(t, at[2], at[0], func(network.Stream) {})
	largest := encode(t, carol.envelope(wire.KIND_FORWARD, "alice", 1, make([]byte, MaxForwardBody)))
	require.NoError(t, write(t, host, id, largest))
	eventually(t, "the largest arrives", func() bool { return len(a.sequences("carol")) == 1 })
	_ = write(t, host, id, make([]byte, MaxMessageBytes+1)) // the other end closes the stream
	require.NoError(t, write(t, host, id, encode(t, carol.envelope(wire.KIND_READY, "alice", 2, nil))))
	eventually(t, "the next one arrives", func() bool { return len(a.sequences("carol")) == 2 })

	require.NoError(t, write(t, host, id, encode(t, carol.envelope(wire.KIND_READY, "alice", 3, make([]byte, 4<<10)))))
	eventually(t, "it costs the connection", func() bool { return a.r.Peers() == 1 })
	require.Len(t, a.sequences("carol"), 2)
	require.Positive(t, a.drops(In, DropOversize))
	require.Equal(t, 1, b.r.Peers())
}

// A peer that takes nothing holds up neither the others nor the end.
func TestPeerThatDoesNotReadOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 3)
	a, b := startLibP2P(t, alice, at[0], at[1], at[2]), startLibP2P(t, bob, at[1], at[0])
	a.reaches(t, 1)
	host, id := rawHost(t, at[2], at[0], func(network.Stream) {})
	require.NoError(t, write(t, host, id, encode(t, carol.hello(cmtp2p.ID(at[2].ID)))))
	a.reaches(t, 2)
	const sent = 30 // 6 MB; QUIC takes some 0.75 MB that nobody reads
	for seq := range uint64(sent) {
		require.True(t, a.r.Send("carol", alice.envelope(wire.KIND_ROUND, "carol", seq, make([]byte, MaxRoundBody))))
		require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", seq, make([]byte, 1000))))
	}
	eventually(t, "bob has all", func() bool { return len(b.sequences("alice")) == sent })
	require.Positive(t, a.r.outWaiting.Load(), "carol's wait")
	a.stop()
}

func TestLibP2PPeers(t *testing.T) {
	at := libp2pPlaces(t, 2)
	list := fmt.Sprintf(" %s@%s, ,%s@host.example:1,", at[0].ID, at[0].Address, at[1].ID)
	peers, err := ParseLibP2PPeers(list)
	require.NoError(t, err)
	require.Equal(t, []LibP2PPeer{at[0].LibP2PPeer, {at[1].ID, "host.example:1"}}, peers)
	for _, bad := range []string{"x", at[0].ID, at[0].ID + "@", at[0].ID + "@host", "x@host:1", "@host:1"} {
		_, err := ParseLibP2PPeers(bad)
		require.ErrorContains(t, err, "ID@HOST:PORT", bad)
	}
}

func TestLibP2PPortInUse(t *testing.T) {
	at := libp2pPlaces(t, 1)[0]
	c, err := net.ListenPacket("udp", at.Address)
	require.NoError(t, err)
	defer c.Close()
	_, err = NewLibP2P(LibP2POptions{Key: at.key, Listen: at.Address, Logger: log.NewNopLogger()}, NewReactor(Options{ChainID: chain}))
	require.ErrorContains(t, err, at.Address)
}
