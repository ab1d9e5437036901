package p2p

import (
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
)

// windowBytes bounds what QUIC makes of the 0.75 MB of a connection that it takes before
// somebody reads: it doubles that for who sends fast over a long way. Of this much it gets
// 60 %, as what can be done without: enough for 3 MB, not for 6. Over 300 ms there and back
// these are 10 MB/s, more than twice what a peer may send.
const windowBytes = 4 << 20

// connected has a connection of a peer that is in nobody's list closed, and bounds those of
// one that is: how many there are, and what QUIC holds of each. The oldest give way: those
// of a peer that was started again are dead, which this node may not know yet.
func (g *streamGuard) connected(c network.Conn) {
	id := c.RemotePeer()
	p := g.peers[id]
	if p == nil {
		_ = c.Close()
		return
	}
	if scope, ok := c.Scope().(rcmgr.ResourceScopeLimiter); ok {
		scope.SetLimit(&rcmgr.BaseLimit{Conns: 1, ConnsInbound: 1, ConnsOutbound: 1, FD: 1, Memory: windowBytes})
	}
	open := g.Network().ConnsToPeer(id)
	for _, old := range open[:max(0, len(open)-g.r.limits.streams.connections)] {
		g.r.metrics.Dropped(In, DropConnection)
		p.crowded.Do(func() {
			g.r.warn("peer has more connections than it may; the oldest is closed", "peer", id.String(), "reason", DropConnection,
				"allowed", g.r.limits.streams.connections)
		})
		_ = old.Close()
	}
}
