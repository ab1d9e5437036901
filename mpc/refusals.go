package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Nobody is accused for refusing an attempt, or for leaving one for nobody's fault: who is
// busy, or is making pre-parameters, does. What cannot do without a member though, a keygen
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

// noteRefusal counts a session that somebody ended who could not be done without, and gave
// a reason that is nobody's fault.
func (c *Core) noteRefusal(l *live, end session.End, now time.Time) {
	var op types.Operator
	var reason types.Reason
	switch {
	case end.Refused:
		op, reason = end.Culprits[0], end.Reason
	case end.Left != "" && !l.Context().IsZero() && len(end.LeftOver) == 0: // before, an initiator may say that somebody refused
		op, reason = end.Left, end.LeftFor
	default:
		return
	}
	r := l.Request()
	if l.presign() || types.Accusable(reason) || reason == types.ErrAborted || r.CanDoWithout([]types.Operator{op}) {
		return
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

// servedWith forgets what those refused with whom something came to its end.
func (c *Core) servedWith(s *session.Session) {
	if s.Request().ID.Kind == types.KindSign || s.Request().ID.Kind == types.KindPresign {
		return // it can choose, and takes who comes
	}
	for _, op := range s.Signers() {
		delete(c.refusals, op)
	}
}
