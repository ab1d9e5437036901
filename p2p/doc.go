// Package p2p moves the signed bytes of MPC between nodes: a CometBFT reactor
// on a channel of its own. It knows who is behind a connection and whose
// signature an envelope needs, and nothing about sessions.
//
// # Data flow
//
// Outbound: Send, Gossip and GossipTo put a message into the outbox of a peer
// and return. Each peer has one sending goroutine, which alone calls TrySend:
// first this node's hello if it is due, then control messages (everything but
// rounds), then rounds. True from Send means queued. What finds a full queue
// is dropped and counted; the engine resends.
//
// Inbound: FilterMsgBytes judges length by kind and type on the raw bytes.
// Receive charges the delivering peer's budget and queues the decoded message;
// it never blocks, because it runs on the goroutine that consensus receives
// with. Verify workers take one message from each peer in turn, and check
//
//  1. size and shape, chain id included,
//  2. that it is for this node or for everybody, and not from this node,
//  3. that the sender is registered with this identity version,
//  4. the signature,
//  5. the sender's budget, for what others than the sender deliver,
//
// and hand it to the Sink. Nothing is forwarded: what goes on to other nodes,
// and when, is the engine's decision. Order is never assumed, peer ids are
// opaque strings, and all methods may run at once, so that the same reactor
// works on a switch that has a stream for each message and whose TrySend
// blocks.
//
// # Who is behind a connection
//
// A node with an identity sends a hello: operator, identity version and its own
// peer id, signed with the identity key. A hello counts if its peer id is that
// of the connection it came on (the switch has authenticated that one) and the
// roster has the key. One that the roster does not know yet waits for the next
// roster. An operator is behind the peer that claimed it last. A node without
// an identity sends none; results reach it and leave it all the same.
//
// # Whose fault
//
// A wrong shape, a wrong signature and a hello of another peer's id are faults
// of whoever delivered them: an honest node verifies before it sends. So is a
// message whose judging panics; the worker goes on with the next. MaxFaults
// of them on one connection stop the peer. A kind or type of message that this
// version does not know, an unknown identity version, an unknown operator are
// faults of nobody: versions and heights differ for a while. They are dropped
// and counted.
//
// # Budgets
//
// The heaviest honest peer leads or joins 30 signings at once: 9 rounds, a
// Confirm each and the five messages around them are some 25 to 30 messages a
// session to each member, below 900 in a burst, below 1800 with one resend of
// all. 30 keygens at once bring 30 times 134 KB + 42 KB + 7 KB, 5.5 MB. So the
// budget of a peer is 1000 messages and 5 MiB a second (CometBFT's default rate
// of a whole connection is 5.12 MB/s) with bursts of 4000 messages and 16 MiB.
// One signature costs about 0.1 ms to verify: a peer can cause 0.1 s of work a
// second, and all of them together at most what the workers have.
//
// A peer's inbound queue holds 512 messages and 2 MiB: half a second of its
// budget in messages, 15 of the biggest; 50 peers 100 MiB at worst. The outbox
// holds 1024 control messages or 1 MiB (one Prepare, Ready or Confirm is below
// 1 KiB, one Start up to 40 KB) and 1024 rounds or 8 MiB (that of 30 keygens
// above). Envelopes for many peers are in memory once.
//
// # Who owns what
//
// The switch starts and stops the Reactor. The Reactor owns its workers and the
// sending goroutines, and awaits them in OnStop. An envelope or result given to
// Send or Gossip, or handed to the Sink, is not changed by anybody any more.
package p2p
