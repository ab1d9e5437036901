// Package mpc is x/mpc, the module through which a chain asks its validators for
// threshold keys and signatures. README.md is its specification; package keeper
// is its state machine, package abci carries results into blocks, package types
// holds the values.
//
// The module asks and decides. What the validators do about it is the work of the
// engine in the same process, which reads this module's committed state and is
// woken by Notify.
package mpc
