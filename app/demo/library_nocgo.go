//go:build !cgo

package main

// library recovers addresses inside go-ethereum.
const library = "decred's secp256k1, which the chain uses too (this demo was built without cgo),"
