package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
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
	case s.ClockAhead > 0:
		return fmt.Sprintf("engine %s; %s: this clock is %.0f s ahead of the chain's, set it right%s", s.Engine, types.ErrCatchingUp, s.ClockAhead, kept(s))
	case s.IdentityOutdated != 0:
		return fmt.Sprintf("engine %s; %s: %s%s", s.Engine, types.ErrIdentityOld, types.ErrIdentityOld.Remedy(), kept(s))
	case s.CatchingUp:
		return fmt.Sprintf("engine %s, catching up%s", s.Engine, kept(s))
	}
	return fmt.Sprintf("engine %s, %d peers with the MPC channel, %d participants direct%s", s.Engine, s.Peers, len(s.Reachable), kept(s))
}

// kept says that there are shares that the chain has no use for.
func kept(s mpcnode.StatusReport) (text string) {
	if n := len(s.Withheld); n > 0 {
		text += "; withheld: " + plural(n, "share")
	}
	if n := len(s.UnknownKeys); n > 0 {
		text += "; unknown to the chain: " + plural(n, "key")
	}
	return text
}

// screen is what is drawn: the state, the sessions under a heading, what happened, the
// newest last.
type screen struct{ head, sessions, events []string }

func (v *watched) screen() screen {
	if v.problem != nil {
		return screen{head: []string{v.state()}}
	}
	s := v.status
	operator := "no registered identity"
	if s.Operator != "" {
		operator = fmt.Sprintf("%s, identity version %d", s.Operator, s.IdentityVersion)
	}
	drawn := screen{head: []string{
		fmt.Sprintf("height %d  %s", s.Height, operator), v.state(),
		fmt.Sprintf("%d open requests, %d results waiting, %d pre-parameters, presignatures %d ready and %d parked",
			s.OpenRequests, s.ResultsWaiting, s.Preparams, s.PresignaturesReady, s.PresignaturesParked),
		"",
	}, sessions: rows(table(v.sessionRows))}
	for _, e := range v.events {
		drawn.events = append(drawn.events, eventText(e))
	}
	return drawn
}

// fit takes what has room in so many lines: events get what the sessions leave, which is
// half of it at least if there are so many.
func (s screen) fit(height int) []string {
	lines := s.head[:min(len(s.head), height)]
	room := height - len(lines)
	sessions := shorten(s.sessions, room-min(len(s.events)+1, room/2))
	lines = append(slices.Clone(lines), sessions...)
	room -= len(sessions)
	if room > 1 && len(s.events) > 0 {
		lines, room = append(lines, ""), room-1
	}
	return append(lines, s.events[max(0, len(s.events)-room):]...)
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

// shorten keeps the first rows under a heading, and says how many more there are.
func shorten(table []string, height int) []string {
	if len(table) <= height || height == 0 {
		return table[:min(len(table), height)]
	}
	kept := table[:height-1]
	return append(slices.Clone(kept), fmt.Sprintf("and %d more", len(table)-max(len(kept), 1)))
}

// bar shows how many rounds are behind a session that collects one.
func bar(round, rounds int) string {
	done := min(max(round-1, 0), rounds)
	return "[" + strings.Repeat("#", done) + strings.Repeat(".", rounds-done) + "]"
}

func rows(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// eventText is one thing that happened.
func eventText(e mpcnode.ActivityEvent) string {
	text := fmt.Sprintf("%s  %s/%s %.8s ", clock(e.At), e.Kind, e.Request, e.Session)
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

// frame draws a screen in a size. Nothing but printable text gets there.
func frame(s screen, width, height int) string {
	var out strings.Builder
	out.WriteString(home)
	for _, line := range s.fit(max(height-1, 1)) {
		out.WriteString(cut(line, width) + eraseLine + "\r\n")
	}
	out.WriteString(eraseBelow)
	return out.String()
}

// cut keeps a line within a width, and fit for a terminal.
func cut(line string, width int) string {
	fits := []rune(plain(line))
	return string(fits[:min(len(fits), max(width, 0))])
}
