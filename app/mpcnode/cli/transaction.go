package cli

import (
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// addTxFlags adds those of a transaction. Its gas is estimated, since what an operator
// registered before makes it cost more: the SDK's 200,000 are not enough after some
// hundred rotations.
func addTxFlags(cmd *cobra.Command) {
	flags.AddTxFlagsToCmd(cmd)
	setDefault(cmd, flags.FlagGas, flags.GasFlagAuto)
	setDefault(cmd, flags.FlagGasAdjustment, "1.5")
}

// setDefault is for a flag that nobody has given.
func setDefault(cmd *cobra.Command, name, value string) {
	f := cmd.Flags().Lookup(name)
	f.DefValue = value
	if err := f.Value.Set(value); err != nil {
		panic("the flag " + name + " has another form: " + err.Error()) // on every start of the program
	}
}

// send makes a transaction of a message, and sends it unless flags say otherwise. One that
// is not sent may be made where no node is, so its gas is the SDK's unless it is given.
func send(ctx client.Context, cmd *cobra.Command, message sdk.Msg) error {
	if (ctx.Offline || ctx.GenerateOnly) && !cmd.Flags().Changed(flags.FlagGas) {
		setDefault(cmd, flags.FlagGas, "")
	}
	return tx.GenerateOrBroadcastTxCLI(ctx, cmd.Flags(), message)
}
