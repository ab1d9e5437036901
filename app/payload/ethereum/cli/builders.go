package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	mpcnodecli "github.com/sequencer-mpc/sequencer/app/mpcnode/cli"
	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	"github.com/sequencer-mpc/sequencer/x/mpc"
)

// Builders make payloads of all kinds of package ethereum.
func Builders() []mpcnodecli.PayloadBuilder {
	return []mpcnodecli.PayloadBuilder{transactionBuilder(), messageBuilder(), typedDataBuilder()}
}

func messageBuilder() mpcnodecli.PayloadBuilder {
	return mpcnodecli.PayloadBuilder{
		Kind: ethereum.MessageKind,
		Command: &cobra.Command{
			Use:   ethereum.MessageKind + " MESSAGE",
			Short: "A message, as personal_sign signs it (EIP-191)",
			Long: `Takes a message: 0x and hex, @ and the path of a file, of which all bytes are signed, the
newline at its end too, or else the text itself.`,
			Example: "  sequencerd mpc payload ethereum-message 'hello' --output json",
			Args:    cobra.ExactArgs(1),
		},
		Build: func(_ *cobra.Command, args []string) ([]byte, error) { return mpc.ReadPayload(args[0]) },
	}
}

func typedDataBuilder() mpcnodecli.PayloadBuilder {
	return mpcnodecli.PayloadBuilder{
		Kind: ethereum.TypedDataKind,
		Command: &cobra.Command{
			Use:   ethereum.TypedDataKind + " FILE",
			Short: "Typed data, as eth_signTypedData_v4 signs it (EIP-712)",
			Long: `Takes a file, or - for standard input, with JSON of types, primaryType, domain and message
as wallets take it, and writes it in the one form that is signed (RFC 8785): names in
order, no white space.

The types have EIP712Domain with the fields of the domain; where they do not, as ethers.js
takes them, it is added. What a wallet would pass over is refused: fields that are in no
type, types that nobody uses, names that are short for others (uint), numbers in hex.`,
			Example: "  sequencerd mpc payload ethereum-typed-data mail.json --output-document mail.payload",
			Args:    cobra.ExactArgs(1),
		},
		Build: func(cmd *cobra.Command, args []string) ([]byte, error) {
			data, err := readInput(cmd, args[0])
			if err != nil {
				return nil, err
			}
			return ethereum.CanonicalTypedData(data)
		},
	}
}

// readInput reads a file, or standard input for -.
func readInput(cmd *cobra.Command, path string) (data []byte, err error) {
	if path == "-" {
		data, err = io.ReadAll(cmd.InOrStdin())
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read what is to be signed: %w", err)
	}
	return data, nil
}
