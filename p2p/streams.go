package p2p

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"golang.org/x/time/rate"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// streamGuard is the host that a libp2p switch sees. The switch makes room for what a
// stream declares before it comes, waits for it without an end, and knows nobody to blame
// when it does not come: it has no peer yet, and asks no reactor. Of a stream that ends
// before it says what it is for, and of those of libp2p's own protocols, it does not hear.
// So the guard stands in front of all streams of a peer: it lets few be there at a time and
// fewer be read, ends those that take too long, and closes the connections of a peer that
// goes on with streams that bring no message.
type streamGuard struct {
	host.Host
	r *Reactor
	// peers are those of the list. It does not change.
	peers map[peer.ID]*streamPeer
}

// guardStreams returns the host with a guard in front. The host itself stays as it is,
// because it already listens, and uses itself; what its connections bring comes by the
// guard first.
func guardStreams(h *lp2p.Host, r *Reactor) (*lp2p.Host, error) {
	g := &streamGuard{Host: h.Host, r: r, peers: make(map[peer.ID]*streamPeer)}
	for id := range h.BootstrapPeers() {
		g.peers[id] = newStreamPeer(r.limits.streams)
	}
	handles, ok := h.Network().(interface{ StreamHandler() network.StreamHandler })
	if !ok {
		return nil, errors.New("libp2p does not say who handles its streams; this version of it cannot be used")
	}
	negotiate := handles.StreamHandler()
	h.Network().SetStreamHandler(func(s network.Stream) { g.open(s, negotiate) })
	h.Network().Notify(&network.NotifyBundle{ConnectedF: func(_ network.Network, c network.Conn) { g.connected(c) }})
	guarded := *h
	guarded.Host = g
	return &guarded, nil
}

// open has a stream say what it is for, and serves it, if there are not too many of its
// peer. Then it judges what came of it.
func (g *streamGuard) open(s network.Stream, negotiate network.StreamHandler) {
	p := g.peers[s.Conn().RemotePeer()]
	if p == nil { // in nobody's list, and about to be turned away
		_ = s.Reset()
		return
	}
	defer p.open.Add(-1)
	if int(p.open.Add(1)) > g.r.limits.streams.open {
		_ = s.Reset()
		g.charge(s, p, p.failures, DropQueueFull)
		return
	}
	w := &watchedStream{Stream: s, room: maxNegotiation}
	negotiate(w)
	switch {
	case w.late():
		g.r.metrics.Dropped(In, DropSlowStream)
	case w.broken():
		g.charge(s, p, p.failures, DropBrokenStream)
	case w.of != "" && w.of != lp2p.ProtocolID(ChannelID):
		g.charge(s, p, p.own, "")
	}
}

// SetStreamHandler implements the host. The switch has the channel's streams alone.
func (g *streamGuard) SetStreamHandler(id protocol.ID, handle network.StreamHandler) {
	g.Host.SetStreamHandler(id, func(s network.Stream) { g.serve(s, handle) })
}

// serve hands a stream to the switch when it has a place.
func (g *streamGuard) serve(s network.Stream, handle network.StreamHandler) {
	p := g.peers[s.Conn().RemotePeer()]
	if p == nil {
		_ = s.Reset()
		return
	}
	end := time.Now().Add(g.r.limits.streams.patience)
	if s.SetReadDeadline(end) != nil { // it is closed already
		_ = s.Reset()
		return
	}
	if !p.enter(end) {
		g.r.metrics.Dropped(In, DropSlowStream)
		_ = s.Reset()
		return
	}
	defer p.leave()
	handle(s)
}

// charge counts a stream that brought no message against its peer, and disconnects one
// that goes on.
func (g *streamGuard) charge(s network.Stream, p *streamPeer, allowed *rate.Limiter, why types.Reason) {
	if why != "" {
		g.r.metrics.Dropped(In, why)
	}
	if allowed.AllowN(g.r.opts.Now(), 1) {
		return
	}
	if !p.closing.CompareAndSwap(false, true) {
		return // its other streams are no better
	}
	defer p.closing.Store(false)
	id := s.Conn().RemotePeer()
	g.r.metrics.Dropped(In, FaultFlood)
	p.told.Do(func() {
		g.r.warn("peer opens streams that bring no message and is disconnected", "peer", id.String(), "reason", FaultFlood,
			"allowed_a_second", float64(allowed.Limit()), "allowed_at_once", allowed.Burst())
	})
	if err := g.Network().ClosePeer(id); err != nil {
		g.r.log.Debug("connections of a peer did not close in order", "peer", id.String(), "err", err)
	}
}

// streamPeer is what one peer may do with its streams and connections. A peer that comes
// back finds it as it left it.
type streamPeer struct {
	// open are the streams that somebody here has to do with.
	open atomic.Int64
	// reading has a place for each stream that is read at the same time.
	reading chan struct{}
	// failures is for broken streams, own for those of libp2p's own protocols.
	failures, own *rate.Limiter
	// closing: its connections are being closed. That takes a moment, and a goroutine for
	// each of them.
	closing atomic.Bool
	// told is for what the log says of its streams, crowded of its connections.
	told, crowded rate.Sometimes
}

func newStreamPeer(l streamLimit) *streamPeer {
	return &streamPeer{
		reading:  make(chan struct{}, l.atOnce),
		failures: rate.NewLimiter(rate.Limit(l.failures), l.failureBurst),
		own:      rate.NewLimiter(rate.Limit(l.own), l.ownBurst),
		told:     rate.Sometimes{First: 1, Interval: throttleLog},
		crowded:  rate.Sometimes{First: 1, Interval: throttleLog},
	}
}

// enter waits for a place, and reports false if there was none in time.
func (p *streamPeer) enter(end time.Time) bool {
	select {
	case p.reading <- struct{}{}:
		return true
	default:
	}
	timeout := time.NewTimer(time.Until(end))
	defer timeout.Stop()
	select {
	case p.reading <- struct{}{}:
		return true
	case <-timeout.C:
		return false
	}
}

func (p *streamPeer) leave() { <-p.reading }
