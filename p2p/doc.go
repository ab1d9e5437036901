// Package p2p moves the signed bytes of MPC between nodes: a CometBFT reactor
// on a channel of its own. It knows who is behind a connection and whose
// signature an envelope needs, and nothing about sessions.
//
// # Data flow
//
// Outbound: Send, Gossip and GossipTo put a message into the outbox of a peer
// and return. Each peer has one sending goroutine, which alone calls TrySend:
// first this node's hello if it is due, then control messages (everything but
// rounds), then rounds, and relays beside them for half of the bytes. It keeps
// below what the peer's budget for this node is. Short envelopes that wait for the same
// peer at the same time, whatever their sessions, leave in one Frame; nothing waits for
// one. True from Send means queued. What goes to several peers is encoded and signed once,
// and its bytes are shared by their outboxes. A Frame is put together of the bytes of its
// envelopes, once. CometBFT gets bytes and encodes nothing, however often its queue is full.
// A Relay is encoded once for all peers, and what comes in one once more before that, to be
// remembered by its hash: CometBFT hands over what is decoded.
// What finds a full queue is dropped and counted; the engine resends.
//
// Inbound: FilterMsgBytes judges length by kind and type on the raw bytes, and charges
// for those that decoding leaves out. Receive charges the delivering peer's budget, for
// each envelope of a Frame as if it had come alone, and queues the decoded message;
// it never blocks, because it runs on the goroutine that consensus receives
// with. Verify workers take one message from each peer in turn, and check
//
//  1. size and shape, chain id included,
//  2. that it is for this node or for everybody, and not from this node,
//  3. that the sender is registered with this identity version,
//  4. the signature,
//  5. the sender's budget, for what others than the sender deliver,
//
// and hand it to the Sink. Of results they check who signed them; a finished signature,
// which nobody signed, is verified by the Sink against the request that is open, on the
// worker's goroutine. Results are not forwarded: what goes on to other nodes, and when,
// is the engine's decision. Order is never assumed, peer ids
// are opaque strings, and all methods may run at once, so that the same reactor
// works on a switch that has a stream for each message and whose TrySend
// blocks.
//
// # Relay
//
// Send gives an envelope for an operator behind a peer to that peer. Else, and if that
// peer shows an identity that was replaced, it wraps it into a Relay for all peers, and
// they pass it on: to the recipient if that is a peer of theirs and shows its current
// identity, else to all of their peers but the one that it came from and the sender.
// The envelope stays as its sender signed and sealed it. Every node with the channel relays, with an identity or without; members take
// what is for them or for all. A Relay is judged like an envelope that is for
// this node, step 2 left out, and only then remembered and passed on:
//
//   - Only senders that the roster has are relayed, and only kinds and types
//     that this version knows.
//   - The hash of the whole envelope is remembered. The same again within
//     relayHold goes no further; the time doubles up to relayHoldMax.
//   - A Relay crosses MaxHops connections. The count is not signed, so a copy
//     that may go further than the one before passes once more: else whoever is
//     first with a copy of no hops would cut off all that are behind this node.
//   - Relays to one peer wait in flows, one for each sender and lane, that get
//     the same bytes each. What finds no place displaces the end of the longest.
//
// # libp2p
//
// LibP2P runs the reactor on a libp2p switch of its own (QUIC, a UDP port), made
// of CometBFT's package lp2p, whose switch in the node takes no reactors but
// CometBFT's own. What differs there:
//
//   - Each message has a stream, and several are received at once: there is no
//     order. Nothing here needs one.
//   - TrySend writes to the connection and may block, for ever if the peer does
//     not read. Only the peer's sending goroutine waits; Run closes all
//     connections before it stops the reactor.
//   - Messages may have 4 MiB; MaxMessageBytes is below that and refused above.
//   - There are no channel lists, no peer exchange and no rate limit of a
//     connection. Peers are those of a list, on both sides; others are turned away
//     before they open a stream. Budgets hold as on CometBFT.
//   - A peer that was away and is back may look as if it had never been gone.
//     Hellos are repeated after 2, 6, 14, 30, 62 s and then every minute, and one
//     that is known is answered with one's own, if that was not said within
//     helloAnswer. So both know each other some 6 s after one of them restarted.
//   - Hosts that are in nobody's list hold no places: with 40 of them connecting without
//     a pause, more than twice the guests that there is room for, and on the same two
//     cores, a node that was started again was back after 1 to 3 s
//     (go test -run TestComingBackInACrowdOnLibP2P -v ./p2p).
//   - CometBFT sets aside what a stream declares before it comes, and waits without an
//     end. So 16 streams of a peer are read at a time (streams.go), whatever the number
//     of its connections: 16 times MaxMessageBytes are 3.5 MB for each peer that does
//     not send what it declares; 63 such peers of 64 participants hold 220 MB, a third of
//     them 75 MB. Others of its streams wait for a place and are in QUIC's hands, which
//     takes 0.75 MB of a connection before somebody reads, and up to 3 MB if what came
//     before was read fast (connections.go; 15 MB if nobody minds). Peers that say what they
//     declare do not wait noticeably: their sending goroutine writes one message after the
//     other.
//   - libp2p lets a peer have 8 connections. Here it has 4, so QUIC holds 12 MB of it at
//     most where it could hold 120; the oldest is closed for a fifth (too_many_connections),
//     which nobody is blamed for: a peer that is started again and again leaves dead ones.
//   - Nobody hears of a stream that ends before it says what it is for, or that asks for
//     one protocol after the other that there is not. So the guard has all streams first.
//     512 of a peer may be open, a goroutine each; those beyond are refused (queue_full).
//     In 1 KB and 10 s a stream has to say what it is for. All that do not are held against
//     the peer as below, but for those that are only slow.
//   - Streams of libp2p's own protocols, of which an honest node opens some four with each
//     connection, may be 64 at once and one a second, of 16 KB each; after that it is as
//     with broken ones.
//   - A stream whose message is not there 30 s after it was opened is ended (slow_stream)
//     and held against nobody: at 7 KB/s the longest would be there.
//   - A stream that declares too much, or ends before all is there (broken_stream), costs
//     the switch a line in the log, and nothing else would count it. 32 at once and one a
//     second are borne, honest nodes open none; after that each closes the connections
//     of its peer, and the log says so once a minute (flood). It may come back, for a
//     handshake: of one IPv4 address libp2p takes 16 at once and then one in 5 s, but of
//     the machine itself as many as come.
//   - Who is disconnected for what it sent, a flood, faults or what is too long, is kept out
//     for 1 s, and twice as long each time after that, up to 5 min, until it was good for
//     10 min (cooldown.go). A connection that is lost keeps nobody out. A node looks for
//     those of its list that it has no connection with, one goroutine for each of them
//     (redial.go): the switch would leave one for each time that a peer was disconnected,
//     some 140 a second, for as long as nobody answers at the address in the list.
//   - What the switch writes to the log is 50 lines of each message, and then one in 5 s,
//     which says how many were left out (left_out).
//
// # Who is behind a connection
//
// A node with an identity sends a hello, again and again: operator, identity
// version and its own peer id, signed with the identity key. A hello counts if its peer id is that
// of the connection it came on (the switch has authenticated that one) and the
// roster has the key. One that the roster does not know yet waits for the next
// roster. An operator is behind the peer that claimed it by the highest version, and of
// these the last: whoever stole an identity that was replaced and not revoked has nothing that
// is sent to the operator once a peer shows its successor. While none does, the operator may
// be behind a sentry, which alone hears its hello: what is sent to it goes to the peer that
// shows the older one, which may be the operator's node before it has the new one, and is
// relayed besides; what others relay in its name is taken as if it were not connected. A node
// that does not know the successor yet goes by what it knows. A node without
// an identity sends none; results reach it and leave it all the same.
//
// # Whose fault
//
// A wrong shape, a wrong signature, a hello of another peer's id and a finished
// signature that is none of its request's key and digest (bad_result) are faults
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
// budget of a peer is 1000 messages and 4 MiB a second (four fifths of CometBFT's
// default rate of a whole connection) with bursts of 4000 messages and 16 MiB.
// Hellos, which make the engine resend, have one of 16 and then one a second. A
// peer that comes back finds its budgets as it left them, and its parts of what is
// delivered in others' names (below). Under another name it finds new ones, for a
// handshake each.
// A Ping and its Pong are some 300 bytes each and go out only when an operator asks; they
// are of no open request, so relays take them from that budget.
//
// What is short costs about 0.1 ms to judge, its signature above all
// (go test ./p2p -run '^$' -bench Judge): a peer can cause 0.1 s of work a
// second, and all of them together at most what the workers have.
//
// What is relayed has budgets beside that: what one peer delivers (1000 messages
// and 1 MiB a second, bursts of 4000 and 16 MiB, charged on arrival); what a
// sender's own connection delivers of its own (as much); what other peers deliver
// in its name, all of them (half of that, and half again for presignatures), and
// together 100 messages and 64 KiB while its own connection is there and shows its current
// identity, which brings it all; all charged after the signature was verified; and what belongs to no open
// request, of all senders (100 messages and 64 KiB a second): a new request is not
// known everywhere at once, and a replay of an old one stops there.
//
// What others deliver in a sender's name is theirs in equal parts: while more than half
// of the budget is there it is for whoever comes, below that each of those that
// delivered of it within partFor has a part of its own (parts.go), in which a long
// message finds room as often as a short one. So it is for envelopes, too, that come as
// they are from a peer that is not their sender's: Starts and Aborts, which members
// forward, and what somebody kept and says again. They are deduplicated together with the
// relays. While a connection shows the sender's current identity, nothing else of it passes as it is from
// others (not_forwarded), but from a peer that shows an identity of the same operator; what
// is relayed, as by a sentry, has the budget above. Presignatures have a budget of their own, in parts as well: those of a key are
// open as long as the key is.
//
// A keygen of n members relays n times 141 KB and n(n-1) times 42 KB: 1.1
// MB for four, 12 MB for sixteen; each signer of t+1 relays some 20 + 2t
// messages. The sending side keeps a tenth below these budgets, with bursts of
// three quarters, so that an honest relay drops nothing at its neighbours.
//
// A peer's inbound queue holds 512 messages and 2 MiB: half a second of its
// budget in messages, 15 of the biggest; 50 peers 100 MiB at worst. The outbox
// holds 1024 control messages or 1 MiB (one Prepare, Ready or Confirm is below
// 1 KiB, one Start up to 44 KB), 1024 rounds or 8 MiB (that of 30 keygens
// above), and 4096 relays or 4 MiB, some 4 s of what may leave. Envelopes for
// many peers are in memory once. The memory of relays is below 10 MB.
//
// # What relaying can cost
//
// A registered sender that floods: each connection of the network carries at
// most 1000 of its messages and 1 MiB a second each way after its burst, a
// fifth of CometBFT's default rate, and verifying them costs each node at most
// 0.1 s a second. Of other senders' relays it delays what waits with it: with k
// more senders waiting, it gets two flows of 2k+2, or four of 2k+4 where others bring
// its words beside its own connection.
//
// A peer that is nobody's can relay nothing of its own, only say again what
// registered senders signed: at most 500 messages and 512 KiB a second of one
// sender, half again for presignatures, 1000 and 1 MiB of all. An envelope of an open request passes a node
// MaxHops times at most within its hold, one of no open request comes out of
// 64 KiB a second. Where the sender is connected itself, as at its sentry, it takes
// nothing from what the sender says there, and what that node passes on in the
// sender's name stays within what the next one takes of it. At a node where the
// sender is not, k such peers leave the one that brings what is new one part of k+1, of
// 512 KiB a second and of bursts of 8 MiB, whether they say it as relays or as it was: two
// of them leave 170 KiB a second, a round of a keygen in a second
// (TestOldWordsDoNotStarveWhoIsHeardThroughOthers). So a participant that is heard through
// strangers only is the slower the more of them repeat it. A connection between the two
// participants, or between their sentries, is what helps.
//
// One Relay that is accepted at one node crosses each connection of the network
// once each way, and is judged once for each connection: by its hash alone after
// the first time.
//
// # Floods
//
// A peer that sends more than its budget is throttled to it: the rest is dropped,
// and the log says so once a minute (peer_budget). What is dropped has been
// decoded all the same, so a peer that goes on is stopped (flood): after 1000
// messages or 6.4 MiB beyond the budget if it is new, 10 000 or 64 MiB if it was
// there for long, less 100 messages and 400 KiB a second. Honest nodes pace what
// they send below the budget and do not get there. A peer that goes on with
// faults is stopped after MaxFaults of them, one that sends what is too long or
// cannot be decoded at once. What stays within the budget is judged by at most
// half of the processors, the peers in turn. Warnings in the log are one a second
// after 50.
//
// The command
//
//	go test -run TestFlood -v ./p2p
//
// measures what four connections cost that send without a pause and come back as
// soon as they are stopped, on two cores of which the senders take one. Without a
// flood, a vote takes 21 ms there and back on consensus's channel to an honest
// peer, an envelope 11 ms there. With one, whatever is sent, a vote took 21 to 27
// ms in the middle and up to 51 ms at the 95th percentile, an envelope 11 to 13
// ms and up to 53 ms. With a new name at each return, a vote took 28 ms and 60 ms,
// once 52 ms and 163 ms. All envelopes of the honest peer arrived. The node spent
// 0.3 to 0.8 of a core, most of it on handshakes, and up to 1.0 with new names.
// Its memory grew by less than 7 MB. The test fails where a vote or an envelope takes more
// than 300 ms in the middle, or 3 s at the 95th percentile, and where memory grows by 32 MB.
//
// On libp2p (the same command) the flooder is a peer of the list, with eight connections that
// are made anew as soon as they are closed, from another program on the same two cores. It
// sends what is sent above, one envelope again and again, garbage, what is too long for its
// kind, and streams that bring no message, in ten ways (TestFloodOfStreamsOnLibP2P). An
// envelope took 2.4 ms there without a flood, 2.6 ms at the 95th percentile; with one 2.2 to
// 2.8 ms in the middle, and 6 to 14 ms, and the node spent up to 0.95 of a core. With other
// work on the machine it was 3 to 8 ms, and up to 120 ms. The node had up to 1056 goroutines
// more, and its memory grew by less than 11 MB. Before the guard had all streams, those that
// were reset before they said what for made it 23 ms in the middle on such a machine, those
// that asked for other protocols without an end 30 ms. The tests fail as above, and where a
// flood adds 1536 goroutines.
//
// A registered participant is no worse (the same command): four connections that prove to be one's own and
// send, validly signed, envelopes, relays and results as fast as they take it, are
// stopped like others. A vote took 25 ms and 60 ms, an envelope 11 ms and 26 ms, memory
// grew by 1 MB, with other work on the machine; without a flood it was 21 ms and 22 ms.
//
//	go test -run TestNetwork -v ./app/e2e
//
// floods four validators with two such connections each while they make a key and
// two signatures, all on two cores. One of them says what a stranger signed, the other
// what a registered validator did, in seven kinds of envelopes, those that lead an attempt
// and start it among them. Blocks took 1.2 times as
// long as without work at the 95th percentile, and at most one round failed. While they sign,
// one of the four floods the other three besides, on connections that they know for its own,
// with words for those signatures, Prepares and Starts that are well made but out of turn
// among them: the three make them without it. The test
// fails above 3 times, where a block takes 8 s, and where more than one round of five fails.
//
// # Who owns what
//
// The switch starts and stops the Reactor. The Reactor owns its workers and the
// sending goroutines, and awaits them in OnStop. An envelope or result given to
// Send or Gossip, or handed to the Sink, is not changed by anybody any more.
package p2p
