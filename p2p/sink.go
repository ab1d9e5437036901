package p2p

import (
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Sink takes what arrived. Methods are called from several goroutines at once,
// in any order, and must not block: a slow sink holds up the verify workers of
// all peers.
type Sink interface {
	// Receive takes an envelope of a registered participant, for this node or
	// for everybody. Session, round and order are the sink's business.
	Receive(types.Verified)
	// ReceiveGossip takes a result that a peer delivered and does not change it. What
	// somebody signed with an identity was checked against the roster; a finished signature
	// is checked in shape only, and the sink verifies it if it knows the request. An error
	// says that it is false: that is the fault of who delivered it.
	ReceiveGossip(peer string, g *wire.Gossip) error
	// PeerConnected names a new peer that has the channel, so that the pool of
	// results can be offered to it with GossipTo.
	PeerConnected(peer string)
	// Connected says that an operator is reachable now, or is behind
	// another connection than before: what is due to it can be sent again.
	Connected(types.Operator)
	// Disconnected says that an operator has no connection of its own any more. Others may
	// relay to it.
	Disconnected(types.Operator)
}
