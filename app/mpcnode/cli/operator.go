package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cosmossdk.io/core/address"

	"github.com/cosmos/cosmos-sdk/client"
)

// operators turns operator addresses of the chain into text and back.
func operators(ctx client.Context) address.Codec {
	return ctx.InterfaceRegistry.SigningContext().ValidatorAddressCodec()
}

// checkOperator refuses what is no operator address of the chain.
func checkOperator(cmd *cobra.Command, text string) error {
	codec := operators(client.GetClientContextFromCmd(cmd))
	_, err := codec.StringToBytes(text)
	if err == nil {
		return nil
	}
	return fmt.Errorf("%q is no operator address of this chain (%s...): %w", text, prefixOf(codec), err)
}

// prefixOf is what the addresses of a codec begin with.
func prefixOf(codec address.Codec) string {
	text, err := codec.BytesToString(make([]byte, 20))
	if err != nil {
		return ""
	}
	// In bech32 the last 1 separates the prefix from the data.
	return text[:max(0, strings.LastIndex(text, "1"))]
}
