package p2p

import "github.com/sequencer-mpc/sequencer/mpc/types"

// Why a message was dropped: the word in the log and the metric label. What
// drops an honest message is made good by the engine, which resends.
const (
	// Both directions.

	// DropQueueFull: no place for it in a queue.
	DropQueueFull types.Reason = "queue_full"
	// DropOversize: longer than such a message may be.
	DropOversize types.Reason = "oversize"
	// DropStopped: the node is stopping.
	DropStopped types.Reason = "stopped"

	// Outbound only.

	// DropUnreachable: no way to the participant, directly or by relay.
	DropUnreachable types.Reason = "operator_unreachable"
	// DropSendTimeout: the peer did not read.
	DropSendTimeout types.Reason = "send_timeout"

	// Inbound, nobody's fault: versions, rosters and roles differ.

	// DropUnknownPeer: the peer is gone.
	DropUnknownPeer types.Reason = "unknown_peer"
	// DropUnknownMessage: a kind that this version does not know.
	DropUnknownMessage types.Reason = "unknown_message"
	// DropPeerBudget: the peer sends more than its share.
	DropPeerBudget types.Reason = "peer_budget"
	// DropSenderBudget: more was relayed of a sender than its share.
	DropSenderBudget types.Reason = "sender_budget"
	// DropSlowStream: on libp2p, a message did not come within the time that a stream has.
	DropSlowStream types.Reason = "slow_stream"
	// DropConnection: on libp2p, a peer's oldest connection was closed, because it had more
	// than it may.
	DropConnection types.Reason = "too_many_connections"
	// DropNoSink: the engine does not run yet.
	DropNoSink types.Reason = "no_sink"
	// DropNoIdentity: this node has none, and the message is for members.
	DropNoIdentity types.Reason = "no_identity"
	// DropNotForUs: it is for another participant.
	DropNotForUs types.Reason = "not_for_us"
	// DropUnknownSender: the sender is not registered, or with another version.
	DropUnknownSender types.Reason = "unknown_sender"
	// DropHelloWaits: an identity that this node's state does not have yet.
	DropHelloWaits types.Reason = "hello_waits_for_roster"
	// DropHelloBudget: a peer introduces itself too often.
	DropHelloBudget types.Reason = "hello_budget"
	// DropRepeat: the same result again.
	DropRepeat types.Reason = "gossip_repeat"
	// DropRelayed: the same relayed message again.
	DropRelayed types.Reason = "relay_repeat"
	// DropNotForwarded: it comes from another peer than its sender's, which is there and says it
	// itself, and is nothing that members forward.
	DropNotForwarded types.Reason = "not_forwarded"
	// DropRelayBudget: more was relayed than the share of all relays, or of no open request.
	DropRelayBudget types.Reason = "relay_budget"
	// DropNotOpen: it is of no request that is open here.
	DropNotOpen types.Reason = "request_not_open"

	// Inbound, the delivering peer's fault.

	// DropBrokenStream: on libp2p, a stream was ended before its message was there or before
	// it said what it is for, or declared more than a message may have.
	DropBrokenStream types.Reason = "broken_stream"
	// FaultShape: it cannot be a message of this chain.
	FaultShape types.Reason = "bad_shape"
	// FaultSignature: its signature is wrong.
	FaultSignature types.Reason = "bad_signature"
	// FaultPeerID: a peer says another's hello.
	FaultPeerID types.Reason = "hello_of_other_peer"
	// FaultResult: it brings a result that does not prove itself.
	FaultResult = types.ErrBadResult
	// FaultPanic: it made this node's code panic.
	FaultPanic = types.ErrPanic
	// FaultFlood: the peer was disconnected for going on beyond its budget.
	FaultFlood types.Reason = "flood"
)
