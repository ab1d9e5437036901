package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// HandleEnvelope routes a verified envelope to its session.
func (c *Core) HandleEnvelope(v types.Verified) {
	c.noticeSleep()
	now := c.opts.Now()
	h := v.Header()
	switch h.Kind {
	case wire.KIND_PREPARE:
		c.handlePrepare(v, now)
	case wire.KIND_PING:
		c.answerPing(v, now)
	case wire.KIND_PONG:
		c.takePong(v, now)
	case wire.KIND_READY, wire.KIND_REFUSE, wire.KIND_START:
		if c.answersUs(v) {
			c.takeResult(v)
		}
		l, ok := c.sessions[types.SessionID(h.Context)]
		if !ok && h.Kind == wire.KIND_REFUSE {
			l, ok = c.byContext[types.Context(h.Context)] // a presignature that its sender has no part of
		}
		if ok {
			l.HandleEnvelope(v, now)
			c.settleSession(l, now)
		} else {
			c.handleLate(v, now)
		}
	default:
		l, ok := c.byContext[types.Context(h.Context)]
		if !ok && h.Kind == wire.KIND_ABORT {
			l, ok = c.sessions[types.SessionID(h.Context)]
		}
		if !ok && c.asksForPart(v) {
			c.disown(v)
			return
		}
		if !ok {
			if abort := c.early.answer(v, now); abort != nil {
				c.opts.Transport.Send(v.From(), abort)
			}
			late := c.early.over(types.Context(h.Context)) // a resend of what is over here
			if kept := !late && c.awaitsStart(v) && c.early.put(v, now); !late && !kept {
				c.opts.Observer.Dropped(types.ErrUnknownRequest)
			}
			return
		}
		l.HandleEnvelope(v, now)
		c.settleSession(l, now)
	}
}

// awaitsStart: a session of the same request, with the same member, waits for its Start
// here. Of any other that this node is in it knows the context.
func (c *Core) awaitsStart(v types.Verified) bool {
	for _, l := range c.sessions {
		if l.Phase() != session.Waiting || l.Request().ID != v.Request() {
			continue
		}
		if _, member := l.Request().Member(v.From()); member {
			return true
		}
	}
	return false
}

// handleLate takes what belongs before the rounds of a session that is over here, or
// unknown. Who is ready for it, or started it with this node, must hear that this node
// left. A Start comes by way of anybody, so all get the answer.
func (c *Core) handleLate(v types.Verified, now time.Time) {
	to := []types.Operator{v.From()}
	if v.Header().Kind == wire.KIND_START {
		c.compareStart(v)
		if r, open := c.requests[v.Request()]; open {
			to = r.Operators()
		}
	}
	abort := c.early.answer(v, now)
	if abort == nil {
		return
	}
	for _, op := range to {
		if op != c.self.Operator {
			c.opts.Transport.Send(op, abort)
		}
	}
}

// settleSession notices what a session became by its last input. A session that
// just started gets what overtook its Start, and ends if there is proof about it already.
func (c *Core) settleSession(l *live, now time.Time) {
	defer c.history.see(l, now)
	if !l.started && l.Phase() == session.Running {
		l.started = true
		c.convictBefore(l)
		for _, v := range c.early.take(l.Context(), l.Request().Operators()) {
			l.HandleEnvelope(v, now)
		}
	}
	c.noticeParked(l)
	if l.Round() == l.round || l.Phase() == session.Ended {
		return
	}
	if l.round > 0 {
		c.opts.Observer.RoundDone(l.Request().ID, l.ID(), l.round, now.Sub(l.since))
		c.logRound(l, now)
	}
	l.round, l.since = l.Round(), now
}

func (c *Core) logRound(l *live, now time.Time) {
	if !c.opts.LogRounds {
		return
	}
	c.opts.Log.Info("round done", "request", l.Request().ID.String(), "attempt", l.Attempt(),
		"session", l.Context().Short(), "round", l.round, "of", l.Rounds(), "took", now.Sub(l.since).Round(time.Millisecond))
}

// HandleConnected hurries what is due for a participant that just came back.
func (c *Core) HandleConnected(op types.Operator) {
	c.noticeSleep()
	now := c.opts.Now()
	for _, l := range c.ordered() {
		c.guardSession("a member that is back", l, func() {
			l.Reconnected(op, now)
			l.Probe(op, now)
		})
	}
}

// HandleDisconnected lets what this node has of presignatures with a participant that is
// out of reach be of no use until it says that it still has its part, be it by relay. What it
// does not say so of within a stall time is dropped by the owner, by signers later.
func (c *Core) HandleDisconnected(op types.Operator) {
	c.noticeSleep()
	now := c.opts.Now()
	for _, l := range c.ordered() {
		if l.Initiator() == c.self.Operator || l.Initiator() == op {
			c.guardSession("a member that is gone", l, func() { l.Probe(op, now) })
		}
	}
}
