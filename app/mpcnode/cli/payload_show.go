package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func payloadShowCmd(kinds *types.PayloadKinds) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show KIND PAYLOAD",
		Short: "Show what a payload says, as participants read it",
		Long: `Decodes a payload as every validator and every participant does, and shows what would be
signed: the digest, what policies look at (chain, to, value, fee, calls), the place that
it takes on its chain, and what more there is to read in it. What participants would
refuse is refused here with the same reason, and the exit status is 1.

KIND and PAYLOAD are the last two arguments of sequencerd tx mpc sign-payload: 0x and hex,
@ and the path of a file with its bytes, or else the text itself.

Whether a key signs it depends on more, which the chain says: the policy of the key, and
what it signed in that place before (sequencerd query mpc params).`,
		Example: "  sequencerd mpc payload show ethereum-message 'hello'",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := mpc.ReadPayload(args[1])
			if err != nil {
				return err
			}
			report, err := readPayload(kinds, types.Payload{Kind: args[0], Data: data})
			if reason := types.ReasonOf(err); reason != "" {
				return errors.Join(show(cmd, refusedPayload{args[0], reason, err.Error(), reason.Remedy()}), withReasonRemedy(err))
			}
			if err != nil {
				return err
			}
			return show(cmd, report)
		},
	}
	addOutputFlag(cmd)
	return cmd
}

// refusedPayload is one that nobody would sign. People read the error.
type refusedPayload struct {
	Kind    string       `json:"kind"`
	Refused types.Reason `json:"refused"`
	Detail  string       `json:"detail"`
	Remedy  string       `json:"remedy"`
}

func (refusedPayload) text() string { return "" }

// payloadReport is what a payload says.
type payloadReport struct {
	Kind    string         `json:"kind"`
	Payload string         `json:"payload"`
	Bytes   int            `json:"bytes"`
	Digest  string         `json:"digest"`
	Claims  payloadClaims  `json:"claims"`
	Details []types.Detail `json:"details"`
}

// payloadClaims are types.Claims as they are written.
type payloadClaims struct {
	ChainID string   `json:"chain_id,omitempty"`
	To      string   `json:"to,omitempty"`
	Value   string   `json:"value,omitempty"`
	Fee     string   `json:"fee,omitempty"`
	Calls   []string `json:"calls,omitempty"`
	Place   string   `json:"place,omitempty"`
	Effect  string   `json:"effect,omitempty"`
}

// readPayload decodes a payload, or says why nobody would sign it.
func readPayload(kinds *types.PayloadKinds, p types.Payload) (*payloadReport, error) {
	decoded, err := kinds.Decode(p)
	switch {
	case errors.Is(err, types.ErrUnknownKind):
		return nil, fmt.Errorf("%w; this program knows %s", err, strings.Join(kinds.Names(), ", "))
	case err != nil:
		return nil, fmt.Errorf("no participant would sign it: %w", err)
	}
	details, err := kinds.Explain(p)
	if err != nil {
		return nil, err
	}
	claims := decoded.Claims()
	report := &payloadReport{
		Kind: p.Kind, Payload: fmt.Sprintf("0x%x", p.Data), Bytes: len(p.Data), Digest: "0x" + decoded.Digest().String(), Details: details,
		Claims: payloadClaims{ChainID: claims.ChainID, To: claims.To, Calls: claims.Calls, Place: claims.Place},
	}
	if claims.Value != nil {
		report.Claims.Value = claims.Value.String()
	}
	if claims.Fee != nil {
		report.Claims.Fee = claims.Fee.String()
	}
	if claims.Place != "" {
		report.Claims.Effect = "0x" + claims.Effect.String()
	}
	return report, nil
}

func (r *payloadReport) text() string {
	lines := []types.Detail{{Name: "kind", Value: fmt.Sprintf("%s, %d bytes", r.Kind, r.Bytes)}}
	add := func(name, value, more string) {
		if value != "" {
			lines = append(lines, types.Detail{Name: name, Value: oneLine(value) + more})
		}
	}
	if most := mpctypes.DefaultParams().MaxPayloadBytes; r.Bytes > int(most) {
		add("too large", fmt.Sprintf("on a chain that leaves max_payload_bytes at %d", most), "")
	}
	add("digest", r.Digest, "")
	add("chain", r.Claims.ChainID, "")
	add("to", r.Claims.To, "")
	add("value", r.Claims.Value, " of the smallest unit")
	add("fee", r.Claims.Fee, " of them at most")
	for _, call := range r.Claims.Calls {
		add("calls", call, "")
	}
	add("place", r.Claims.Place, ": a key signs one effect there, for ever")
	add("effect", r.Claims.Effect, "")
	out := detailTable(lines)
	if len(r.Details) > 0 {
		out += "\n" + detailTable(r.Details)
	}
	return out
}

// maxNameWidth is where values begin at the latest, however long some name is.
const maxNameWidth = 40

// detailTable writes names and values in two columns.
func detailTable(lines []types.Detail) string {
	width := 0
	for _, l := range lines {
		width = max(width, len(l.Name))
	}
	var out strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&out, "%-*s  %s\n", min(width, maxNameWidth), l.Name, oneLine(l.Value))
	}
	return out.String()
}

// oneLine quotes what would look like something else: another line, or text that nobody sees.
func oneLine(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(value)
	}
	return value
}
