package p2p

import (
	"context"
	"sync/atomic"

	cmtp2p "github.com/cometbft/cometbft/p2p"
)

// remoteKey is where a peer carries its *remote.
const remoteKey = "sequencer.mpc.remote"

// remote is what the reactor keeps of a peer. It hangs on the peer itself from
// InitPeer on, because messages may arrive before AddPeer, and a peer that
// fails to start is never removed.
type remote struct {
	peer cmtp2p.Peer
	id   string
	out  *outbox
	// allowed is what it may deliver.
	allowed *allowance
	faults  atomic.Int32
	// stopped: it floods, and the switch was told.
	stopped atomic.Bool

	// backlog is guarded by the inbox.
	backlog backlog

	// Guarded by Reactor.mu: stop ends the sending goroutine; gone says that
	// the peer was removed; hello is the one that counts of those verified; waiting is
	// one that comes after it, and that the roster does not know yet.
	stop           context.CancelFunc
	gone           bool
	hello, waiting *heldHello
}

// remoteOf finds what InitPeer put there. libp2p forgets it of a peer that was
// away for a minute and is back before the switch noticed.
func (r *Reactor) remoteOf(p cmtp2p.Peer) (*remote, bool) {
	if rem, ok := p.Get(remoteKey).(*remote); ok {
		return rem, true
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	rem, ok := r.peers[string(p.ID())]
	return rem, ok
}

// hasChannel says whether a peer takes part. A NodeInfo that says nothing
// about channels, as libp2p's, stands for a switch on which everybody does.
func hasChannel(p cmtp2p.Peer) bool {
	info, ok := p.NodeInfo().(cmtp2p.DefaultNodeInfo)
	return !ok || len(info.Channels) == 0 || info.HasChannel(ChannelID)
}
