// Package cmd is the command line of sequencerd: the commands that an operator
// of a Cosmos SDK chain expects, the start command of package mpcnode, and
// "sequencerd mpc ..." for identity, keys and sessions of a node.
package cmd
