package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// maxWatchedEvents are kept for a screen: more than one has lines.
const maxWatchedEvents = 100

// watched is what was seen last of a node.
type watched struct {
	problem  error
	status   mpcnode.StatusReport
	sessions mpcnode.SessionsReport
	// seen is the number of the last event.
	seen   uint64
	events []mpcnode.ActivityEvent
}

// look asks the node, and returns the events that are new.
func (v *watched) look(ctx context.Context, client *mpcnode.Client) []mpcnode.ActivityEvent {
	var err error
	if v.status, err = client.Status(ctx); err == nil {
		v.sessions, err = client.Sessions(ctx)
	}
	var activity mpcnode.ActivityReport
	if err == nil {
		activity, err = client.Activity(ctx, v.seen)
	}
	v.problem = err
	if errors.Is(err, mpcnode.ErrNotRunning) {
		v.seen = 0 // another run counts anew
	}
	if n := len(activity.Events); n > 0 {
		v.seen = activity.Events[n-1].Number
		v.events = append(v.events, activity.Events...)
		v.events = v.events[max(0, len(v.events)-maxWatchedEvents):]
	}
	return activity.Events
}

// state is how the node is, in a line.
func (v *watched) state() string {
	s := v.status
	switch {
	case errors.Is(v.problem, mpcnode.ErrNotRunning):
		return "no node runs here; waiting for it"
	case v.problem != nil:
		return "the node does not answer: " + v.problem.Error()
	case s.Problem != "":
		return fmt.Sprintf("engine %s; %s: %s", s.Engine, s.Problem, s.Remedy)
	case s.CatchingUp:
		return fmt.Sprintf("engine %s, catching up", s.Engine)
	}
	return fmt.Sprintf("engine %s, %d peers with the MPC channel, %d participants direct", s.Engine, s.Peers, len(s.Reachable))
}

// lines are a screen of so many, the newest events last. Sessions may take all but as many
// lines as the events have at least: a third of what is below the state.
func (v *watched) lines(height int) []string {
	if v.problem != nil {
		return []string{v.state()}
	}
	s := v.status
	operator := "no registered identity"
	if s.Operator != "" {
		operator = fmt.Sprintf("%s, identity version %d", s.Operator, s.IdentityVersion)
	}
	lines := []string{
		fmt.Sprintf("height %d  %s", s.Height, operator), v.state(),
		fmt.Sprintf("%d open requests, %d results waiting, %d pre-parameters, presignatures %d ready and %d parked",
			s.OpenRequests, s.ResultsWaiting, s.Preparams, s.PresignaturesReady, s.PresignaturesParked),
		"",
	}
	room := max(height-len(lines)-1, 0)
	sessions := rows(table(v.sessionRows))
	if most := max(room-room/3, 2); len(sessions) > most {
		hidden := len(sessions) - most + 1
		sessions = append(sessions[:most-1:most-1], fmt.Sprintf("and %d more sessions: sequencerd mpc sessions", hidden))
	}
	lines = append(append(lines, sessions...), "")
	room = max(room-len(sessions), 0)
	for _, e := range v.events[max(0, len(v.events)-room):] {
		lines = append(lines, eventText(e))
	}
	return lines
}

func (v *watched) sessionRows(w *tabwriter.Writer) {
	fmt.Fprintln(w, "REQUEST\tATTEMPT\tSESSION\tPROGRESS\tPHASE\tAWAITING")
	for _, r := range v.sessions.Sessions {
		awaiting := strings.Join(r.Awaiting, " ")
		if r.Busy {
			awaiting = "(computing)"
		}
		fmt.Fprintf(w, "%s/%s\t%d\t%.8s\t%s\t%s\t%s\n", r.Kind, r.Request, r.Attempt, r.Session, bar(int(r.Round), r.Rounds), r.Phase, awaiting)
	}
}

// bar shows how many rounds are behind a session that collects one.
func bar(round, rounds int) string {
	done := min(max(round-1, 0), rounds)
	return "[" + strings.Repeat("#", done) + strings.Repeat(".", rounds-done) + "]"
}

func rows(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// eventText is one thing that happened.
func eventText(e mpcnode.ActivityEvent) string {
	text := clock(e.At) + "  " + e.Kind + " "
	switch e.What {
	case mpcnode.ActivityRound:
		return text + fmt.Sprintf("round %d done in %s", e.Round, seconds(e.Seconds))
	case mpcnode.ActivityEnded:
		if e.Reason == "" {
			return text + "done in " + seconds(e.Seconds)
		}
		return text + fmt.Sprintf("ended after %s: %s", seconds(e.Seconds), e.Reason)
	}
	return text + e.What
}

// frame draws lines on a screen of a size, those that fit. Nothing but printable text gets
// there.
func frame(lines []string, width, height int) string {
	lines = lines[:min(len(lines), max(height-1, 1))]
	var out strings.Builder
	out.WriteString(home)
	for _, line := range lines {
		out.WriteString(cut(line, width) + eraseLine + "\r\n")
	}
	out.WriteString(eraseBelow)
	return out.String()
}

// cut keeps a line within a width, and fit for a terminal.
func cut(line string, width int) string {
	kept := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, line))
	return string(kept[:min(len(kept), max(width, 0))])
}
