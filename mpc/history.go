package mpc

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// What sessions did is kept for people, in memory: those that run, and the last of those
// that are over. It decides nothing and holds nothing secret.

const (
	// maxHistory sessions that are over are remembered. One of a signature of 16 members
	// has 12 steps with 16 waits of 24 bytes each at most, some 6 KB; mostly a tenth.
	maxHistory = 512
	// maxNotes about requests: a node that cannot serve a request notes why once, for each
	// reason and each who asked.
	maxNotes = 256
	// maxSteps of a session: the phases and rounds of a keygen or signature are 16. One
	// that goes to and fro is cut off.
	maxSteps = 48
	// maxDetailBytes of an error are kept.
	maxDetailBytes = 256
	// minSessionPrefix is how much of a session's name, in hex, finds it: as much as is
	// shown.
	minSessionPrefix = 8
)

// History is what this node did for a request since it was started.
type History struct {
	Sessions []SessionHistory
	Notes    []Note
}

// SessionHistory is the timeline of a session, as this node saw it.
type SessionHistory struct {
	ID      types.SessionID
	Context types.Context // zero before the Start
	Request types.RequestID
	KeyID   types.KeyID
	Attempt uint32
	Leader  types.Operator
	// Presigned: what was computed ahead of the request was used.
	Presigned  bool
	Candidates []session.Candidate
	Steps      []HistoryStep
	Traffic    session.Traffic
	Resent     int
	Opened     time.Time
	// Ended is zero while it runs. The rest says how it ended; an empty Reason: it did what
	// it was for.
	Ended    time.Time
	Reason   types.Reason
	Culprits []types.Operator
	// Left is who left the session, LeftFor its own reason.
	Left    types.Operator
	LeftFor types.Reason
	Detail  string
}

// HistoryStep is a phase of a session, or a round.
type HistoryStep struct {
	Phase session.Phase
	// Round that was collected; 0: none.
	Round  uint32
	Rounds int
	Began  time.Time
	// Took is how long it lasted, until now if it is the last one.
	Took time.Duration
	// Computed is how much of that this node itself computed.
	Computed time.Duration
	// Waits are whom it waited for, and for how long, the longest first: to the
	// engine's tick of 100 ms.
	Waits []Wait
}

// Wait is how long a member was waited for.
type Wait struct {
	Operator types.Operator
	Took     time.Duration
}

// Note is why this node did not serve a request for a while.
type Note struct {
	At      time.Time
	Request types.RequestID
	// What happened, in words.
	What   string
	Reason types.Reason
	// Of is who led the attempt, if that was another one.
	Of types.Operator
}

// history is what is remembered.
type history struct {
	ended []*SessionHistory // a ring, once it is full
	next  int
	notes []Note // oldest first
	// ticked is when waits were measured last.
	ticked time.Time
}

// follow begins the timeline of a session.
func (h *history) follow(l *live, now time.Time) {
	l.history = &SessionHistory{ID: l.ID(), Leader: l.Initiator(), Opened: now}
	l.history.begin(l, now)
}

// see notes what became of a session by its last input.
func (h *history) see(l *live, now time.Time) {
	s := l.history
	if s == nil || l.Phase() == session.Ended {
		return
	}
	if last := s.last(); last.Phase != l.Phase() || last.Round != roundOf(l) {
		s.settle(now)
		s.begin(l, now)
	}
}

// roundOf is the round that a session collects.
func roundOf(l *live) uint32 {
	if l.Phase() != session.Running {
		return 0
	}
	return l.Round()
}

func (s *SessionHistory) begin(l *live, now time.Time) {
	if len(s.Steps) < maxSteps {
		s.Steps = append(s.Steps, HistoryStep{Phase: l.Phase(), Round: roundOf(l), Rounds: l.Rounds(), Began: now})
	}
}

func (s *SessionHistory) last() *HistoryStep { return &s.Steps[len(s.Steps)-1] }

// settle ends the last step.
func (s *SessionHistory) settle(now time.Time) {
	last := s.last()
	last.Took = max(0, now.Sub(last.Began))
	slices.SortStableFunc(last.Waits, func(a, b Wait) int { return int(b.Took - a.Took) })
}

// tick measures whom the sessions wait for.
func (h *history) tick(sessions []*live, now time.Time) {
	passed := max(0, now.Sub(h.ticked))
	h.ticked = now
	for _, l := range sessions {
		if l.history == nil {
			continue
		}
		step := l.history.last()
		share := min(passed, max(0, now.Sub(step.Began)))
		if l.Computes() {
			step.Computed += share
			continue
		}
		for _, op := range l.AwaitedFor() {
			step.wait(op, share)
		}
	}
}

func (s *HistoryStep) wait(op types.Operator, took time.Duration) {
	for i := range s.Waits {
		if s.Waits[i].Operator == op {
			s.Waits[i].Took += took
			return
		}
	}
	s.Waits = append(s.Waits, Wait{op, took})
}

// end keeps the timeline of a session that is over, unless it was a presignature that
// nobody used: there are too many of them.
func (h *history) end(l *live, end session.End, now time.Time) {
	s := l.history
	if s == nil || l.Target() == nil {
		return
	}
	s.settle(now)
	s.complete(l)
	s.Ended, s.Reason, s.Culprits = now, end.Reason, slices.Clone(end.Culprits)
	s.Left, s.LeftFor = end.Left, end.LeftFor
	if end.Err != nil {
		s.Detail = strings.ToValidUTF8(end.Err.Error()[:min(maxDetailBytes, len(end.Err.Error()))], "")
	}
	if len(h.ended) < maxHistory {
		h.ended = append(h.ended, s)
		return
	}
	h.ended[h.next] = s
	h.next = (h.next + 1) % maxHistory
}

// complete copies what a session knows of itself.
func (s *SessionHistory) complete(l *live) {
	r := serves(l.Session)
	s.Context, s.Request, s.KeyID, s.Attempt, s.Presigned = l.Context(), r.ID, r.KeyID, l.TargetAttempt(), l.presign()
	s.Candidates, s.Traffic, s.Resent = l.Candidates(), l.Traffic(), l.Resent()
}

// note remembers why a request was not served, once for each reason, in the latest words.
func (h *history) note(n Note) {
	same := func(o Note) bool { return o.Request == n.Request && o.Reason == n.Reason && o.Of == n.Of }
	if i := slices.IndexFunc(h.notes, same); i >= 0 {
		h.notes[i].What = n.What
		return
	}
	if len(h.notes) == maxNotes {
		h.notes = slices.Delete(h.notes, 0, 1)
	}
	h.notes = append(h.notes, n)
}

// History is what is remembered of a request, by its id, or of a session, by the
// beginning of one of its names in hex.
func (c *Core) History(id string) History {
	now := c.opts.Now()
	var found History
	take := func(s *SessionHistory) {
		if s.Request.ID == id || named(s.ID, id) || named(s.Context, id) {
			found.Sessions = append(found.Sessions, s.copied())
		}
	}
	for i := range c.history.ended {
		take(c.history.ended[(c.history.next+i)%len(c.history.ended)])
	}
	for _, l := range c.ordered() {
		if l.history == nil || l.waits() {
			continue
		}
		l.history.complete(l)
		s := l.history.copied()
		s.settle(now)
		take(&s)
	}
	for _, n := range c.history.notes {
		if n.Request.ID == id || slices.ContainsFunc(found.Sessions, func(s SessionHistory) bool { return s.Request == n.Request }) {
			found.Notes = append(found.Notes, n)
		}
	}
	return found
}

// named: a name begins with what somebody typed.
func named(name types.Hash, typed string) bool {
	return len(typed) >= minSessionPrefix && name != types.Hash{} && strings.HasPrefix(hex.EncodeToString(name[:]), strings.ToLower(typed))
}

// copied shares nothing that still changes.
func (s *SessionHistory) copied() SessionHistory {
	c := *s
	c.Steps = slices.Clone(s.Steps)
	for i := range c.Steps {
		c.Steps[i].Waits = slices.Clone(c.Steps[i].Waits)
	}
	return c
}

// History is what the engine remembers of a request or session. Errors: ErrStopped,
// types.ErrBusy, and that of the context, which is what ends it where the loop hangs.
func (e *Engine) History(ctx context.Context, id string) (History, error) {
	return ask(ctx, e, func(answer func(History, error)) { answer(e.core.History(id), nil) })
}
