// Package settlement is x/settlement, the module of the sequencer chain that settles it on
// another one: validators propose batches, their common keys sign the transactions, relays
// send them and report what became of them. README.md is its specification; package keeper
// is its state machine, package relay is what runs beside a node, package types holds the
// values.
//
// It is also what to read before a module of one's own uses x/mpc.
package settlement
