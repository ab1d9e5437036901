package p2p

import (
	"context"
	"time"

	cmtp2p "github.com/cometbft/cometbft/p2p"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Send queues an envelope for an operator: for its node if that is a peer, else
// for all peers to relay, and both if what the peer shows is an identity that was
// replaced. True means queued, not delivered; false that the
// operator is not reachable, queues are full, or the envelope is one that
// receivers refuse for its size. Nobody changes the envelope afterwards.
func (r *Reactor) Send(to types.Operator, e *wire.Envelope) bool {
	if err := r.sizes.checkEnvelope(e); err != nil {
		r.metrics.Dropped(Out, DropOversize)
		r.log.Error("envelope is not sent: receivers refuse it", "to", to, "err", err)
		return false
	}
	p, err := r.envelopes.parcel(e)
	if err != nil {
		r.log.Error("envelope is not sent", "to", to, "err", err)
		return false
	}
	r.mu.RLock()
	rem, current := r.peerOf(to)
	r.mu.RUnlock()
	if rem == nil {
		return r.relay(r.relaysTo(to, nil), e, p.hash())
	}
	queued := r.post(rem, laneOf(e), p)
	if current {
		return queued
	}
	if e.Header.To == "" {
		rem = nil // others are meant, too, and it may be their only way
	}
	others := r.relaysTo(to, rem)
	return len(others) > 0 && r.relay(others, e, p.hash()) || queued
}

// Gossip queues a result for every peer that has the channel.
func (r *Reactor) Gossip(g *wire.Gossip) {
	p, ok := r.gossipParcel(g)
	if !ok {
		return
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, rem := range r.peers {
		r.post(rem, control, p)
	}
}

// GossipTo queues a result for one peer; false means that it is gone, or its
// queue is full.
func (r *Reactor) GossipTo(peer string, g *wire.Gossip) bool {
	p, ok := r.gossipParcel(g)
	if !ok {
		return false
	}
	r.mu.RLock()
	rem := r.peers[peer]
	r.mu.RUnlock()
	if rem == nil {
		r.metrics.Dropped(Out, DropUnknownPeer)
		return false
	}
	return r.post(rem, control, p)
}

func (r *Reactor) gossipParcel(g *wire.Gossip) (parcel, bool) {
	p, err := newParcel(g)
	if err != nil {
		r.log.Error("result is not gossiped", "err", err)
		return parcel{}, false
	}
	if p.size > MaxGossipBytes {
		r.metrics.Dropped(Out, DropOversize)
		r.log.Error("result is not gossiped: receivers refuse its size", "bytes", p.size, "allowed", MaxGossipBytes)
		return parcel{}, false
	}
	return p, true
}

// post puts a parcel into a peer's outbox.
func (r *Reactor) post(rem *remote, l lane, p parcel) bool {
	if !rem.out.put(l, p) {
		r.metrics.Dropped(Out, DropQueueFull)
		return false
	}
	r.countOut(1)
	return true
}

// sendTo is the sending goroutine of a peer. It alone calls TrySend, which may
// block on some switches.
func (r *Reactor) sendTo(ctx context.Context, rem *remote) {
	pause := helloFirst
	repeat := time.NewTimer(pause)
	defer repeat.Stop()
	for ctx.Err() == nil {
		if rem.out.takeHello(r.opts.Now()) {
			r.sendHello(ctx, rem)
			continue
		}
		p, wait, ok := rem.out.take(r.opts.Now())
		if !ok {
			var due <-chan time.Time
			if wait > 0 {
				due = time.After(wait)
			}
			select {
			case <-due:
			case <-rem.out.wake:
			case <-repeat.C:
				rem.out.announce()
				pause = min(2*pause, helloRepeat)
				repeat.Reset(pause)
			case <-ctx.Done():
			}
			continue
		}
		parcels := append([]parcel{p}, rem.out.company(p, r.opts.Now())...)
		r.countOut(-len(parcels))
		r.hand(ctx, rem, parcels...)
	}
}

// sendHello sends the hello of now, and makes it due again if the switch does
// not take it.
func (r *Reactor) sendHello(ctx context.Context, rem *remote) {
	r.mu.RLock()
	hello := r.hello
	r.mu.RUnlock()
	if hello == nil {
		return
	}
	p, err := newParcel(hello)
	if err != nil {
		r.log.Error("hello is not sent", "peer", rem.id, "err", err)
		return
	}
	if !r.hand(ctx, rem, p) {
		rem.out.announce()
	}
}

// hand gives parcels to the switch, several in a frame, patiently: its queue is short.
func (r *Reactor) hand(ctx context.Context, rem *remote, parcels ...parcel) bool {
	msg := pack(parcels)
	patience, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	for {
		if rem.peer.TrySend(cmtp2p.Envelope{ChannelID: ChannelID, Message: msg}) {
			for _, p := range parcels {
				r.metrics.Bytes(Out, p.kind, p.size)
			}
			return true
		}
		select {
		case <-patience.Done():
			if ctx.Err() == nil {
				for _, p := range parcels {
					r.metrics.Dropped(Out, DropSendTimeout)
					r.log.Debug("peer takes no messages", "peer", rem.id, "kind", p.kind)
				}
			}
			return false
		case <-time.After(sendRetry):
		}
	}
}
