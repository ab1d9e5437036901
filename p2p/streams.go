package p2p

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"golang.org/x/time/rate"
)

// streamGuard is the host that a libp2p switch sees. The switch makes room for what a
// stream declares before it comes, waits for it without an end, and knows nobody to blame
// when it does not come: it has no peer yet, and asks no reactor. So the guard hands over
// few streams of a peer at a time, ends those that take too long, and closes the
// connections of a peer that goes on with streams that bring no message.
type streamGuard struct {
	host.Host
	r *Reactor
	// peers are those of the list. It does not change.
	peers map[peer.ID]*streamPeer
}

// guardStreams returns the host with a guard in front. The host itself stays as it is,
// because it already listens, and uses itself.
func guardStreams(h *lp2p.Host, r *Reactor) *lp2p.Host {
	g := &streamGuard{Host: h.Host, r: r, peers: make(map[peer.ID]*streamPeer)}
	for id := range h.BootstrapPeers() {
		g.peers[id] = newStreamPeer(r.limits.streams)
	}
	guarded := *h
	guarded.Host = g
	return &guarded
}

// SetStreamHandler implements the host.
func (g *streamGuard) SetStreamHandler(id protocol.ID, handle network.StreamHandler) {
	g.Host.SetStreamHandler(id, func(s network.Stream) { g.serve(s, handle) })
}

// serve hands a stream to the switch when it has a place, and judges what came of it.
func (g *streamGuard) serve(s network.Stream, handle network.StreamHandler) {
	p := g.peers[s.Conn().RemotePeer()]
	if p == nil { // in nobody's list, and about to be turned away
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
	w := &watchedStream{Stream: s}
	handle(w)
	switch {
	case w.late():
		g.r.metrics.Dropped(In, DropSlowStream)
	case w.broken():
		g.r.metrics.Dropped(In, DropBrokenStream)
		g.charge(s.Conn().RemotePeer(), p)
	}
}

// charge counts a broken stream against its peer, and disconnects one that goes on.
func (g *streamGuard) charge(id peer.ID, p *streamPeer) {
	if p.failures.AllowN(g.r.opts.Now(), 1) {
		return
	}
	g.r.metrics.Dropped(In, FaultFlood)
	p.told.Do(func() {
		g.r.warn("peer opens streams that bring no message and is disconnected", "peer", id.String(), "reason", FaultFlood,
			"allowed_a_second", g.r.limits.streams.failures, "allowed_at_once", g.r.limits.streams.failureBurst)
	})
	if err := g.Network().ClosePeer(id); err != nil {
		g.r.log.Debug("connections of a peer did not close in order", "peer", id.String(), "err", err)
	}
}

// streamPeer is what one peer may do with its streams. A peer that comes back finds it as
// it left it.
type streamPeer struct {
	// reading has a place for each stream that is read at the same time.
	reading chan struct{}
	// failures is for broken streams.
	failures *rate.Limiter
	told     rate.Sometimes
}

func newStreamPeer(l streamLimit) *streamPeer {
	return &streamPeer{
		reading:  make(chan struct{}, l.atOnce),
		failures: rate.NewLimiter(rate.Limit(l.failures), l.failureBurst),
		told:     rate.Sometimes{First: 1, Interval: throttleLog},
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

// watchedStream remembers how reading it ended. The switch reads a stream on one
// goroutine, closes it after a message, and resets it if none came.
type watchedStream struct {
	network.Stream
	began, reset bool
	// err is what the last Read ended with.
	err error
}

// Read implements the stream.
func (s *watchedStream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	s.began, s.err = s.began || n > 0, err
	return n, err
}

// Reset implements the stream.
func (s *watchedStream) Reset() error {
	s.reset = true
	return s.Stream.Reset()
}

// late: the time was over before the message was there. A slow line does that too.
func (s *watchedStream) late() bool {
	return s.reset && errors.Is(s.err, os.ErrDeadlineExceeded)
}

// broken: the peer declared too much, or ended the stream before all was there. It is not
// to blame for what ends with its connection, or is ended by this node.
func (s *watchedStream) broken() bool {
	if !s.reset || s.Conn().IsClosed() {
		return false
	}
	if s.err == nil {
		return s.began // else nobody looked at it: the switch does not run yet
	}
	var byStream *network.StreamError
	return errors.Is(s.err, io.EOF) || (errors.As(s.err, &byStream) && byStream.Remote)
}
