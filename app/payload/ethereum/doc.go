// Package ethereum has the kinds of payloads that Ethereum's chains know: transactions
// (ethereum-tx), messages (ethereum-message, EIP-191) and typed data
// (ethereum-typed-data, EIP-712). An application that signs for such chains gives them to
// x/mpc when it is wired:
//
//	mpcKeeper.SetPayloadKinds(ethereum.Kinds()...)
//
// Decoding is strict. A transaction has one encoding: whatever go-ethereum would write in
// other bytes is refused. Of typed data the digest depends on everything that is there:
// what it would pass over is refused, and so is JSON that is not canonical (RFC 8785, see
// CanonicalTypedData). People make payloads with the commands of the package cli below it.
// This one needs go-ethereum, which nothing of x/mpc or the engine does, so that a chain
// which signs nothing for Ethereum does not carry it.
package ethereum
