package p2p

import (
	"errors"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// relay asks peers to pass an envelope on to an operator that is behind none of them.
func (r *Reactor) relay(peers []*remote, e *wire.Envelope, hash types.Hash) bool {
	if len(peers) == 0 {
		r.metrics.Dropped(Out, DropUnreachable)
		return false
	}
	if fresh, _ := r.passed.pass(hash, MaxHops, r.opts.Now()); !fresh {
		return true // it is on its way, to everybody: a broadcast is sent for each member
	}
	if !r.postRelay(peers, true, &wire.Relay{Envelope: e, Hops: MaxHops - 1}) {
		r.passed.forget(hash)
		return false
	}
	return true
}

// relaysTo lists the peers that may know the way to an operator, but for one that has the
// message already: none if it is not registered.
func (r *Reactor) relaysTo(to types.Operator, but *remote) []*remote {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, ok := r.roster.Current(to); !ok {
		return nil
	}
	peers := make([]*remote, 0, len(r.peers))
	for _, rem := range r.peers {
		if rem != but {
			peers = append(peers, rem)
		}
	}
	return peers
}

// judgeRelay checks an envelope on a detour, takes it if it is for this node,
// and passes it on if it is for others.
func (r *Reactor) judgeRelay(a arrival, m *wire.Relay, sink Sink) {
	if err := r.checkRelay(m); err != nil {
		r.fault(a.from, FaultShape, err)
		return
	}
	h := m.Envelope.Header
	if !r.sizes.known(h.Kind, h.Type) {
		r.dropIn(a.from, DropUnknownMessage, fmt.Errorf("kind %d, type %.32q", h.Kind, h.Type))
		return
	}
	if err := types.CheckEnvelope(m.Envelope, r.opts.ChainID); err != nil {
		r.fault(a.from, FaultShape, err)
		return
	}
	key, forUs, why := r.admitRelay(h)
	if why != "" {
		r.dropIn(a.from, why, nil)
		return
	}
	hash, err := hashOf(m.Envelope)
	if err != nil {
		r.fault(a.from, FaultShape, err)
		return
	}
	if !r.passed.wants(hash, m.Hops, r.opts.Now()) {
		r.dropIn(a.from, DropRelayed, nil)
		return
	}
	v, err := types.VerifyEnvelope(m.Envelope, r.opts.ChainID, key)
	if err != nil {
		r.fault(a.from, FaultSignature, err)
		return
	}
	if why := r.chargeRelay(a, v); why != "" {
		r.dropIn(a.from, why, nil)
		return
	}
	fresh, onward := r.passed.pass(hash, m.Hops, r.opts.Now())
	if onward {
		r.passOn(a.from, m)
	}
	switch {
	case fresh && forUs:
		sink.Receive(v)
	case !fresh && !onward:
		r.dropIn(a.from, DropRelayed, nil) // another worker was faster
	}
}

func (r *Reactor) checkRelay(m *wire.Relay) error {
	switch {
	case m.Envelope == nil:
		return errors.New("relay of nothing")
	case m.Hops >= MaxHops:
		return fmt.Errorf("relay with %d hops left, at most %d are allowed", m.Hops, MaxHops-1)
	}
	return r.sizes.checkEnvelope(m.Envelope)
}

// admitRelay returns the key that must have signed, and whether the envelope is
// for this node, alone or among others; or why it goes no further.
func (r *Reactor) admitRelay(h *wire.Header) (key []byte, forUs bool, why types.Reason) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if h.From == string(r.self) {
		return nil, false, DropNotForUs // it came back
	}
	key, ok := r.roster.Key(types.Operator(h.From), h.IdentityVersion)
	if !ok {
		return nil, false, DropUnknownSender
	}
	return key, r.self != "" && (h.To == "" || h.To == string(r.self)), ""
}

// chargeRelay takes a verified envelope from what its sender may have relayed.
// What belongs to no open request is old or very new: there is little of it, and
// all senders share a budget.
func (r *Reactor) chargeRelay(a arrival, v types.Verified) types.Reason {
	now := r.opts.Now()
	if !r.open(v.Request()) && !r.notOpen.charge(now, a.size) {
		return DropNotOpen
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var enough bool
	sender := r.senderOf(v.From())
	switch own, current := r.peerOf(v.From()); {
	case own == a.from:
		enough = sender.own.charge(now, a.size)
	case current:
		enough = sender.detour.charge(now, a.size)
	default:
		enough = r.chargeOthers(a, v)
	}
	if !enough {
		return DropSenderBudget
	}
	return ""
}

// passOn relays an envelope that came from a peer: to the recipient if it is a
// peer, else to all that may not have it.
func (r *Reactor) passOn(from *remote, m *wire.Relay) {
	if peers, own := r.onward(from, m.Envelope.Header); len(peers) > 0 {
		r.postRelay(peers, own, &wire.Relay{Envelope: m.Envelope, Hops: m.Hops - 1})
	}
}

// onward lists the peers that an envelope goes on to, and says whether the sender's own
// connection brought it. A recipient's peer has it alone only if it shows the current
// identity.
func (r *Reactor) onward(from *remote, h *wire.Header) (peers []*remote, own bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if h.To != "" && h.To == string(r.self) {
		return nil, false
	}
	sender := r.operators[types.Operator(h.From)]
	own = sender == from
	if direct, current := r.peerOf(types.Operator(h.To)); current {
		if direct == from {
			return nil, false
		}
		return []*remote{direct}, own
	}
	peers = make([]*remote, 0, len(r.peers))
	for _, rem := range r.peers {
		if rem != from && rem != sender {
			peers = append(peers, rem)
		}
	}
	return peers, own
}

// postRelay queues a relay for peers and says whether any of them took it. own: it
// comes first hand from its sender.
func (r *Reactor) postRelay(peers []*remote, own bool, m *wire.Relay) (queued bool) {
	f := flow{types.Operator(m.Envelope.Header.From), laneOf(m.Envelope), own}
	p, err := newParcel(m)
	if err != nil {
		r.log.Error("envelope is not passed on", "from", f.from, "err", err)
		return false
	}
	for _, rem := range peers {
		displaced, ok := rem.out.relay(f, p)
		dropped := displaced
		if ok {
			queued = true
			r.countOut(1 - displaced)
		} else {
			r.countOut(-displaced)
			dropped++
		}
		for range dropped {
			r.metrics.Dropped(Out, DropQueueFull)
		}
	}
	return queued
}
