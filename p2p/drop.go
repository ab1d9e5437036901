package p2p

import "github.com/sequencer-mpc/sequencer/mpc/types"

// Why a message was dropped: the word in the log and the metric label. What
// drops an honest message is made good by the engine, which resends.
const (
	// Both directions.
	DropQueueFull types.Reason = "queue_full"
	DropOversize  types.Reason = "oversize"
	DropStopped   types.Reason = "stopped"

	// Outbound only.
	DropUnreachable types.Reason = "operator_unreachable"
	DropSendTimeout types.Reason = "send_timeout"

	// Inbound, nobody's fault: versions, rosters and roles differ.
	DropUnknownPeer    types.Reason = "unknown_peer"
	DropUnknownMessage types.Reason = "unknown_message"
	DropPeerBudget     types.Reason = "peer_budget"
	DropSenderBudget   types.Reason = "sender_budget"
	DropNoSink         types.Reason = "no_sink"
	DropNoIdentity     types.Reason = "no_identity"
	DropNotForUs       types.Reason = "not_for_us"
	DropUnknownSender  types.Reason = "unknown_sender"
	DropHelloWaits     types.Reason = "hello_waits_for_roster"
	DropHelloBudget    types.Reason = "hello_budget"
	DropRepeat         types.Reason = "gossip_repeat"
	DropRelayed        types.Reason = "relay_repeat"
	DropRelayBudget    types.Reason = "relay_budget"
	DropNotOpen        types.Reason = "request_not_open"

	// Inbound, the delivering peer's fault.
	FaultShape     types.Reason = "bad_shape"
	FaultSignature types.Reason = "bad_signature"
	FaultPeerID    types.Reason = "hello_of_other_peer"
	FaultResult                 = types.ErrBadResult
	FaultPanic                  = types.ErrPanic
	FaultFlood     types.Reason = "flood"
)
