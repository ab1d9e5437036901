// Package cli is what an operator types below "sequencerd mpc": identity, keys,
// sessions, what is wrong, backups, passphrase, database and audit log of a node. It knows no
// particular application. Whatever it needs of a chain it takes from the SDK's
// contexts, which the chain's root command sets before any command runs: the home, the
// [mpc] section of app.toml, the codec, and in the interface registry the codec of
// operator addresses. So a chain adds all of it in one line:
//
//	root.AddCommand(cli.Command())
//
// and with WithIdentity its own init command makes the identity too. What it has signed by
// hand is made and shown by PayloadCommand, which knows the chain's kinds of payloads.
//
// Commands that only read, or speak to a running node, do so through its socket
// (mpcnode.Client); those that need the database open it, which fails while a node has
// it. None can make a node sign.
//
// Texts are written for sequencerd and name types.Program when they are shown.
package cli
