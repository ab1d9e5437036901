// Command demo shows a whole life of a threshold key on a real network: four
// validators as processes on this machine make a key, sign an Ethereum message
// and a transaction with it, lose a node and sign without it, get it back and sign with it, give the
// key to three of them, which sign as the same address while they get it and
// without the fourth afterwards, and destroy it. Nothing is simulated.
//
// Signatures are checked with go-ethereum's binding of libsecp256k1, which has
// nothing in common with the code that made them. Built without cgo, go-ethereum uses
// decred's implementation, as the chain does; the output says so.
//
// The last line is "demo: OK key=… address=… signature=… height=…" and the exit
// status 0; otherwise the last lines say what failed and where the logs are.
package main
