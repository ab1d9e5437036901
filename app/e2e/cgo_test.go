//go:build cgo

package e2e

// builtWithCgo: go-ethereum verifies with libsecp256k1, not with the implementation that
// the nodes use.
const builtWithCgo = true
