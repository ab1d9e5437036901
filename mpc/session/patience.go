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
	// excusedStalls: that a member computes excuses it for so many stall times in one
	// session,
	excusedStalls = 2
	// slowness: and for so many times as long as this node itself computed and queued
	// for it. A member of a quarter of this node's speed, or with four times its load,
	// is waited for for three times that.
	slowness = 3
)

// account is what a member cost a session.
type account struct {
	// drawn is what it is to blame for, excused for how long it was believed to compute.
	drawn, excused time.Duration
}

// charge books the time since the last tick. What this node was asleep for counts as
// a resend time at most.
func (s *Session) charge(now time.Time) {
	passed := min(now.Sub(s.charged), s.cfg.Timing.Resend)
	s.charged = now
	if s.busy() {
		s.worked += passed
		return
	}
	var blamed []types.Operator
	for _, op := range s.AwaitedFor() {
		if s.waiting(op, now) < s.cfg.Timing.Stall/2 {
			continue
		}
		p := s.peers[op]
		if now.Sub(p.working) < s.cfg.Timing.Stall/2 && p.excused < s.excuse() {
			p.excused += passed
			continue
		}
		blamed = append(blamed, s.blame(op, s.cfg.Timing.Resend, now)...)
	}
	for _, op := range compact(blamed) {
		s.peers[op].drawn += passed
	}
}

// excuse is for how long it is believed that a member computes.
func (s *Session) excuse() time.Duration {
	return excusedStalls*s.cfg.Timing.Stall + slowness*s.worked
}

// DrawnOutBy lists the members that kept this session waiting for too long in all,
// though never long enough at once to be taken for silent.
func (s *Session) DrawnOutBy() []types.Operator {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.peers)), func(op types.Operator) bool {
		return s.peers[op].drawn <= drawnOut*s.cfg.Timing.Stall
	})
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

// Overdue says whether the session came no nearer to its end for longer than honest
// members of any speed that is to be expected compute.
func (s *Session) Overdue(now time.Time) bool {
	return s.phase == Running && now.Sub(s.progress) >= s.excuse()
}

func compact(ops []types.Operator) []types.Operator {
	slices.Sort(ops)
	return slices.Compact(ops)
}
