// Package vaultfiles makes identities and databases whose passphrase costs nothing to
// try, for tests that open them many times. Files keep what they cost: whoever opens or
// changes them pays as little.
package vaultfiles
