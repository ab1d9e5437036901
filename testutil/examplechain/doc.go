// Command exampled runs a node of a chain that is not ours: a Go module of its own,
// with the module checkpoint, proposal handlers and commands that it had before, into
// which x/mpc and app/mpcnode were imported as the README says. What that took is the
// README's section "Import it into your chain", line by line; a test holds the two
// together, and another runs three nodes.
//
// Package checkpoint is the module that asks for a key and for signatures, package app
// the application.
package main
