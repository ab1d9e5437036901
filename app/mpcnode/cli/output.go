package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client/flags"
)

// shown is a report that people can read.
type shown interface{ text() string }

// addOutputFlag lets a command answer with JSON.
func addOutputFlag(cmd *cobra.Command) {
	cmd.Flags().StringP(flags.FlagOutput, "o", flags.OutputFormatText, "output format (text|json)")
}

// show writes a report in the format that was asked for.
func show(cmd *cobra.Command, report shown) error {
	format, err := cmd.Flags().GetString(flags.FlagOutput)
	if err != nil {
		return err
	}
	switch format {
	case flags.OutputFormatText:
		_, err = fmt.Fprint(cmd.OutOrStdout(), report.text())
		return err
	case flags.OutputFormatJSON:
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	return fmt.Errorf("output format %q is neither text nor json", format)
}
