package cli

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// PayloadBuilder makes payloads of one kind from what people write.
type PayloadBuilder struct {
	// Kind is the name of the kind, and of the command.
	Kind string
	// Command has arguments, help and flags, and runs nothing yet.
	Command *cobra.Command
	// Build makes the payload. What it refuses is said in words of what people wrote.
	Build func(cmd *cobra.Command, args []string) ([]byte, error)
}

// PayloadCommand is "payload", to be given to Command: it shows payloads of the kinds of a
// chain, and makes those that there are builders of. It panics if a builder is of no such
// kind: the program is wired wrongly then.
func PayloadCommand(kinds *types.PayloadKinds, builders ...PayloadBuilder) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "payload",
		Short: "Make what is to be signed, and show what it says",
		Long: `Makes payloads, and shows what one says as every participant reads it before it signs.
It asks nobody and reads no home: it works on any machine.

The commands are named as the kinds are (payload_kinds: sequencerd query mpc params).
Each writes the payload as 0x and hex, as sequencerd tx mpc sign-payload takes it. A
shell takes arguments of 128 KiB at most: let a longer one be written to a file
(--output-document FILE) and give @FILE. With --output json it comes with its digest and
all that it says.

The chain refuses payloads of more than its parameter max_payload_bytes.`,
		RunE: client.ValidateCmd,
		// The one of the root reads a home, and writes it where there is none.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(payloadShowCmd(kinds), digestCmd())
	for _, b := range builders {
		if !slices.Contains(kinds.Names(), b.Kind) {
			panic("mpc: this chain has no payloads of the kind " + b.Kind)
		}
		cmd.AddCommand(builderCmd(kinds, b))
	}
	return cmd
}

// builderCmd lets a builder say what it has made.
func builderCmd(kinds *types.PayloadKinds, b PayloadBuilder) *cobra.Command {
	cmd := b.Command
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		data, err := b.Build(cmd, args)
		if err != nil {
			return withReasonRemedy(err)
		}
		report, err := readPayload(kinds, types.Payload{Kind: b.Kind, Data: data})
		if err != nil {
			return withReasonRemedy(err)
		}
		path, err := cmd.Flags().GetString(flags.FlagOutputDocument)
		if err != nil {
			return err
		}
		if path != "" {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				return fmt.Errorf("write the payload: %w", err)
			}
			report.Payload = "@" + path
		}
		return show(cmd, madePayload{report})
	}
	addOutputFlag(cmd)
	cmd.Flags().String(flags.FlagOutputDocument, "", "write the bytes of the payload to this file, and its name as the payload")
	return cmd
}

// madePayload is a payload that nobody has to read again.
type madePayload struct{ *payloadReport }

func (m madePayload) text() string { return m.Payload + "\n" }

// withReasonRemedy adds what to do about an error that has a reason.
func withReasonRemedy(err error) error {
	if remedy := types.ReasonOf(err).Remedy(); remedy != "" {
		return fmt.Errorf("%w: %s", err, remedy)
	}
	return err
}

func digestCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "digest HEX",
		Short: "Check a digest that is to be signed as it is",
		Long: `Checks that 32 bytes in hex, with 0x or without, are a digest that a key can sign, and
writes them as sequencerd tx mpc sign takes them.

Only keys that were made with --allow-raw sign digests. Nobody can say what one is of, so
no policy allows it, and nothing keeps the key from signing another transaction of the
same nonce. Where there is a kind for what you have, make a payload of it.`,
		Example: "  sequencerd mpc payload digest 0x9c185769425f985f6e2e625f095067a174e7dcd4d0e53cdcba1d6f9734d39701",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			digest, err := hex.DecodeString(strings.TrimPrefix(args[0], "0x"))
			if err != nil {
				return withReasonRemedy(fmt.Errorf("%w: %q is no hex", types.ErrBadDigest, args[0]))
			}
			if err := types.ValidateDigest(digest); err != nil {
				return withReasonRemedy(err)
			}
			return show(cmd, digestReport{hex.EncodeToString(digest)})
		},
	}
	addOutputFlag(cmd)
	return cmd
}

// digestReport is a digest that a key can sign.
type digestReport struct {
	Digest string `json:"digest"`
}

func (r digestReport) text() string { return r.Digest + "\n" }
