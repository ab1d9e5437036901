package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// Where the answer of "mpc keys" came from.
const (
	fromNode     = "the running node"
	fromDatabase = "the database (no node runs)"
)

func statusCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Short: "Show what the MPC engine of the running node is doing", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			s, err := mpcnode.NewClient(f.paths.Socket).Status(cmd.Context())
			if err != nil {
				return withRemedy(err, mpcnode.ErrNotRunning, "start it with: sequencerd start")
			}
			return show(cmd, statusText{s})
		},
	}
	addOutputFlag(cmd)
	return cmd
}

func sessionsCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sessions", Short: "Show the sessions of the running node, and whom they wait for", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			s, err := mpcnode.NewClient(f.paths.Socket).Sessions(cmd.Context())
			if err != nil {
				return withRemedy(err, mpcnode.ErrNotRunning, "start it with: sequencerd start")
			}
			return show(cmd, sessionsText{s})
		},
	}
	addOutputFlag(cmd)
	return cmd
}

func keysCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Show the key shares of this node",
		Long: `Shows the records of this node: key, epoch, session, status and the address that
the key has on Ethereum. While the node runs it is asked; it also says which keys
the chain does not know (their records are kept), which shares are kept though the
chain has no use for them, as those of an epoch that it has not reached, and of which
keys this node should have a share and has none, or one of an earlier epoch. Otherwise
the database is opened, which takes the passphrase. What the chain says of a key: sequencerd query
mpc key ID.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			report, err := mpcnode.NewClient(f.paths.Socket).Keys(cmd.Context())
			source := fromNode
			if errors.Is(err, mpcnode.ErrNotRunning) {
				source = fromDatabase
				report, err = readKeys(f)
			}
			if err != nil {
				return err
			}
			return show(cmd, keysText{source, report})
		},
	}
	addOutputFlag(cmd)
	addPassphraseFlag(cmd, forThisCommand)
	return cmd
}

// readKeys opens the database of a node that does not run.
func readKeys(f nodeFiles) (report mpcnode.KeysReport, err error) {
	there, err := storage.Exists(f.paths.Database)
	if err != nil {
		return report, err
	}
	if !there {
		if err := f.needWhole(); errors.Is(err, mpcnode.ErrNoDatabase) {
			return report, err
		}
		return report, fmt.Errorf("%w: %s", storage.ErrNoDatabase, f.paths.Database)
	}
	passphrase, err := f.readPassphrase()
	if err != nil {
		return report, err
	}
	defer types.Wipe(passphrase)
	db, err := storage.OpenToLook(f.paths.Database, passphrase)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	records, err := db.Records()
	if err != nil {
		return report, err
	}
	tombstones, err := db.Tombstones()
	return mpcnode.ReportKeys(records, tombstones), err
}

type statusText struct{ mpcnode.StatusReport }

func (s statusText) text() string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "engine\t%s\n", s.Engine)
		fmt.Fprintf(w, "operator\t%s\n", s.operator())
		if s.IdentityOutdated != 0 {
			fmt.Fprintf(w, "warning\t%s\n", warning(types.ErrIdentityOld, fmt.Sprintf("version %d is registered", s.IdentityOutdated)))
		}
		fmt.Fprintf(w, "height\t%d (catching up: %t)\n", s.Height, s.CatchingUp)
		if s.ClockAhead != 0 {
			fmt.Fprintf(w, "warning\t%s\n", warning(types.ErrCatchingUp, fmt.Sprintf("this node's clock seems %.0f s ahead of the chain's", s.ClockAhead)))
		}
		fmt.Fprintf(w, "open requests\t%d\n", s.OpenRequests)
		fmt.Fprintf(w, "sessions\t%d\n", s.Sessions)
		fmt.Fprintf(w, "results waiting\t%d\n", s.ResultsWaiting)
		fmt.Fprintf(w, "pre-parameters\t%d%s\n", s.Preparams, searching(s.StatusReport))
		fmt.Fprintf(w, "presignatures\t%d ready for requests that this node leads, %d parked here in all\n", s.PresignaturesReady, s.PresignaturesParked)
		fmt.Fprintf(w, "peers\t%d with the MPC channel\n", s.Peers)
		if s.AuditLines > 0 {
			fmt.Fprintf(w, "audit log\t%d lines, the last %d:%s\n", s.AuditLines, s.AuditLines, s.AuditHash)
		}
		if s.AuditProblem != "" {
			fmt.Fprintf(w, "AUDIT LOG FAILS\t%s\n", s.AuditProblem)
		}
		fmt.Fprintf(w, "reachable\t%s (all others by relay)\n", strings.Join(s.Reachable, " "))
		if s.Problem != "" {
			fmt.Fprintf(w, "problem\t%s: %s\n", s.Problem, s.Remedy)
		}
		for _, found := range s.Warnings {
			fmt.Fprintf(w, "warning\t%s: %s: %s\n", found.Reason, found.Detail, found.Remedy)
		}
		for _, kept := range s.Withheld {
			fmt.Fprintf(w, "kept\tshare of %s, epoch %d, session %.8s: %s: %s\n", kept.KeyID, kept.Epoch, kept.Session, kept.Why, kept.Remedy)
		}
		if len(s.MissingShares) > 0 {
			fmt.Fprintf(w, types.ForProgram("missing shares\t%d (sequencerd mpc keys): %s\n"), len(s.MissingShares), types.ErrShareMissing.Remedy())
		}
		if len(s.UnknownKeys) > 0 {
			fmt.Fprintf(w, "unknown keys\t%s (kept, but not on this chain)\n", strings.Join(s.UnknownKeys, " "))
		}
	})
}

// operator is whom the node takes part as, or why as nobody. Only who has an identity that can
// be used is told to register: on another node that would be another identity than the
// validator's. An identity that was revoked is never taken again, and a node that catches up has not
// come to its registration yet.
func (s statusText) operator() string {
	switch {
	case s.Operator != "":
		return fmt.Sprintf("%s, identity version %d", s.Operator, s.IdentityVersion)
	case s.Problem != "":
		return "none, for the problem below"
	case s.RevokedBy != "":
		return types.ForProgram("none: " + s.RevokedBy + " revoked this node's identity; to take part again: sequencerd mpc identity rotate, start the node again, then sequencerd mpc register --from KEY")
	case s.HasIdentity && (s.CatchingUp || s.Height == 0):
		return "none yet: whether the chain has this node's identity shows when the node has caught up"
	case s.HasIdentity:
		return types.ForProgram("none: the chain has no identity of this node; if it is the validator's own, and no sentry: sequencerd mpc register; if that was done: sequencerd mpc doctor")
	}
	return "none: this node follows the chain and passes messages on"
}

// searching is how far the search for the next set of pre-parameters is; empty if there is
// none.
func searching(s mpcnode.StatusReport) string {
	if s.PreparamsNeeded == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d of %d safe primes of the next set", s.PreparamsPrimes, s.PreparamsNeeded)
}

// warning is something that keeps the node from its work.
func warning(reason types.Reason, detail string) string {
	return fmt.Sprintf("%s: %s: %s", reason, detail, reason.Remedy())
}

type keysText struct {
	Source string `json:"source"`
	mpcnode.KeysReport
}

func (k keysText) text() string {
	return "from " + k.Source + "\n" + table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "KEY\tEPOCH\tSESSION\tSTATUS\tSIGNERS\tADDRESS")
		for _, r := range k.Keys {
			status := r.Status
			if r.Reason != "" {
				status += " (" + r.Reason + ")"
			}
			if r.Unknown {
				status += " (kept, but not on this chain)"
			}
			if r.Withheld != "" {
				status += " (kept: " + r.Withheld + ")"
			}
			// t+1 of n sign.
			fmt.Fprintf(w, "%s\t%d\t%.8s\t%s\t%d of %d\t%s\n",
				r.KeyID, r.Epoch, r.Session, status, r.Threshold+1, r.Members, r.Address)
		}
		for _, m := range k.Missing {
			told := ""
			if m.OnChain {
				told = " (the chain knows)"
			}
			fmt.Fprintf(w, "%s\t%d\t\tSHARE %s%s\t\t\n", m.KeyID, m.Epoch, strings.ToUpper(m.What), told)
		}
		for _, id := range k.Tombstones {
			fmt.Fprintf(w, "%s\t\t\tDESTROYED\t\t\n", id)
		}
	})
}

type sessionsText struct{ mpcnode.SessionsReport }

func (s sessionsText) text() string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "REQUEST\tATTEMPT\tSESSION\tPHASE\tROUND\tLEADER\tAWAITING")
		for _, r := range s.Sessions {
			fmt.Fprintf(w, "%s/%s\t%d\t%.8s\t%s\t%d of %d\t%s\t%s\n", r.Kind, r.Request, r.Attempt, r.Session,
				r.Phase, r.Round, r.Rounds, r.Leader, strings.Join(r.Awaiting, " "))
		}
	})
}

// table aligns columns that are separated by tabs.
func table(write func(*tabwriter.Writer)) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	write(w)
	_ = w.Flush() // a strings.Builder takes everything
	return out.String()
}
