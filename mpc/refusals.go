package mpc

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Nobody is accused for refusing an attempt, or for leaving one: who is busy, or is making
// pre-parameters, does, and who was lied to. What cannot do without a member though, a keygen
// or a reshare, never comes to its end if that one goes on with it; so whoever does is
// accused of it in the end, with the reason that it gives. Without the limits below it
// would be better off than who is silent, who is accused the first time.
const (
	// An accusation follows when so many attempts that this node saw ended so, however many
	// requests they were at: of a request with many members each leads an attempt or two.
	maxRefusals = 3
	// Those of so short a time are one: somebody who is busy refuses all that is asked.
	refusalsApart = time.Minute
	// From the first to the last it takes as long as making pre-parameters may.
	refusalsSpan = 15 * time.Minute
	// It is forgotten so long after the last, or when something came to its end with it.
	refusalsFor = 6 * time.Hour
)

type refusals struct {
	count       int
	first, last time.Time
}

// noteRefusal counts a session that somebody ended who could not be done without, whatever
// it says why: a reason costs nothing, and so does a name. Only who accuses, before all, one
// of those whom it leaves for has a reason that counts: that costs both the same.
func (c *Core) noteRefusal(l *live, end session.End, now time.Time) {
	var op types.Operator
	var reason types.Reason
	switch {
	case end.Refused:
		op, reason = end.Culprits[0], end.Reason
	case end.Left != "" && !l.Context().IsZero() && !c.accuses(end.Left, end.LeftOver): // before, an initiator may say that somebody refused
		op, reason = end.Left, end.LeftFor
		if types.Accusable(reason) {
			reason = types.ErrAborted // what it says of others is not said of it
		}
	default:
		return
	}
	r := l.Request()
	if l.presign() || types.Accusable(reason) || r.CanDoWithout([]types.Operator{op}) {
		return // a Refuse with such a reason is an accusation of its own, see blame
	}
	if _, open := c.requests[r.ID]; !open || r.Expired(c.view.Height) {
		return // it may be right
	}
	n, known := c.refusals[op]
	switch {
	case !known || now.Sub(n.last) >= refusalsFor:
		n = refusals{1, now, now}
	case now.Sub(n.last) >= refusalsApart:
		n.count, n.last = n.count+1, now
	}
	c.refusals[op] = n
	if n.count >= maxRefusals && n.last.Sub(n.first) >= refusalsSpan {
		c.opts.Log.Warn("a participant keeps from their end what cannot do without it", "participant", op, "request", r.ID.String(),
			"attempts", n.count, "since", n.first, "reason", reason, "remedy", reason.Remedy())
		c.accuse(l.Session, []types.Operator{op}, reason, now)
	}
}

// accuses: the chain, or the pool, has somebody's accusation of one of these.
func (c *Core) accuses(op types.Operator, named []types.Operator) bool {
	return slices.ContainsFunc(named, func(other types.Operator) bool {
		a := types.Accusation{Accused: other, Operator: op}
		return c.pool.hasAccusation(&a) || c.accused(&a)
	})
}

// servedWith forgets what those refused with whom something came to its end.
func (c *Core) servedWith(s *session.Session) {
	if s.Request().ID.Kind == types.KindSign || s.Request().ID.Kind == types.KindPresign {
		return // it can choose, and takes who comes
	}
	for _, op := range s.Signers() {
		delete(c.refusals, op)
	}
}
