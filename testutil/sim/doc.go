// Package sim runs a whole network of engines on one goroutine in virtual
// time. A seed decides every delay, drop and restart, so a failing run replays
// exactly.
//
//	World    the clock and its queue of events; the network between the nodes, which
//	         carries envelopes of sessions and gossip alike, as bytes
//	Node     an mpc.Core with a store that outlives it; crashes and restarts
//	Aim      picks messages by round, type and who sends them to whom, for a script to drop, or
//	         for one member to lie in
//	Lie      what a dishonest node makes of a message: lies in sessions, presignatures
//	         used for two requests, rumours in gossip and in the bundles that it proposes
//	words    what engines may never say, and who accused whom
//	Trace    everything that happened, to see that one seed is one run
//	Idler    a member without an engine that takes part and never delivers
//	Chain    what consensus committed, and when each node gets to see it; it can be
//	         rolled back, on all nodes or one, and begin again under another id
//	audited  a node's real audit log, of which a crash leaves what it leaves of a file
//	Moment   where a node may crash: at each write and each message
//
// Engines, sessions and wire messages are the real ones. Protocols are fakes
// (fakeproto) unless a test brings real ones with stored shares.
package sim
