package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

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
	return fmt.Sprintf("engine %s, %d peers with the channel, %d participants direct%s", s.Engine, s.Peers, len(s.Reachable), kept(s))
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

// screen draws for a width. Names get a third of it, so that what is said of them is seen.
func (v *watched) screen(width int) screen {
	if v.problem != nil {
		return screen{head: wrap(v.state(), width)}
	}
	s := v.status
	operator := "no registered identity"
	if s.Operator != "" {
		operator = fmt.Sprintf("%s (identity %d)", shortOperator(s.Operator), s.IdentityVersion)
	}
	names := max(width/3, minNames)
	drawn := screen{sessions: []string{"no session runs"}}
	if len(v.sessions.Sessions) > 0 {
		drawn.sessions = rows(table(func(w *tabwriter.Writer) { v.sessionRows(w, names) }))
	}
	for _, line := range []string{
		fmt.Sprintf("height %d, %s", s.Height, operator), v.state(),
		fmt.Sprintf("%s, %s, %d pre-parameters, presigned %d (%d parked)",
			plural(s.OpenRequests, "request"), plural(s.ResultsWaiting, "result"), s.Preparams, s.PresignaturesReady, s.PresignaturesParked),
	} {
		drawn.head = append(drawn.head, wrap(line, width)...)
	}
	for _, e := range v.events {
		drawn.events = append(drawn.events, e.At.UTC().Format(time.TimeOnly)+"  "+middle(nameOf(e), names)+"  "+whatHappened(e))
	}
	return drawn
}

// minNames is as much of a name as tells it from others.
const minNames = 13

// fit takes what has room in so many lines: the state half of them at most, events what the
// sessions leave, which is half of the rest at least if there are so many. A line between
// them is left empty where there is room.
func (s screen) fit(height int) []string {
	lines := slices.Clone(s.head)
	if most := (height + 1) / 2; len(lines) > most {
		lines = append(lines[:max(most-1, 0)], fmt.Sprintf("... %d more lines: mpc status", len(lines)-max(most-1, 0)))[:min(most, height)]
	}
	apart := height >= roomy
	if apart && len(s.sessions) > 0 {
		lines = append(lines, "")
	}
	room := height - len(lines)
	sessions := shorten(s.sessions, room-min(len(s.events)+1, room/2))
	lines = append(lines, sessions...)
	room -= len(sessions)
	if apart && room > 1 && len(s.events) > 0 {
		lines, room = append(lines, ""), room-1
	}
	return append(lines, s.events[max(0, len(s.events)-room):]...)
}

// roomy is a height with room for empty lines.
const roomy = 16

func (v *watched) sessionRows(w *tabwriter.Writer, names int) {
	fmt.Fprintln(w, "REQUEST\tPROGRESS\tAWAITING\tPHASE\tATTEMPT\tSESSION")
	for _, r := range v.sessions.Sessions {
		awaiting := someOperators(r.Awaiting)
		if r.Busy {
			awaiting = "(computing)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%.8s\n", middle(r.Kind+"/"+r.Request, names), bar(int(r.Round), r.Rounds), awaiting, r.Phase, r.Attempt, r.Session)
	}
}

// maxAwaited are named in a row.
const maxAwaited = 2

func someOperators(ops []string) string {
	names := make([]string, 0, maxAwaited+1)
	for _, op := range ops[:min(len(ops), maxAwaited)] {
		names = append(names, shortOperator(op))
	}
	if more := len(ops) - maxAwaited; more > 0 {
		names = append(names, fmt.Sprintf("+%d", more))
	}
	return strings.Join(names, " ")
}

// shortOperator leaves out of an address what all of a chain have in common, which is all
// up to the last 1, and its middle.
func shortOperator(op string) string {
	if len(op) <= 2*maxOperator {
		return op
	}
	return middle(op[strings.LastIndexByte(op, '1')+1:], maxOperator)
}

// maxOperator is as much of an address as tells it from others.
const maxOperator = 10

// middle takes the middle out of a name that is too long: many differ in their ends only.
func middle(name string, width int) string {
	runes := []rune(plain(name))
	if len(runes) <= width {
		return string(runes)
	}
	first := (width - 2) / 2
	return string(runes[:first]) + ".." + string(runes[len(runes)-(width-2-first):])
}

// wrap breaks a text at its spaces into lines of a width.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(plain(text)) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
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

// eventText is one thing that happened, in a line of its own.
func eventText(e mpcnode.ActivityEvent) string {
	return fmt.Sprintf("%s  %s %.8s %s", clock(e.At), nameOf(e), e.Session, whatHappened(e))
}

func nameOf(e mpcnode.ActivityEvent) string { return e.Kind + "/" + e.Request }

func whatHappened(e mpcnode.ActivityEvent) string {
	switch e.What {
	case mpcnode.ActivityRound:
		return fmt.Sprintf("round %d done in %s", e.Round, seconds(e.Seconds))
	case mpcnode.ActivityEnded:
		if e.Reason == "" {
			return "done in " + seconds(e.Seconds)
		}
		return fmt.Sprintf("ended: %s, after %s", e.Reason, seconds(e.Seconds))
	}
	return e.What
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
