package session

import (
	"maps"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// A member that says each thing just before it would be taken for silent keeps a
// session from its end for the number of things times Stall. What is beyond Stall/2
// of each wait is therefore added up, in the session's own account of whoever is to
// blame for it. Honest members are far below: what is lost is sent again after a
// resend time, what does not arrive is asked for before Stall/2, and who computes says
// so.

const (
	// drawnOut: who kept a session waiting for more than so many stall times in all,
	// each wait counted beyond Stall/2, drew it out.
	drawnOut = 2
	// slowness: who says that it computes is believed, in one session, for one and a
	// half stall times, and for so many times as long as this node itself computed and
	// queued for it: a member of a quarter of this node's speed is waited for for three
	// times that.
	slowness = 3
)

// account is what a member cost a session: what it is to blame for, for how long it was
// believed to compute, and the wait for it that goes on.
type account struct {
	drawn, excused time.Duration
	delay          delay
}

// Slept says that this node did not look at its sessions between two moments, as when it
// was stopped, or its disk was busy. It heard nobody then, so nobody is called silent for
// it: of such a time a resend time counts, however long it was.
func (s *Session) Slept(from, to time.Time) {
	if from.Before(s.opened) {
		from = s.opened
	}
	slept := to.Sub(from) - s.cfg.Timing.Resend
	if slept <= 0 {
		return
	}
	later := func(t *time.Time) {
		if t.IsZero() || t.After(to) {
			return
		}
		if *t = t.Add(slept); t.After(to) {
			*t = to
		}
	}
	for _, t := range []*time.Time{&s.since, &s.held, &s.progress, &s.parking.unsure} {
		later(t)
	}
	for _, p := range s.peers {
		for _, t := range []*time.Time{&p.fed, &p.working, &p.delay.since} {
			later(t)
		}
	}
}

// charge books the time since the last tick. What this node was asleep for counts as
// a resend time at most.
func (s *Session) charge(now time.Time) {
	passed := min(now.Sub(s.charged), s.cfg.Timing.Resend)
	s.charged = now
	s.noteDelays(passed, now)
	if s.busy() {
		s.worked += passed
		return
	}
	var blamed []types.Operator
	for _, op := range s.AwaitedFor() {
		p := s.peers[op]
		switch {
		case s.waiting(op, now) < s.cfg.Timing.Stall/2:
		case now.Sub(p.working) >= s.cfg.Timing.Stall/2:
			blamed = append(blamed, s.blame(op, s.cfg.Timing.Resend, now)...)
		case !s.ahead(op):
			p.excused += passed
		}
	}
	for _, op := range compact(blamed) {
		s.peers[op].drawn += passed
	}
}

// excuse is for how long it is believed that a member computes. With the Stall/2 that
// each wait has for nothing it is two stall times for a member that says nothing else.
func (s *Session) excuse() time.Duration {
	return s.cfg.Timing.Stall + s.cfg.Timing.Stall/2 + slowness*s.worked
}

// DrawnOutBy lists the members that kept this session waiting for too long in all,
// though never silent for long enough at once.
func (s *Session) DrawnOutBy() []types.Operator {
	return s.those(func(p *peer) bool { return p.drawn > drawnOut*s.cfg.Timing.Stall })
}

// Disbelieved lists the members that said for too long in all that they compute. They may
// have done so, for sessions that this node knows nothing of: that is no reason to accuse
// them, but one to do without them.
func (s *Session) Disbelieved() []types.Operator {
	return s.those(func(p *peer) bool { return p.excused > s.excuse() })
}

func (s *Session) those(are func(*peer) bool) []types.Operator {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.peers)), func(op types.Operator) bool { return !are(s.peers[op]) })
}

// Blamed lists who is behind the silence of those whom the session waits for now.
func (s *Session) Blamed(now time.Time) []types.Operator {
	if s.phase != Running {
		return s.AwaitedFor()
	}
	var blamed []types.Operator
	for _, op := range s.AwaitedFor() {
		blamed = append(blamed, s.blame(op, s.cfg.Timing.Stall/2, now)...)
	}
	return compact(blamed)
}

func compact(ops []types.Operator) []types.Operator {
	slices.Sort(ops)
	return slices.Compact(ops)
}
