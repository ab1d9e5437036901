package mpcnode

import (
	"log/slog"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// transport lets the engine speak through the reactor. Send, Gossip and
// SetRoster are the reactor's own.
type transport struct {
	*p2p.Reactor
	peerID string
	log    *slog.Logger
}

// SetSelf implements mpc.Transport.
func (t *transport) SetSelf(self mpc.Self) {
	if self.Operator == "" {
		t.ClearSelf()
		return
	}
	err := t.Reactor.SetSelf(p2p.Self{
		Operator: self.Operator, IdentityVersion: self.Version, PeerID: t.peerID, Key: self.Key,
	})
	if err != nil {
		t.log.Error("peers are not told who this node is", "operator", self.Operator, "err", err)
	}
}

// inbound is what the reactor's sink needs of the engine.
type inbound interface {
	Receive(types.Verified)
	ReceiveGossip(peer string, g *wire.Gossip) error
	Connected(types.Operator)
	Disconnected(types.Operator)
	Results() types.Results
}

// sink lets the reactor speak to the engine.
type sink struct {
	engine inbound
	// offer queues a result for one peer.
	offer func(peer string, g *wire.Gossip) bool
}

// Receive implements p2p.Sink.
func (s sink) Receive(v types.Verified) { s.engine.Receive(v) }

// ReceiveGossip implements p2p.Sink.
func (s sink) ReceiveGossip(peer string, g *wire.Gossip) error {
	return s.engine.ReceiveGossip(peer, g)
}

// Connected implements p2p.Sink.
func (s sink) Connected(op types.Operator) { s.engine.Connected(op) }

// Disconnected implements p2p.Sink.
func (s sink) Disconnected(op types.Operator) { s.engine.Disconnected(op) }

// PeerConnected implements p2p.Sink: a new peer is offered all results that wait
// for a proposer. What its queue cannot take reaches it with a later resend.
func (s sink) PeerConnected(peer string) {
	results := s.engine.Results()
	for i := range results.Attestations {
		s.offer(peer, &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: results.Attestations[i].ToWire()}})
	}
	for i := range results.Signatures {
		s.offer(peer, &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: results.Signatures[i].ToWire()}})
	}
	for i := range results.Evidence {
		s.offer(peer, &wire.Gossip{Sum: &wire.Gossip_Evidence{Evidence: results.Evidence[i].ToWire()}})
	}
	for i := range results.Accusations {
		s.offer(peer, &wire.Gossip{Sum: &wire.Gossip_Accusation{Accusation: results.Accusations[i].ToWire()}})
	}
}

// deaf is the sink of a node whose engine has stopped: it drops everything.
type deaf struct{}

// Receive implements p2p.Sink.
func (deaf) Receive(types.Verified) {}

// ReceiveGossip implements p2p.Sink.
func (deaf) ReceiveGossip(string, *wire.Gossip) error { return nil }

// Connected implements p2p.Sink.
func (deaf) Connected(types.Operator) {}

// Disconnected implements p2p.Sink.
func (deaf) Disconnected(types.Operator) {}

// PeerConnected implements p2p.Sink.
func (deaf) PeerConnected(string) {}
