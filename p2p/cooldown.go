package p2p

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

// cooldownLimit is how long a peer is kept out that this node disconnected for what it
// sent: first, and twice as long each time after that, up to most.
type cooldownLimit struct{ first, most time.Duration }

// cooldownForgiven is how long a peer must have been good for first to count again.
const cooldownForgiven = 10 * time.Minute

// cooldown keeps peers of a libp2p switch out for a while that this node disconnected for
// what they sent. Who is in the list may connect as often as it likes, and each time that it
// is let in costs a peer, its goroutine, a greeting and an end. Connections that are lost,
// or closed by the other side, do not count: a node that is started again is let in at once.
type cooldown struct {
	r *Reactor

	mu sync.Mutex
	// out are peers of the list that were disconnected.
	out map[peer.ID]outcast
}

// outcast is a peer that was disconnected.
type outcast struct {
	until time.Time
	pause time.Duration
}

func newCooldown(r *Reactor) *cooldown { return &cooldown{r: r, out: make(map[peer.ID]outcast)} }

// begin keeps a peer out from now on. What comes of it while it is out, from before it was,
// keeps it out no longer.
func (c *cooldown) begin(id peer.ID) {
	now, l := c.r.opts.Now(), c.r.limits.cooldown
	c.mu.Lock()
	last, known := c.out[id]
	pause := l.first
	switch {
	case now.Before(last.until):
		c.mu.Unlock()
		return
	case known && now.Sub(last.until) < cooldownForgiven:
		pause = min(2*last.pause, l.most)
	}
	c.out[id] = outcast{now.Add(pause), pause}
	c.mu.Unlock()
	c.r.warn("peer was disconnected for what it sent and is kept out for a while", "peer", id.String(), "seconds", pause.Seconds())
}

// holds says whether a peer is kept out.
func (c *cooldown) holds(id peer.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, known := c.out[id]
	return known && c.r.opts.Now().Before(out.until)
}

// guard returns a host, for a switch, that keeps peers out.
func (c *cooldown) guard(h *lp2p.Host) *lp2p.Host {
	h.Network().Notify(&network.NotifyBundle{ConnectedF: func(_ network.Network, conn network.Conn) {
		if c.holds(conn.RemotePeer()) {
			_ = conn.Close()
		}
	}})
	guarded := *h
	guarded.Host = &coolHost{h.Host, c}
	return &guarded
}

// coolHost hands over nothing of peers that are kept out, and opens nothing to them.
type coolHost struct {
	host.Host
	*cooldown
}

// SetStreamHandler implements the host.
func (h *coolHost) SetStreamHandler(id protocol.ID, handle network.StreamHandler) {
	h.Host.SetStreamHandler(id, func(s network.Stream) {
		if h.holds(s.Conn().RemotePeer()) { // its connection is being closed
			_ = s.Reset()
			return
		}
		handle(s)
	})
}

// NewStream implements the host. A stream that was already with the switch when its peer was
// disconnected makes that one a peer again; this error has the switch remove it.
func (h *coolHost) NewStream(ctx context.Context, id peer.ID, of ...protocol.ID) (network.Stream, error) {
	if h.holds(id) {
		return nil, fmt.Errorf("peer is kept out for what it sent: %w", swarm.ErrNoGoodAddresses)
	}
	return h.Host.NewStream(ctx, id, of...)
}

// coolReactor is the reactor as a libp2p switch has it: it notes whom this node disconnects.
type coolReactor struct {
	*Reactor
	*cooldown
}

var _ cmtp2p.MsgBytesFilter = coolReactor{}

// RemovePeer implements the reactor.
func (r coolReactor) RemovePeer(p cmtp2p.Peer, reason any) {
	if id, err := peer.Decode(string(p.ID())); err == nil && isVerdict(reason) {
		r.begin(id)
	}
	r.Reactor.RemovePeer(p, reason)
}

// isVerdict: a peer is removed for what it sent, and not because nobody is there.
func isVerdict(reason any) bool {
	err, ok := reason.(error)
	return ok && !errors.Is(err, swarm.ErrAllDialsFailed) && !errors.Is(err, swarm.ErrNoGoodAddresses)
}
