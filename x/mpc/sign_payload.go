package mpc

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/version"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// GetTxCmd has the commands that AutoCLI cannot make; it adds all others to them.
func (AppModule) GetTxCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: types.ModuleName, Short: "Transactions commands for the " + types.ModuleName + " module",
		DisableFlagParsing: true, SuggestionsMinimumDistance: 2, RunE: client.ValidateCmd,
	}
	cmd.AddCommand(signPayloadCommand(), refreshCommand())
	cmd.AddCommand(proposalCommands()...)
	return cmd
}

// signPayloadCommand is `tx mpc sign-payload`. It is a command of its own beside `sign`,
// because both are of one message.
func signPayloadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sign-payload [signature-id] [key-id] [kind] [payload]",
		Short: "Ask for a signature over something that says what it is",
		Long: "Ask for a signature over a payload that every validator and every participant decodes before it is signed. " +
			"The kinds that the chain knows are in payload_kinds: " + version.AppName + " query mpc params. " +
			"The payload is 0x and hex, @ and the path of a file with its bytes, or else the text itself. " +
			"Where the program makes payloads and shows what they say, " + version.AppName + " mpc payload --help says how. " +
			"What becomes of it, as a signed transaction, is in finished: " + version.AppName + " query mpc signature.",
		Example: example("tx mpc sign-payload greeting-1 treasury ethereum-message 'hello' --from requester --gas auto --gas-adjustment 1.5"),
		Args:    cobra.ExactArgs(4),
		RunE: func(cmd *cobra.Command, args []string) error {
			clientCtx, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			data, err := ReadPayload(args[3])
			if err != nil {
				return err
			}
			msg := &types.MsgKeySign{
				Requester: clientCtx.GetFromAddress().String(), SignatureId: args[0], KeyId: args[1], Payload: types.KindPayload(args[2], data),
			}
			if err := msg.ValidateBasic(); err != nil {
				return err
			}
			cmd.SilenceUsage = true
			return tx.GenerateOrBroadcastTxCLI(clientCtx, cmd.Flags(), msg)
		},
	}
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

// ReadPayload reads what somebody gave as a payload: 0x and hex, @ and the path of a file
// with its bytes, or else the text itself.
func ReadPayload(arg string) ([]byte, error) {
	if path, isFile := strings.CutPrefix(arg, "@"); isFile {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the payload: %w", err)
		}
		return data, nil
	}
	if digits, isHex := strings.CutPrefix(arg, "0x"); isHex {
		data, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%q is no hex; a text that begins with 0x or @ goes into a file: %w", arg, err)
		}
		return data, nil
	}
	return []byte(arg), nil
}
