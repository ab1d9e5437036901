package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/sequencer-mpc/sequencer/storage/audit"
)

func auditCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", Short: "The log of each use of this node's key shares", RunE: client.ValidateCmd,
	}
	cmd.AddCommand(auditVerifyCmd())
	return cmd
}

func auditVerifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that no line of the audit log was changed or taken out",
		Long: `Reads the audit log in the MPC folder (audit.log and older files) and checks that
each line is as it was written and follows the one before. It fails at the first line
that does not, and names it. It needs no passphrase, and the node may run.

Lines that were cut off the end leave a chain that is whole: compare number and hash
of the last line with those that "sequencerd mpc status" or this command showed
before. A last line without an end was being written when the node or the machine
stopped; the next start cuts it off and notes that.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			r, err := audit.Verify(f.paths.Folder)
			if err != nil {
				return err
			}
			return show(cmd, auditText{r})
		},
	}
	addOutputFlag(cmd)
	return cmd
}

type auditText struct{ audit.Report }

func (r auditText) text() string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "lines\t%d to %d in %d files, all as they were written\n", r.First, r.Last, r.Files)
		if r.First > 1 {
			fmt.Fprintf(w, "\tolder ones were removed: the log is bounded\n")
		}
		fmt.Fprintf(w, "last hash\t%s (note it elsewhere: only so lines cut off the end are noticed)\n", r.Hash)
		fmt.Fprintf(w, "uses of shares\t%d began, %d ended\n", r.Begun, r.Ended)
		if len(r.Open) > 0 {
			fmt.Fprintf(w, "without an end\t%s (under way, or when the node was killed)\n", strings.Join(r.Open, ", "))
		}
		for _, note := range r.Notes {
			fmt.Fprintf(w, "note\t%s\n", note)
		}
		if r.TornBytes > 0 {
			fmt.Fprintf(w, "torn\t%d bytes of a last line without an end: the node writes it now, or stopped while it did; the next start cuts it off\n", r.TornBytes)
		}
	})
}
