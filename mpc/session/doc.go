// Package session is one run of a threshold protocol as a state machine:
// prepare, ready, start, rounds, confirm.
//
//	initiator  Prepare ──►           Start ──►          rounds: messages,
//	members             ◄── Ready                       Confirm, next round …
//
// It owns the rules of who may speak when: the signed transcript that gives a
// session its name (Context), sealing of point-to-point messages, first write
// wins, the echo of broadcasts (a round is handed to the party only when all
// members confirmed the same digest), resending until there is a sign of
// arrival, and the watchdog that names whom a stalled session waited for.
//
// What is not as it should be:
//
//	two messages of one sender for one place  proof (types.Evidence); the session ends
//	two Starts of one session                 members forward theirs; whoever gets both has proof
//	members confirm different broadcasts      each sends a Dispute, the signed headers that it
//	                                          received: they prove who sent two, or one member
//	                                          cannot show what it confirmed and is named
//	a Confirm differs from ours               forwarded to all: who went on to the next round had
//	                                          another one of the same member, and both are proof
//	a message or Confirm does not arrive      Missing, to all: who holds it forwards it; who made
//	                                          a sealed one sends it by way of everybody, so that
//	                                          all see whether it was withheld
//	Missing is not said to all                who heard it passes it on to whoever is to blame for
//	                                          it; whom it is sent by way of need not have heard it
//	Missing of what its sender confirmed      excuses nobody: the Confirm says that it is there
//	a member leaves early                     Abort, to all: nobody waits for it. Before the Start
//	                                          under the session's id, to who says Ready or sends
//	                                          the Start after that. Who hears it passes it on: it
//	                                          may have been said to that one alone. It names for
//	                                          whom it is, four at most, which proves nothing
//	silence                                   the watchdog names the member, or who withheld from
//	                                          it what it needs; what a member says besides, or
//	                                          ahead of the round, is no excuse
//	lateness                                  what is beyond Stall/2 of each wait is added up against
//	                                          who is to blame for it; who costs a session more than
//	                                          two stall times drew it out (patience.go). Who says that
//	                                          it computes is believed for as long as honest members
//	                                          of a quarter of this node's speed compute; after that
//	                                          it is done without and not accused: it may compute for
//	                                          sessions that this node does not know
//	lateness below that                       the engine hears of what is beyond a resend time of
//	                                          each wait, to pick others next time (lateness.go)
//
// A sign of arrival that one node gets proves nothing to the others. So sealed
// messages are kept for two rounds longer than they are resent, and shown to
// whoever hears that they are missing. Whoever was released keeps its Start (see
// Session.Start), for its engine to compare with one that is still forwarded.
//
// A protocol that can wait for what it is for (Parker) stops after a round, with the
// messages of the next one made and not sent. All say Parked then, and the session is
// quiet. Its initiator owns it: the Consume that names a request is a broadcast of the
// next round, so the chained digest that all confirm before a party gets that round
// covers it. A signer that came back, or is out of reach, is asked whether it still has its
// part, and only an answer to that very question counts. One that lost its part says so to
// the owner, which gives the presignature up and names it; who says anything of the next
// round before the Consume lies, as the owner knows, and is shown (see tickParked). An owner
// that says what it is for and no more stalls: it could not have said so without its part.
// DESIGN §8 has the digest in the headers of round 4 instead; as a broadcast it needs no
// field, is asked for and passed on like any other, and two of them are proof against the
// owner.
//
// The echo costs, for each round with a broadcast, one Confirm of below 512
// bytes from each of s signers to each other, s(s-1) of them, and one more way
// through the network before the next round begins. A keygen of tss-lib has
// three such rounds, a signature eight of nine: where a message is 50 ms on its way, a
// keygen takes 0.15 s longer by it and a signature 0.4 s. Its own messages are 110 bytes to
// 7 KB. TestEchoCost counts, and TestEchoLatency (go test ./testutil/sim -v -run
// TestEchoLatency) measures with whole engines.
//
// Work is done once: the body of a message is encoded, hashed and signed once, whatever the
// number of members that it goes to and of times that it is sent (sendRound), and a
// signature is checked once by each node, when what it is of arrives first (verify.go). What
// the same sender sends again is checked anew by the reactor, before anybody knows that it is
// the same.
//
// It owns no goroutine, clock or socket. The engine drives it on its loop
// through HandleEnvelope, HandleStep and Tick, and lends it a Host. Parties
// compute on the Host's executor, one step at a time.
//
// Whatever ends a session wipes what it holds in confidence: the share or the
// pre-parameters opened for it, what its party knows, opened messages, messages
// not sealed yet, a share that was made. A step owns the party and its secrets
// while it runs and gives them back to HandleStep; a step that waits is given up
// and never begins. Keys of X25519 and of sealing are in the hands of packages
// that let nobody overwrite them: they are let go of.
//
// What a message proves about its sender, and therefore when a resend stops:
//
//	Confirm r          has everything of round r that is for it
//	message of r+1     has everybody's Confirm of round r
//	Working r          computes on round r: both of the above
//	anything           has the Start
package session
