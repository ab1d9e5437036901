// Package types holds the on-chain values of x/mpc and the rules on them: the
// generated messages, what makes parameters, messages, keys, signatures and a
// genesis state valid, which status may follow which, the one accepted encoding
// of a bundle, and the registered errors, one for each typed reason.
//
// Everything here is pure: no store, no clock, no configuration of the process.
// The keeper loads, calls these rules, and stores.
package types
