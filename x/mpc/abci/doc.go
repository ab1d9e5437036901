// Package abci carries results of the participants into blocks. It wraps what a
// chain already has for each ABCI phase; nothing of the chain's own handlers
// needs to change.
//
//	CheckTx          refuses transactions that look like a bundle
//	PrepareProposal  puts one bundle of results before the chain's transactions
//	ProcessProposal  judges that bundle by its bytes and the last committed state, and
//	                 the gas that the transactions ask for
//	PreBlocker       applies it, after the chain's own PreBlocker
//	TxRunner         answers it with a constant receipt
//
// A block without a bundle is valid, so any trouble of this node costs at most
// the bundle of its proposal. What a block carries was decided by two thirds of
// the validators, or came by block sync, where nobody runs ProcessProposal:
// the PreBlocker trusts nothing, verifies every entry again, skips what does not
// apply, and never fails a block by an error of its own.
//
// Results come from a ResultSource, which the node sets when its engine exists;
// before that, and on nodes without an engine, there are none. Handlers own no
// goroutine and no state beside that reference.
package abci
