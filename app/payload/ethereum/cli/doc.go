// Package cli makes payloads for Ethereum's chains from what people write: builders for
// "sequencerd mpc payload", which a chain that signs for Ethereum gives to the command line
// of package app/mpcnode/cli:
//
//	cli.Command(cli.PayloadCommand(kinds, ethereumcli.Builders()...))
//
// A builder asks no node: what a wallet would find out by itself (nonce, gas, fees) has to be
// said, and what is left out is named in the error. Nothing is guessed that costs money.
package cli
