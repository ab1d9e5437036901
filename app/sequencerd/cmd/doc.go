// Package cmd is the command line of sequencerd: the commands that an operator
// of a Cosmos SDK chain expects, the start command of package mpcnode, "sequencerd
// mpc ..." of package cli, and "sequencerd localnet".
package cmd
