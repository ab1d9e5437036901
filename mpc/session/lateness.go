package session

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Who says each thing late, but not late enough for patience.go, costs a session minutes
// and breaks no rule. It may as well be far away, or slow. So nobody is accused of it: the
// engine hears of each such wait, for as long as it lasted beyond a resend time, and picks
// others where it can.

// delay is a wait of this node for one member.
type delay struct {
	// since is when the member could first have said what is not here; zero: it is not
	// waited for.
	since time.Time
	round uint32
	// took is what counts of it. What this node waited for several for is shared among them.
	took time.Duration
}

// noteDelays measures what passed since the last tick. Who serves an earlier request first
// is not late with this one.
func (s *Session) noteDelays(passed time.Duration, now time.Time) {
	awaited := slices.DeleteFunc(s.AwaitedFor(), func(op types.Operator) bool { return s.ahead(op) })
	for _, op := range s.others() {
		p := s.peers[op]
		var since time.Time
		if slices.Contains(awaited, op) {
			since = s.waitsSince(op)
		}
		if !since.Equal(p.delay.since) {
			s.reportDelay(op)
			p.delay = delay{since: since, round: s.round}
		}
		if !since.IsZero() {
			beyond := max(0, now.Sub(since)-s.cfg.Timing.Resend)
			p.delay.took += min(passed, beyond) / time.Duration(len(awaited))
		}
	}
}

// reportDelays is for a session that is over.
func (s *Session) reportDelays() {
	for _, op := range s.others() {
		if s.peers[op] != nil {
			s.reportDelay(op)
		}
	}
}

// reportDelay tells the engine of a wait that is over. If the member said meanwhile that it
// lacks what others should have sent, it or they are to blame, and nobody can tell: each
// side gets half of it. So who withholds something from one member at a time, for that one
// to seem late, seems as late as all of them together.
func (s *Session) reportDelay(op types.Operator) {
	d := s.peers[op].delay
	s.peers[op].delay = delay{}
	if d.took == 0 || s.cfg.Late == nil {
		return
	}
	withheld := s.complainedOf(op, d.round)
	if len(withheld) == 0 {
		s.cfg.Late(op, d.took)
		return
	}
	s.cfg.Late(op, d.took/2)
	for _, other := range withheld {
		s.cfg.Late(other, d.took/2/time.Duration(len(withheld)))
	}
}

// complainedOf lists the other members of which a member said that it lacks something
// without which it cannot say what a round wants of it.
func (s *Session) complainedOf(op types.Operator, round uint32) []types.Operator {
	c := s.courier.complaints[op]
	if c.round != round && c.round+1 != round {
		return nil
	}
	var ops []types.Operator
	for _, place := range c.slots() {
		if place.from != s.cfg.Self {
			ops = append(ops, place.from)
		}
	}
	return compact(ops)
}

// ahead: a member has an earlier request to serve, as far as this node knows.
func (s *Session) ahead(op types.Operator) bool {
	return s.cfg.Ahead != nil && s.cfg.Ahead(s.serves(), op)
}
