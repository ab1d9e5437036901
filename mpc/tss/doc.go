// Package tss runs threshold ECDSA on secp256k1: key generation by all
// participants of a key, signing by t+1 of them. It is the only package that
// imports tss-lib (github.com/bnb-chain/tss-lib/v2 v2.0.2); outside it a share
// is a string of bytes.
//
// # Data flow
//
// Protocols makes a session.Protocol, that makes a session.Party. The session
// hands a party all messages of a round at once; the party
//
//  1. checks that they are complete: every peer's every message once,
//  2. decodes each body into the one struct that belongs to its type,
//  3. lets the guard judge each of them and the round as a whole,
//  4. gives them to the library, lets the guard look at what it accepted, and
//     collects the messages of the next round.
//
// Bodies on the wire are the protobuf of the library's messages without the
// Any around them: a peer cannot choose which type is decoded, and whether a
// message counts as a broadcast follows from its type.
//
// # Ownership
//
// A party works on its own decoded copy of share or pre-parameters: the library
// writes to what it is given. The copy is overwritten when the party ends or is
// closed, as far as Go allows; not after a panic in the library, whose goroutines
// may still read it. What the library keeps for itself during a session (nonces,
// polynomials) is out of reach.
//
// Shares are made once and readable for ever; their format has a version and a
// golden file. Shares and pre-parameters with published secrets (package
// testutil/fixtures) are marked insecure in their encoding and refused unless
// AllowInsecureFixtures is set.
//
// # Faults
//
// What a peer can be blamed for is a *session.Fault. A failure that some peer
// must have caused but nobody can say which has the reason
// types.ErrProtocolFault and no culprit: the sum of all theta is zero, old members
// differ about the session id, U does not
// equal T (the library blames its own party), the finished signature does not
// verify, the library panicked or made something else than it should after messages of
// peers. Where two peers have the same parameters the fault is among them: who is honest of
// them knows the other.
//
// # The guard
//
// The library believes more than it should. The guard judges each message
// before the library sees it, names the field and the rule, and its sender. A
// number on the wire has no sign; leading zeros may be there or not. q is the
// group order, N the sender's Paillier modulus, Ñ the auxiliary modulus of
// whoever verifies. Every bound is one that an honest number meets, but for
// probabilities of 1/q and less; the comments in guard_fac.go and guard_mta.go
// show it.
//
// The last column is what the library does without the rule:
//
//	dies      a goroutine of it panics, and the process ends
//	panics    Update panics, and the party is lost
//	works     without bound, on numbers as long as a peer likes
//	accepts   takes it for valid
//	misnames  names an honest party, itself or nobody
//	hangs     waits for ever
//	depth     refuses it too, or is not known to come to harm: the rule is
//	          defence in depth
//
// Tests make each attack on the bare library first (attack_*_test.go), those that
// kill in a process of their own, and then on the guard.
//
//	message  field                 rule                                   closes
//	all      body                  at most the longest honest encoding    works
//	all      body                  no unknown field, none missing         depth
//	all      broadcast flag        follows from the type                  hangs
//	kg1      commitment            at most 32 bytes                       depth
//	kg1      PaillierN             odd                                    dies (Jacobi symbol)
//	kg1      PaillierN             exactly 2048 bits, composite           depth
//	kg1      PaillierN             no factor below 2^21                   accepts
//	kg1      NTilde                odd, composite, exactly 2048 bits,     accepts
//	                               no factor below 2^21, not PaillierN
//	kg1      h1, h2                units above 1, different               depth
//	kg1      N, NTilde, h1, h2     not ours; no two peers' the same       misnames (proofs can be copied)
//	kg1      Dlnproof_1, _2        two lists of 128                       dies (slice by a negative length)
//	kg1      Dlnproof alpha        units above 1                          depth
//	kg1      Dlnproof T            1 < T < Ñ                              works
//	kg2m1    share                 1 to q-1                               dies (point at infinity)
//	kg2m1    FacProof              11 parts; P Q A B T units modulo Ñ     depth
//	kg2m1    FacProof Z1, Z2       below q^3 sqrt(N)                      depth
//	kg2m1    FacProof W1, W2       below 2 q^3 Ñ                          works
//	kg2m1    FacProof Sigma, V     below q N Ñ, below 2 q^3 N Ñ           works
//	kg2m2    DeCommitment          1+2(t+1) parts                         dies (index out of range) if fewer;
//	                                                                      accepts more (pull #291)
//	kg2m2    DeCommitment          coordinates below the field prime      accepts (many encodings of a point)
//	kg2m2    DeCommitment          points of the curve                    depth
//	kg2m2    ModProof              163 parts; X, Z units; A, B 81 bits    depth
//	kg2m2    ModProof W            a unit, Jacobi symbol -1               accepts (forged for N with many
//	                                                                      factors, pull #323)
//	kg3      PaillierProof         13 units modulo N                      depth
//	s1m1     C                     a unit modulo N^2                      dies (no inverse)
//	s1m1     RangeProofAlice       S != 1, Z != 1, S1 != S2               accepts (proof without randomness,
//	                                                                      pull #289)
//	s1m1     Z, W, U, S            units modulo Ñ, Ñ, N^2, N              depth
//	s1m1     S1                    q to q^3                               depth
//	s1m1     S2                    q to 2 q^3 Ñ                           works
//	s1m2     commitment            at most 32 bytes                       depth; also s5, s7
//	s2       C1, C2, V             units modulo our N^2                   depth
//	s2       Z, Z', T, W, S        units modulo Ñ, S modulo our N         depth
//	s2       S1 of ProofBobWc      not 0 modulo q                         dies (point at infinity)
//	s2       S1, T1                q to q^3, q to q^7                     depth
//	s2       S2, T2                q to 2 q^3 Ñ                           works
//	s2       U                     coordinates below the field prime      accepts
//	s2       C1, C2 decrypted      below q^6                              accepts (a negative beta: a signature
//	                                                                      or none tells bits of our nonce)
//	s3       theta                 1 to q-1                               depth
//	s3       all theta             sum is not 0                           panics (no inverse)
//	s4, s6   ProofT, VProofT,      1 to q-1                               panics (point at infinity)
//	         VProofU
//	s4, s6   points                coordinates below the field prime      accepts
//	s8       points                on the curve                           misnames; accepts other encodings
//	s9       s                     1 to q-1                               misnames
//	dg1      EcdsaPub              the key, from every old member         accepts (another key, chosen by
//	                                                                      the first old member alone)
//	dg1      Ssid                  1 to 32 bytes                          misnames; keeps and hashes any length
//	dg1      Ssid                  one for all, ours if we know it        misnames
//	dg1      VCommitment           at most 32 bytes                       depth
//	dg2m1    all                   as kg1 and kg2m2                       dies (also of N = 0), panics (NTilde
//	                                                                      above 2184 bits), accepts (forged N,
//	                                                                      any NTilde), works (T, NTilde),
//	                                                                      misnames
//	dg2m2,   body                  empty                                  works
//	dg4m2
//	dg3m1    share                 1 to q-1                               panics
//	dg3m2    VDecommitment         1+2(t'+1) parts, as kg2m2              accepts (other encodings)
//	dg3m2    its first point       what the sender's share adds to the    misnames
//	                               key
//	dg4m1    FacProof              as kg2m1                               works
//	dg*      sender                of the committee that sends this type  accepts
//
// What s2 hides is looked at after the library has verified its proofs and
// before anything leaves that came of it: the guard decrypts nothing that is not
// proved, so no peer can have a ciphertext of its choice, an older nonce for
// instance, tried against the bound. All other rules come first.
//
// No message costs more than 15 CPU seconds, whatever is in it, judged by the guard and verified
// by the library: FuzzMutatedMessage holds all of them to that. An honest dg2m1 costs most, about
// one second on a core of the README's figures; the rest is for slower machines.
//
// Shares and pre-parameters are judged whenever a party is made of them, not only
// when they are made: sizes and relations of all numbers, of pre-parameters
// primality too. CheckShare judges a share completely. This prints what each takes:
//
//	go test ./mpc/tss -run '^$' -bench Checks
//
// EdDSA has no sessions yet: its messages have no type on the wire and are
// refused by kind.
//
// Not closed here: big.Int works in variable time (CVE-2023-26556, -26557).
//
// # Logs
//
// The library logs through go-log, at level error unless the environment
// variable GOLOG_LOG_LEVEL says otherwise. It logs public keys and names of
// parties, no secrets, and at level error nothing that a peer can cause.
package tss
