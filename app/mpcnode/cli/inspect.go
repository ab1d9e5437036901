package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/doctor"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

func inspectCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect [id]",
		Short: "Show what became of a request or session, and whom it waited for",
		Long: `Shows all that is known of a request, by the id of the key, signature or reshare, or
of a session, by the beginning of its name (8 characters at least, as the log and "mpc
sessions" show it).

What the chain says comes first: status, who attested, faults, and why it failed. Then
what this node saw since it was started: each session with its phases and rounds, how
long each took, how much of that this node computed, whom it waited for and for how
long, what it sent again, how many bytes went both ways, why these signers, and the
reason for its end. The last 512 sessions are remembered; a restart forgets them, and
the chain's part stays. The uses of this node's share are in the audit log in any case.

Where somebody was waited for in vain, the peers of this node without the MPC channel are
named. Of a node that does not run, it says what its files say is wrong, such as the
passphrase.

Why signers were taken or not the leader of the attempt knows best: ask its node.`,
		Example: `  sequencerd mpc inspect payment-1
  sequencerd mpc inspect 9f86d081 --output json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			r, err := mpcnode.NewClient(f.paths.Socket).Inspect(cmd.Context(), args[0])
			if err != nil {
				return f.whyAbsent(err)
			}
			uses, err := usesOf(f.paths.Folder, r)
			if err != nil {
				return err
			}
			return show(cmd, inspectText{r, uses})
		},
	}
	addOutputFlag(cmd)
	return cmd
}

// whyAbsent adds to the error of a node that does not run what its files say of why.
func (f nodeFiles) whyAbsent(err error) error {
	if !errors.Is(err, mpcnode.ErrNotRunning) {
		return err
	}
	// The passphrase is tried if that asks nobody, and the database is left alone.
	found := doctor.Examine(doctor.Facts{Files: f.examine(true, false), NodeError: err})
	why := ""
	for _, p := range found.Findings {
		if p.Level == doctor.Problem {
			why += fmt.Sprintf("; what its files say is wrong: %s: %s: %s", p.Check, p.Detail, p.Remedy)
		}
	}
	return withRemedy(fmt.Errorf("%w%s", err, why), mpcnode.ErrNotRunning,
		"start it with: sequencerd start; if it does not start, see why: sequencerd mpc doctor; meanwhile another node can be asked: sequencerd query mpc signature ID")
}

// usesOf are the uses of this node's share that the audit log has of what was asked about:
// what the node itself remembers of that ends with a restart.
func usesOf(folder string, r mpcnode.InspectReport) ([]audit.Entry, error) {
	request, session := "", ""
	if len(r.Outcomes) > 0 || len(r.Sessions) > 0 {
		request = r.ID
	}
	if len(r.ID) >= 8 && strings.Trim(strings.ToLower(r.ID), "0123456789abcdef") == "" {
		session = strings.ToLower(r.ID)
	}
	return audit.Find(folder, request, session)
}

type inspectText struct {
	mpcnode.InspectReport
	// Uses of this node's share, from the audit log.
	Uses []audit.Entry `json:"uses,omitempty"`
}

func (i inspectText) text() string {
	var out strings.Builder
	for _, o := range i.Outcomes {
		out.WriteString(outcomeText(o) + "\n")
	}
	if len(i.Outcomes) == 0 && i.Problem == "" {
		fmt.Fprintf(&out, "the chain has no key, signature or reshare %q\n\n", i.ID)
	}
	if i.Problem != "" {
		fmt.Fprintf(&out, "problem: %s\n\n", i.Problem)
	}
	for _, n := range i.Notes {
		by := ""
		if n.Leader != "" {
			by = " of " + n.Leader
		}
		fmt.Fprintf(&out, "%s  %s%s: %s: %s\n", clock(n.At), n.What, by, n.Reason, n.Remedy)
	}
	if len(i.Strangers) > 0 {
		fmt.Fprintf(&out, "peers of this node: %s: %s\n", doctor.NameStrangers(i.Strangers), doctor.MendStrangers)
	}
	for _, s := range i.Sessions {
		out.WriteString(timelineText(s) + "\n")
	}
	if len(i.Sessions) == 0 {
		out.WriteString("this node remembers no session of it: it took no part since it was started, or that is long ago\n")
	}
	if len(i.Uses) > 0 {
		out.WriteString("\nuses of this node's share, from the audit log:\n" + usesText(i.Uses))
	}
	return out.String()
}

func usesText(uses []audit.Entry) string {
	return table(func(w *tabwriter.Writer) {
		for _, e := range uses {
			text := "by " + strings.Join(e.Signers, " ")
			if e.Event == audit.End {
				text = e.Outcome
			}
			fmt.Fprintf(w, "  %s\t%.8s\t%s/%s attempt %d\t%s\t%s\n", e.Time.UTC().Format(time.DateTime), e.Session, e.Kind, e.Request, e.Attempt, e.Event, text)
		}
	})
}

// outcomeText is what the chain says.
func outcomeText(o mpcnode.OutcomeReport) string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "%s %s\t%s\n", o.Kind, o.ID, o.Status)
		if o.Reason != "" {
			fmt.Fprintf(w, "  reason\t%s: %s\n", o.Reason, o.Remedy)
		}
		if o.Reason == "" && o.Remedy != "" {
			fmt.Fprintf(w, "  remedy\t%s\n", o.Remedy)
		}
		if o.RequestedHeight > 0 {
			fmt.Fprintf(w, "  asked\tat height %d by %s, key %s, epoch %d\n", o.RequestedHeight, o.Owner, o.KeyID, o.Epoch)
		}
		if o.DecidedHeight > 0 {
			fmt.Fprintf(w, "  decided\tat height %d, %d blocks later\n", o.DecidedHeight, o.DecidedHeight-o.RequestedHeight)
		}
		if o.ExpiryHeight > 0 {
			fmt.Fprintf(w, "  expires\tat height %d\n", o.ExpiryHeight)
		}
		if o.RetireHeight > 0 {
			fmt.Fprintf(w, "  destroyed\tat height %d\n", o.RetireHeight)
		}
		if len(o.DeletionAcks) > 0 {
			fmt.Fprintf(w, "  destroyed by\t%s\n", strings.Join(o.DeletionAcks, " "))
		}
		if len(o.MissingShares) > 0 {
			fmt.Fprintf(w, "  no share\t%s, they said on chain\n", strings.Join(o.MissingShares, " "))
		}
		if o.Reshare != "" {
			fmt.Fprintf(w, "  reshare\t%s is open\n", o.Reshare)
		}
		if len(o.Participants) > 0 {
			fmt.Fprintf(w, "  participants\t%s (%d sign)\n", strings.Join(o.Participants, " "), o.Threshold+1)
		}
		if o.Status == "PENDING" && o.Kind != "sign" {
			missing := slices.DeleteFunc(slices.Clone(o.Participants), func(p string) bool { return slices.Contains(o.Attested, p) })
			fmt.Fprintf(w, "  attested\t%d of %d, not by %s\n", len(o.Attested), len(o.Participants), strings.Join(missing, " "))
		}
		for _, r := range o.Refusals {
			fmt.Fprintf(w, "  refused by\t%s: %s: %s\n", r.Operator, r.Reason, r.Remedy)
		}
		for _, f := range o.Faults {
			who := "proof"
			if f.Accuser != "" {
				who = "accused by " + f.Accuser
			}
			fmt.Fprintf(w, "  fault\t%s: %s, attempt %d, height %d, %s\n", f.Participant, f.Reason, f.Attempt, f.Height, who)
		}
	})
}

// timelineText is a session as this node saw it.
func timelineText(s mpcnode.TimelineReport) string {
	return table(func(w *tabwriter.Writer) {
		kind := s.Kind
		if s.Presigned {
			kind += " with a presignature"
		}
		fmt.Fprintf(w, "session %.8s\t%s %s, attempt %d, led by %s\n", s.Session, kind, s.Request, s.Attempt, s.Leader)
		for _, c := range s.Candidates {
			role := "not a signer"
			if c.Signer {
				role = "signer"
			}
			fmt.Fprintf(w, "  %s\t%s: %s%s\n", role, c.Operator, c.Why, suspected(c.Suspicion))
		}
		for _, step := range s.Steps {
			fmt.Fprintf(w, "  %s\t%s\n", stepName(step), stepText(step))
		}
		fmt.Fprintf(w, "  traffic\t%d sent (%d again), %s; %d received, %s\n", s.Sent, s.Resent, bytesText(s.SentBytes), s.Received, bytesText(s.ReceivedBytes))
		fmt.Fprintf(w, "  end\t%s\n", endText(s))
	})
}

func suspected(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (suspicion %d)", n)
}

func stepName(s mpcnode.StepReport) string {
	if s.Round > 0 {
		return fmt.Sprintf("round %d of %d", s.Round, s.Rounds)
	}
	return s.Phase
}

func stepText(s mpcnode.StepReport) string {
	text := fmt.Sprintf("%s  %s", clock(s.Began), seconds(s.Took))
	if s.Computed > 0 {
		text += ", computing " + seconds(s.Computed)
	}
	if len(s.Waits) > 0 {
		waits := make([]string, len(s.Waits))
		for i, w := range s.Waits {
			waits[i] = w.Operator + " " + seconds(w.Seconds)
		}
		text += ", waiting for " + strings.Join(waits, ", ")
	}
	return text
}

func endText(s mpcnode.TimelineReport) string {
	switch {
	case s.Ended == nil:
		return "it runs"
	case s.Reason == "":
		return clock(*s.Ended) + "  done"
	}
	text := clock(*s.Ended) + "  " + s.Reason
	if len(s.Culprits) > 0 {
		text += " of " + strings.Join(s.Culprits, " ")
	}
	if s.LeftBy != "" {
		text += fmt.Sprintf(" (%s left it: %s)", s.LeftBy, s.LeftFor)
	}
	if s.Detail != "" {
		text += ": " + s.Detail
	}
	if s.Remedy != "" {
		text += ": " + s.Remedy
	}
	return text
}

// clock is a time of day, to the millisecond, in UTC as in logs of servers.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond).String()
}

func bytesText(n uint64) string {
	if n < 10_000 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f KB", float64(n)/1000)
}
