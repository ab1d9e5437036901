// Package fakeproto stands in for mpc/tss where a test is about sessions and
// engines and not about cryptography. It has the same shapes of rounds
// (broadcast, point to point, both at once), checks every message that it is
// handed, and its signatures are real ECDSA ones, because every node and the
// chain verify signatures. It is insecure by construction: each share is the
// whole private key.
package fakeproto
