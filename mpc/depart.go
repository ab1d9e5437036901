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

// blameLeaver: who leaves and names others for it has a quarrel with each of them, as if
// it had accused them on chain, where it may have done so before. It costs both the
// same, once, however often it is said: one who lies about somebody looks no better than
// before, and worse than its victim as soon as it lies about two.
//
// Who leaves for nobody that ran the session beside it and this node, and says that
// somebody lied, is as much in doubt as everybody else in that session. Who leaves for
// another reason counts as quarrelling until it says for whom it left.
func (c *Core) blameLeaver(l *live, end session.End, now time.Time) {
	op, reason := end.Left, end.LeftFor
	if len(end.LeftOver) > 0 && types.Accusable(reason) {
		for _, accused := range end.LeftOver {
			c.leftOver[accusationID{accused: accused, accuser: op}] = now.Add(doubtFor)
		}
		return
	}
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
