// Package mpc is the engine: it turns committed requests into sessions, and
// sessions into results that a proposer carries back.
//
//	Chain.View ─► Core.Reconcile ─► sessions ─► Store (share durable, PENDING)
//	                   ▲               │                    │
//	committed block    │          Transport             attestation
//	                   │               │                    ▼
//	              Engine loop ◄── envelopes, steps      pool ─► Results ─► proposer
//
// Core is everything that the engine knows and decides, without a goroutine of
// its own: Core.Reconcile compares what is wanted (open requests of the view),
// what runs (sessions) and what is stored (records), on every block and after
// every restart alike. Engine gives it an event loop, workers for the
// cryptography and an inbox that never blocks. The simulator in testutil drives
// the same Core by hand.
//
// The package knows nothing of cosmos-sdk, cometbft, tss-lib or goleveldb: it
// declares Chain, Store, Transport, Executor and Observer, and can be embedded
// in any program that has them.
//
// What it promises:
//   - It signs only what a View holds as an open request.
//   - A share is durable before its attestation exists; it is kept until the
//     chain decided and no rollback can change that.
//   - What was made for a request is attested for that one alone, as this chain
//     committed it then: an attestation is signed over types.Request.Commitment, beside
//     what the design says, and one of another request under the same id is nothing here
//     (attest.go); a READY share of another public key than the chain has under
//     its id is kept and reported, whatever becomes of that id (records.go).
//   - A share of an epoch that the chain has not reached is kept and reported, unless the
//     reshare that staged it failed here: where the chain once switched to it that is another
//     one, whatever its id. What a failed one staged goes when its own time has come, whatever
//     is asked for since (reshare.go).
//   - A deletion is learnt from blocks alone. All nodes see one within a block, and destroy
//     nothing before a height that it fixes retire_blocks later: a hint of a peer could bring
//     neither forward, and would have to be checked against state anyway. So there is none,
//     and no word of a peer ever ends a share.
//   - Of a key that is DELETING nothing is destroyed, whatever ended before: nobody can say
//     then that its share is missing, and the deletion may be taken back (records.go).
//   - A request id is bound to its key and digest, durably, before this node says Ready:
//     all that a block brings in one write (open.go).
//   - An Auditor hears of each use of a share, and what it notes is durable before the
//     share is used: a worker waits for that, and not the loop (use.go).
//   - A loop that is busy hears nobody, so nobody is called silent for it: what came
//     meanwhile is heard before the clock ticks, and of the time itself little counts.
//   - A presignature (presign.go) is in memory only, made while no session of a request is
//     under way, and used once: for a request that its owner leads, after every signer
//     bound that request to its digest and confirmed that all were told the same. Where one
//     comes to nothing another may be used for the request, for the same digest, in the same
//     attempt or, if a signer was in another session of it, in the owner's next one. What
//     may have been memory that was put back is dropped before anything else
//     (presign_sleep.go). Whose use of others' work comes to nothing gets no more of it
//     (presign_waste.go).
//   - Pre-parameters are destroyed before the first round leaves.
//   - Who lies to it is named, and left out of its next signatures (faults.go,
//     shun.go). Accusations on chain leave nobody out when more than n-t-1 are accused. Whom
//     this node caught itself it does without all the same, unless those alone are more: it
//     need not believe anybody for that. Where they and those who kept an attempt from its end
//     are more together, only the latter are let in again. Where nobody can be named, everybody
//     who was there is doubted (doubt.go); where it is one of two and the other knows which,
//     that one is waited for (clash.go). What a request left no time to say is said with the
//     next one (charges.go). Who leaves a session for somebody names it, and both count the
//     same (depart.go). Proof is told until the chain has it, also after the request is decided
//     (evidence.go). Proof and accusations go to the chain, and outlive a restart; what only
//     this node saw is in memory.
//   - What this node will not sign, by what it is, it says on chain, for whoever asked
//     (refusal.go).
//   - Who refuses is guilty of nothing, but who goes on with it where nothing can be made
//     without it is accused in the end (refusals.go).
//   - What fails here for a reason of this node's own (own_failure) is nobody else's fault. To
//     the others this node left, for nobody.
//   - Who is late, or slow, is guilty of nothing: it is picked last (lateness.go).
//   - What ends a session early, the end of the engine included, wipes the secrets
//     that it holds: opened shares and pre-parameters, decrypted messages, parties.
//   - What a member may say costs the loop a bounded number of looks at committed state:
//     requests that it makes up are looked up a few times a block (outcome.go), keys are
//     beside the loop (judge.go). A Prepare has the height of its sender's last block: what
//     others say again of a member takes neither its looks at requests that are long over nor
//     the places where its Prepares wait for a block that this node does not have yet
//     (admit.go). In the inbox no participant, and no peer that tells results,
//     has more than is free (queue.go).
//   - Who leads an open request out of turn is refused, each time, and its Starts go nowhere.
//     With 2000 such words a second after 4000 at once, more than package p2p takes of
//     anybody, from one of four members to each of the others, a signature took 0.08 to 0.35 s
//     in the middle, where it took 4 ms, and at most 2.1 s, with other work on the machine:
//     what finds no room is said again after 2 s. Memory grew by less than 2 MB (go test -run
//     TestEngineUnderWords -v ./mpc; it fails above 10 s and 8 MB). Who says as much when it
//     is its turn to lead costs that attempt, as who is silent does.
//   - Finished signatures and proof are verified beside the loop (judge.go): who delivers
//     false ones is charged for them, and keeps nobody from the true one. Who repeats what
//     another one signed makes it pay no more (attest.go).
//   - A share that this node should have and has not is declared on chain (missing.go),
//     once for each epoch of its key: at once if a request wants it, otherwise when the
//     owner of the engine says that it seems to be missing, 16 of them at a time.
//   - When its owner asks (probe.go), it asks the other participants whether they are
//     there. What they answer, and what it remembers of sessions (history.go), is for
//     people: bounded, in memory, without secrets, and decides nothing.
//   - Whatever makes a part of the loop's work panic, a word, a step, the clock, a block,
//     ends the sessions that it was for, and the rest goes on (contain.go). Where committed
//     state cannot be read without a panic, the engine takes itself to be behind.
//   - Run ends only with its context, with a store that cannot write, or with a panic
//     that no end of a session makes good; its owner keeps the node running either way.
//
// # What blame cannot do
//
// Who leaves what needs everybody, for a lie that it cannot pin on anybody, looks to the
// others like one that refuses: its word alone excuses nobody, or a liar would use it. Three
// such attempts, over a quarter of an hour, and it is accused (aborted). So whoever could make
// honest members meet such a lie could have them accused. In a keygen nobody can: what
// mpc/tss refuses there has a name, or is among two that are named. In a reshare an old
// member can that tells a false session id: members that are old and new name it, those that
// are new only cannot. It is accused by the first, in each attempt, and what it gains is that
// the others are picked later for signatures, until their accusations are forgotten: of an
// accusation nobody is ever punished, and what needs everybody leaves nobody out.
package mpc
