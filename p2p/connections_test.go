package p2p

import (
	"testing"

	"github.com/cometbft/cometbft/lp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// A peer has few connections, the last of those that it made, and QUIC may hold little of
// each. What it says on the last one is heard.
func TestConnectionsOfAPeerOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 2)
	first := startRawHost(t, at[1], func(network.Stream) {})
	a := startLibP2P(t, alice, at[0], at[1])
	connections := func() []network.Conn { return a.sw.host.Network().ConnsToPeer(first.ID()) }
	eventually(t, "it is connected", func() bool { return len(connections()) > 0 })
	oldest := connections()[0]
	var last *lp2p.Host
	var to peer.ID
	for range 2 * peerConnections {
		elsewhere := at[1]
		elsewhere.Address = "127.0.0.1:0"
		last, to = rawHost(t, elsewhere, at[0], func(network.Stream) {})
	}
	eventually(t, "the oldest are closed", func() bool { return len(connections()) <= peerConnections && oldest.IsClosed() })
	require.GreaterOrEqual(t, a.drops(In, DropConnection), peerConnections)
	require.Contains(t, a.log.String(), "reason=too_many_connections")
	require.Contains(t, a.log.String(), at[1].ID)
	require.NoError(t, write(t, last, to, encode(t, carol.envelope(wire.KIND_READY, "alice", 1, nil))))
	eventually(t, "the last one is heard", func() bool { return len(a.sequences("carol")) == 1 })

	// This is how QUIC asks for a window of 3 MB, and of 6.
	const first3, next3 = 2304 << 10, 3 << 20
	for _, c := range connections() {
		require.NoError(t, c.Scope().ReserveMemory(first3, network.ReservationPriorityMedium))
		require.Error(t, c.Scope().ReserveMemory(next3, network.ReservationPriorityMedium))
		c.Scope().ReleaseMemory(first3)
	}
}
