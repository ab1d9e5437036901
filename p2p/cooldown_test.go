package p2p

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/lp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Each time that a peer is disconnected it stays out for twice as long, until it was good
// for a while. What was under way when it was disconnected counts once.
func TestCooldown(t *testing.T) {
	now := newClock()
	r, _ := lone(t, Options{Now: now.now}, defaultLimits())
	c := newCooldown(r)
	const rogue, other = peer.ID("rogue"), peer.ID("other")
	require.False(t, c.holds(rogue))
	for _, seconds := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		c.begin(rogue)
		c.begin(rogue)
		now.add(seconds*time.Second - 1)
		require.True(t, c.holds(rogue), "%d s", seconds)
		require.False(t, c.holds(other))
		now.add(1)
		require.False(t, c.holds(rogue), "%d s", seconds)
	}
	now.add(cooldownForgiven)
	c.begin(rogue)
	now.add(time.Second)
	require.False(t, c.holds(rogue), "it was good for long")
}

// Only what this node decides keeps a peer out.
func TestVerdicts(t *testing.T) {
	for _, decided := range []error{FaultFlood, errors.New("message has too many bytes")} {
		require.True(t, isVerdict(decided))
	}
	for _, lost := range []any{
		"switch stopped", nil,
		fmt.Errorf("open: %w", &swarm.DialError{Cause: swarm.ErrAllDialsFailed}), fmt.Errorf("open: %w", swarm.ErrNoGoodAddresses),
	} {
		require.False(t, isVerdict(lost))
	}
}

// hiddenHost is a host of a listed peer that answers at another address than the list has.
func hiddenHost(t *testing.T, listed, at place) *lp2p.Host {
	t.Helper()
	c := config.DefaultP2PConfig()
	c.ListenAddress, c.ExternalAddress = at.Address, listed.Address
	c.LibP2PConfig.Enabled = true
	host, err := lp2p.NewHost(c, listed.key, log.NewNopLogger())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, host.Close()) })
	host.SetStreamHandler(lp2p.ProtocolID(ChannelID), func(network.Stream) {})
	return host
}

// offend connects and sends what costs the connection, and waits until that is judged, or
// the context ends.
func (n *libp2pNode) offend(ctx context.Context, t *testing.T, host *lp2p.Host, at place) bool {
	t.Helper()
	target, err := lp2p.AddrInfoFromHostAndID(at.Address, at.ID)
	require.NoError(t, err)
	before := n.drops(In, DropOversize)
	if host.Connect(ctx, target) != nil || write(t, host, target.ID, encode(t, carol.envelope(wire.KIND_READY, "alice", 1, make([]byte, 4<<10)))) != nil {
		return false
	}
	for ctx.Err() == nil && len(host.Network().ConnsToPeer(target.ID)) > 0 {
		time.Sleep(tick)
	}
	_ = host.Network().ClosePeer(target.ID)
	return n.drops(In, DropOversize) > before
}

// goroutines counts those that run a function.
func goroutines(function string) int {
	buf := make([]byte, 64<<20)
	return bytes.Count(buf[:runtime.Stack(buf, true)], []byte(function+"("))
}

// A listed peer that comes again and again, to be disconnected for what it sends, and
// answers nobody where the list says that it is, leaves nothing behind, however often it is
// let in.
func TestDisconnectedPeersLeaveNothingOnLibP2P(t *testing.T) {
	const times = 50
	l := defaultLimits()
	l.cooldown = cooldownLimit{}
	at := libp2pPlaces(t, 4)
	a, b := startLibP2PWithin(t, l, alice, at[0], at[1], at[2]), startLibP2P(t, bob, at[1], at[0])
	host := hiddenHost(t, at[2], at[3])
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	for done := 0; done < times; {
		require.NoError(t, ctx.Err(), "%d times of %d", done, times)
		if a.offend(ctx, t, host, at[0]) {
			done++
		}
	}
	require.LessOrEqual(t, goroutines("lp2p.(*Switch).reconnectPeer"), 2, "one for each of the list, from the start of the switch")
	b.reaches(t, 1)
	require.True(t, b.r.Send("alice", bob.envelope(wire.KIND_READY, "alice", 1, nil)))
	eventually(t, "others go on", func() bool { return len(a.sequences("bob")) == 1 })
}

// end lets a peer in again, as time would.
func (c *cooldown) end(id peer.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out[id] = outcast{pause: c.out[id].pause}
}

// Who was disconnected for what it sent gets no stream through while it is kept out. After
// that this node looks for it itself.
func TestCooldownOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 2)
	l := defaultLimits()
	l.cooldown = cooldownLimit{time.Hour, time.Hour}
	a := startLibP2PWithin(t, l, alice, at[0], at[1])
	host, id := rawHost(t, at[1], at[0], func(network.Stream) {})
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	for !a.offend(ctx, t, host, at[0]) {
		require.NoError(t, ctx.Err())
	}
	out := a.sw.redial.cool
	eventually(t, "it is gone, and kept out", func() bool { return out.holds(host.ID()) && a.r.Peers() == 0 })
	for range 10 {
		a.offend(ctx, t, host, at[0])
	}
	require.NoError(t, ctx.Err())
	require.Equal(t, 1, a.drops(In, DropOversize), "no more gets through")
	require.Zero(t, a.r.Peers())
	require.True(t, out.holds(host.ID()), "and nobody let it in meanwhile")
	out.end(host.ID())
	eventually(t, "alice looks for it", func() bool { return len(host.Network().ConnsToPeer(id)) > 0 && a.r.Peers() == 1 })
	require.NoError(t, write(t, host, id, encode(t, carol.envelope(wire.KIND_READY, "alice", 2, nil))))
	eventually(t, "it is heard", func() bool { return len(a.sequences("carol")) == 1 })
}
