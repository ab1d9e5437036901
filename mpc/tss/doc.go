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
//  4. gives them to the library and collects the messages of the next round.
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
// types.ErrProtocolFault and no culprit: the sum of all theta is zero, U does
// not equal T (the library blames its own party), the finished signature does
// not verify, the library panicked.
//
// # The guard
//
// The library believes more than it should. What this package checks before
// the library sees a message:
//
//	message  field                 check                                  what it stops
//	all      body                  at most the longest honest encoding;   work without bound
//	                               no unknown, no missing field
//	kg1      commitment            at most 32 bytes
//	kg1      PaillierN, NTilde     odd, composite, exactly 2048 bits,     the process dies (Jacobi symbol of an even
//	                               no factor below 2^21                   number); keys that can be factored (pull #323)
//	kg1      h1, h2                units above 1, different               degenerate range proofs
//	kg1      Dlnproof_1, _2        lists of 128 and 128                   the process dies (slice by a negative length)
//	kg2m1    share                 1 to q-1                               the process dies (point at infinity)
//	kg2m1    FacProof              11 parts                               a proof left out
//	kg2m2    DeCommitment          1+2(t+1) parts, points of the curve    the process dies (index out of range), a
//	                                                                      polynomial of another degree (pull #291)
//	kg2m2    ModProof              163 parts; W, X, Z units; Jacobi       forged proof of a modulus with small factors
//	                               symbol of W is -1; A, B 81 bits        (pull #323)
//	kg3      PaillierProof         13 units
//	s1m1     C                     unit modulo the sender's N^2           the process dies (no inverse)
//	s1m1     RangeProofAlice       S != 1, Z != 1, S1 != S2               forged range proof (pull #289)
//	s1m2     commitment            at most 32 bytes
//	s2       C1, C2                units modulo our N^2
//	s2       ProofBob, ProofBobWc  S1 not 0 modulo q; U a point           the process dies (point at infinity)
//	s3       theta                 1 to q-1; the sum of all not 0         a panic that leaves a lock behind
//	s4, s6   ProofT, VProofT,      1 to q-1                               a panic that leaves a lock behind
//	         VProofU
//	s4, s6   ProofAlpha,           points of the curve, coordinates of    one point in many encodings
//	         VProofAlpha           at most 32 bytes
//	s4 s6 s8 DeCommitment          1 or 2 points behind 32 bytes          index out of range, points off the curve
//	s5, s7   commitment            at most 32 bytes
//	s9       s                     1 to q-1
//
// Not closed here: big.Int works in variable time (CVE-2023-26556, -26557).
//
// # Logs
//
// The library logs through go-log, at level error unless the environment
// variable GOLOG_LOG_LEVEL says otherwise. It logs public keys and names of
// parties, no secrets, and at level error nothing that a peer can cause.
package tss
