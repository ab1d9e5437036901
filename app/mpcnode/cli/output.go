package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client/flags"
)

// shown is a report that people can read.
type shown interface{ text() string }

// addOutputFlag lets a command answer with JSON.
func addOutputFlag(cmd *cobra.Command) {
	cmd.Flags().StringP(flags.FlagOutput, "o", flags.OutputFormatText, "output format (text|json)")
}

// plain is a line fit for a terminal: of what others say, such as members of a session,
// nothing moves a cursor or turns the direction of writing.
func plain(line string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, line)
}

// show writes a report in the format that was asked for.
func show(cmd *cobra.Command, report shown) error {
	format, err := cmd.Flags().GetString(flags.FlagOutput)
	if err != nil {
		return err
	}
	switch format {
	case flags.OutputFormatText:
		lines := strings.Split(report.text(), "\n")
		for i, line := range lines {
			lines[i] = plain(line)
		}
		_, err = fmt.Fprint(cmd.OutOrStdout(), strings.Join(lines, "\n"))
		return err
	case flags.OutputFormatJSON:
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	return fmt.Errorf("output format %q is neither text nor json", format)
}
