//go:build !cgo

package e2e

const builtWithCgo = false
