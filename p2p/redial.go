package p2p

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// How soon this node looks for a listed peer that is not connected: after that it waits
// twice as long each time. One that is started again looks for this node besides.
const (
	redialFirst   = time.Second
	redialMost    = 5 * time.Minute
	redialTimeout = 3 * time.Second
)

// redialer connects again with listed peers of a libp2p switch: one goroutine for each of
// them, however often it comes and goes. The switch would start another one each time that a
// peer is removed, and each would go on until somebody answers at the peer's address. So for
// the switch no peer is persistent.
type redialer struct {
	host  *lp2p.Host
	peers *lp2p.PeerSet
	cool  *cooldown
	// opts have the reactor told.
	opts lp2p.PeerAddOptions
}

func newRedialer(host *lp2p.Host, sw *lp2p.Switch, r coolReactor) (*redialer, error) {
	peers, ok := sw.Peers().(*lp2p.PeerSet)
	if !ok {
		return nil, fmt.Errorf("libp2p switch has a %T of peers; this version of it cannot be used", sw.Peers())
	}
	return &redialer{host: host, peers: peers, cool: r.cooldown, opts: lp2p.PeerAddOptions{
		OnBeforeStart: func(p *lp2p.Peer) { r.InitPeer(p) },
		OnAfterStart:  func(p *lp2p.Peer) { r.AddPeer(p) },
		OnStartFailed: func(p *lp2p.Peer, reason any) { r.RemovePeer(p, reason) },
	}}, nil
}

// run looks for all listed peers until the context ends.
func (d *redialer) run(ctx context.Context) {
	var wait sync.WaitGroup
	for id, p := range d.host.BootstrapPeers() {
		if id != d.host.ID() {
			wait.Go(func() { d.keep(ctx, p.AddrInfo) })
		}
	}
	wait.Wait()
}

// keep looks for one peer.
func (d *redialer) keep(ctx context.Context, to peer.AddrInfo) {
	pause := redialFirst
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		switch {
		case d.there(to.ID):
			pause = redialFirst
		case !d.cool.holds(to.ID):
			if err := d.dial(ctx, to); err != nil {
				d.cool.r.log.Debug("peer is not reached", "peer", to.ID.String(), "err", err)
			}
			pause = min(2*pause, redialMost)
		}
		timer.Reset(pause)
	}
}

func (d *redialer) there(id peer.ID) bool {
	return d.host.Network().Connectedness(id) == network.Connected && d.peers.Get(cmtp2p.ID(id.String())) != nil
}

// dial connects, if nobody did meanwhile, and tells the reactor.
func (d *redialer) dial(ctx context.Context, to peer.AddrInfo) error {
	if err := d.host.Connect(network.WithDialPeerTimeout(ctx, redialTimeout), to); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if _, err := d.peers.Add(to, d.opts); err != nil && !errors.Is(err, lp2p.ErrPeerExists) {
		return fmt.Errorf("add the peer: %w", err)
	}
	return nil
}
