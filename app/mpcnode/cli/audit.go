package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// flagContains names lines that were noted before.
const flagContains = "contains"

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

Lines that were cut off the end leave a chain that is whole: note number and hash of
the last line, which "sequencerd mpc status" and this command show, somewhere else, and
give them to --contains later. A last line without an end was being written when the node or the machine
stopped; the next start cuts it off and notes that. A log that does not begin with line 1
is whole if a line says that the node removed what was before (audit-files in app.toml).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			noted, err := cmd.Flags().GetStringSlice(flagContains)
			if err != nil {
				return err
			}
			r, err := audit.Verify(f.paths.Folder)
			if err != nil {
				return err
			}
			for _, line := range noted {
				if err := contains(f.paths.Folder, line, r); err != nil {
					return err
				}
			}
			return show(cmd, auditText{r})
		},
	}
	cmd.Flags().StringSlice(flagContains, nil, "NUMBER:HASH of a line that was noted before, and must be there; may be given again")
	addOutputFlag(cmd)
	return cmd
}

// contains is an error if a line that somebody noted is not in the log.
func contains(folder, line string, r audit.Report) error {
	number, hash, _ := strings.Cut(line, ":")
	n, err := strconv.ParseUint(number, 10, 64)
	if raw, bad := hex.DecodeString(hash); err != nil || bad != nil || len(raw) != sha256.Size {
		return fmt.Errorf("--%s: %q is no NUMBER:HASH of a line, as \"audit verify\" and \"status\" show them", flagContains, line)
	}
	found, err := audit.Compare(folder, n, strings.ToLower(hash))
	switch {
	case err != nil:
		return err
	case found.Found:
		return nil
	case found.Removed:
		return fmt.Errorf("--%s: the log begins at line %d: line %d was removed with the oldest file, and nothing can be said of it", flagContains, r.First, n)
	case n > r.Last:
		return fmt.Errorf("%w: line %d was there, and the log ends at line %d: lines were cut off its end", audit.ErrBroken, n, r.Last)
	}
	return fmt.Errorf("%w: line %d is not the one that was noted: the log was made anew from some line before it", audit.ErrBroken, n)
}

type auditText struct{ audit.Report }

func (r auditText) text() string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "lines\t%d to %d in %d files, all as they were written\n", r.First, r.Last, r.Files)
		if r.First > 1 {
			fmt.Fprintf(w, "\tolder ones were removed: audit-files in app.toml says how many files are kept\n")
		}
		fmt.Fprintf(w, "last line\t%d:%s (note it elsewhere, for --%s: only so lines cut off the end are noticed)\n", r.Last, r.Hash, flagContains)
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
