// Package types holds the values that every room of the project speaks of:
// ids, requests, statuses and their transitions, typed reasons, the initiator
// rule, transcripts, envelopes and attestations with their sign bytes.
//
// It is a leaf: it imports nothing of the project but the generated wire
// messages, does no I/O and reads no clock. Everything that is signed or
// hashed goes through signBytes, an injective encoding of its own, so that no
// signature depends on how protobuf happens to lay out a message.
package types
