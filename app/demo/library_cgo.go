//go:build cgo

package main

// library recovers addresses inside go-ethereum: another implementation than the one
// that signs.
const library = "libsecp256k1"
