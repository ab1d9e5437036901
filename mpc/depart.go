package mpc

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// departure is a session that somebody left. Whoever has a reason accuses another
// member of that very session; that it quarrels with somebody anyway is none. Its
// word may be heard before or after its Abort.
type departure struct {
	until   time.Time
	context types.Context
	request types.RequestID
	attempt uint32
	// others ran it beside this node and who left.
	others []types.Operator
}

// blameLeaver: who leaves and says that somebody lied is as much in doubt as
// everybody else in that session. Who leaves for another reason counts as quarrelling
// until it says for whom it left.
func (c *Core) blameLeaver(l *live, op types.Operator, reason types.Reason, now time.Time) {
	if reason == types.ErrProtocolFault || reason == types.ErrBroadcastDiffer {
		c.shun(serves(l.Session), c.doubtAll(l, now), l.TargetAttempt())
		return
	}
	others := slices.DeleteFunc(c.others(l.Session), func(other types.Operator) bool { return other == op })
	c.left[op] = departure{now.Add(suspectFor), l.Context(), serves(l.Session).ID, l.TargetAttempt(), others}
	for _, p := range c.pool.accusations.items {
		if p.value.Request == serves(l.Session).ID {
			c.explain(&p.value)
		}
	}
}

// explain forgives who left for somebody that it accuses. Who left before it had the
// Start does not know the session's name, but the attempt.
func (c *Core) explain(a *types.Accusation) {
	d, left := c.left[a.Operator]
	same := d.context == a.Session || a.Session.IsZero() && a.Request == d.request && a.Attempt == d.attempt
	if left && same && !d.context.IsZero() && slices.Contains(d.others, a.Accused) {
		delete(c.left, a.Operator)
	}
}

// others lists who runs a session with this node.
func (c *Core) others(s *session.Session) []types.Operator {
	return slices.DeleteFunc(s.Snapshot().Signers, func(op types.Operator) bool { return op == c.self.Operator })
}
