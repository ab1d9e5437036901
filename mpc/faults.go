package mpc

import (
	"maps"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// suspectFor is how long this node would rather do without somebody that it
// found stalling or breaking the rules, whatever the chain says.
const suspectFor = time.Minute

// liarFor is how long this node neither takes nor follows in signatures who signed,
// in a session that ran, what the protocol forbids: it cannot prove it to others,
// but it knows. It is in memory: a restart forgets it.
const liarFor = 24 * time.Hour

// misfitFor is as long, for what came before the Start: nothing was lost by it, and
// another version may have its reasons.
const misfitFor = 10 * time.Minute

// provenSuspicion counts for more than all accusations, and all sessions that can
// fail while doubts last.
const provenSuspicion = 1 << 20

// blame remembers who kept a session from its end, and tells the chain. Of who
// left one it only remembers it: an honest member accuses whom it left for.
func (c *Core) blame(l *live, end session.End, now time.Time) {
	s := l.Session
	c.noteRefusal(l, end, now)
	if end.Left != "" && (!l.presign() || blamesLeaver(end.LeftFor)) {
		c.blameLeaver(l, end, now)
	}
	if !types.Accusable(end.Reason) {
		return
	}
	named := len(end.Culprits) > 0
	if !named && end.Reason == types.ErrProtocolFault && s.Round() > 0 { // only what a peer caused: what this node did is ErrOwnFailure
		end.Culprits = c.doubtAll(l, now)
	}
	c.suspect(end.Culprits, now)
	if end.Reason != types.ErrStartTimeout { // whoever is silent is left out anyway
		c.shun(serves(s), end.Culprits, s.TargetAttempt())
	}
	if end.Among {
		c.noteClash(l, end, now)
		return
	}
	if named && end.Reason == types.ErrProtocolFault || end.Evidence != nil {
		c.remember(end.Culprits, !s.Context().IsZero(), now)
	}
	if end.Evidence != nil {
		c.findEvidence(*end.Evidence)
		return
	}
	if named && end.Reason == types.ErrProtocolFault && chargeable(s) {
		c.charge(end.Culprits, s.Context(), now)
	}
	c.accuse(s, end.Culprits, end.Reason, now)
}

// blamesLeaver: who leaves a presignature for another reason did what a Refuse of a
// Prepare would have done, or knows that it is of no use. See noteWaste.
func blamesLeaver(reason types.Reason) bool {
	return reason == types.ErrProtocolFault || reason == types.ErrBroadcastDiffer || reason == types.ErrStalled
}

// remember notes liars.
func (c *Core) remember(liars []types.Operator, ran bool, now time.Time) {
	until := now.Add(misfitFor)
	if ran {
		until = now.Add(liarFor)
	}
	for _, op := range liars {
		if until.After(c.liars[op]) {
			c.liars[op] = until
		}
	}
}

func (c *Core) suspect(culprits []types.Operator, now time.Time) {
	for _, op := range culprits {
		c.suspects[op] = now.Add(suspectFor)
	}
}

// forgetFaults forgets what was long enough ago.
func (c *Core) forgetFaults(now time.Time) {
	for _, m := range []map[types.Operator]time.Time{c.suspects, c.liars, c.caught} {
		maps.DeleteFunc(m, func(_ types.Operator, until time.Time) bool { return !now.Before(until) })
	}
	maps.DeleteFunc(c.leftOver, func(_ accusationID, until time.Time) bool { return !now.Before(until) })
	maps.DeleteFunc(c.refusals, func(_ types.Operator, r refusals) bool { return now.Sub(r.last) >= refusalsFor })
	maps.DeleteFunc(c.left, func(_ types.Operator, d departure) bool { return !now.Before(d.until) })
	maps.DeleteFunc(c.late, func(_ types.Operator, l lateness) bool { return !now.Before(l.until) })
	maps.DeleteFunc(c.charges, func(_ types.Operator, d charge) bool { return !now.Before(d.until) })
	maps.DeleteFunc(c.doubts, func(_ types.Operator, d doubt) bool { return !now.Before(d.until) })
	maps.DeleteFunc(c.pinged, func(_ types.Operator, at time.Time) bool { age := now.Sub(at); return age < 0 || age >= pongPause })
	c.repeats.expire(now)
}

// accuse tells the chain of members of a session, as accuseOver does.
func (c *Core) accuse(s *session.Session, culprits []types.Operator, reason types.Reason, now time.Time) {
	c.accuseOver(serves(s).ID, s.TargetAttempt(), s.Context(), culprits, reason, now)
}

// accuseOver tells the chain, with a request that is open, of members of that, unless it or
// the pool has this node's word against the same ones already.
func (c *Core) accuseOver(
	id types.RequestID, attempt uint32, context types.Context, culprits []types.Operator, reason types.Reason, now time.Time,
) {
	request, open := c.requests[id]
	if !open {
		return
	}
	key, ours := c.identity(request)
	if !ours {
		return
	}
	m, _ := request.Member(c.self.Operator)
	for _, op := range culprits {
		a := types.Accusation{
			Request: id, Attempt: attempt, Session: context, Accused: op, Reason: reason,
			Operator: c.self.Operator, IdentityVersion: m.IdentityVersion,
		}
		if !c.accusationWanted(&a) {
			continue
		}
		a.Sign(c.opts.ChainID, key)
		c.pool.addAccusation(a, now)
	}
}

// suspicion says how gladly an initiator would do without somebody: with how many
// others it has a quarrel, whoever accuses whom, on chain or by leaving a session over
// it. Of two that quarrel one is to
// blame, or the network between them. Honest members quarrel with dishonest ones
// only; who lies to many, or accuses many, quarrels with many. Who left a session
// and did not say for whom counts as one quarrel more, and each session that failed
// for a lie of nobody knows whom as one more of all its members (see doubtAll). So does
// each stall time that this node waited for somebody of late (see lateness).
func (c *Core) suspicion(op types.Operator) int {
	now := c.opts.Now()
	quarrels, more := make(map[types.Operator]bool), 0
	for _, f := range c.view.Faults {
		switch {
		case f.Proven() && f.Participant == op:
			more = provenSuspicion
		case f.Proven():
		case f.Participant == op:
			quarrels[f.Accuser] = true
		case f.Accuser == op:
			quarrels[f.Participant] = true
		}
	}
	if now.Before(c.liars[op]) {
		more = provenSuspicion
	}
	for pair, until := range c.leftOver {
		switch {
		case !now.Before(until):
		case pair.accused == op:
			quarrels[pair.accuser] = true
		case pair.accuser == op:
			quarrels[pair.accused] = true
		}
	}
	if now.Before(c.suspects[op]) {
		quarrels[c.self.Operator] = true
	}
	if now.Before(c.left[op].until) {
		more++
	}
	if d := c.doubts[op]; now.Before(d.until) {
		more += d.count
	}
	more += c.latenessOf(op, now)
	return more + len(quarrels)
}

// accusationWanted: the request is open, both are members of it, and neither
// the chain nor the pool has one of the same two; or it is a refusal that they lack.
func (c *Core) accusationWanted(a *types.Accusation) bool {
	r, open := c.requests[a.Request]
	if open && a.IsRefusal() {
		return !c.pool.hasAccusation(a) && r.CheckRefusal(c.opts.ChainID, a) == nil
	}
	if !open || a.Attempt > r.Attempt(c.view.Height)+1 || c.pool.hasAccusation(a) {
		return false
	}
	_, accused := r.Member(a.Accused)
	m, accuser := r.Member(a.Operator)
	return accused && accuser && m.IdentityVersion == a.IdentityVersion && !c.accused(a)
}

// accused: the chain has an accusation of the same two.
func (c *Core) accused(a *types.Accusation) bool {
	return slices.ContainsFunc(c.view.Faults, func(f types.Fault) bool {
		return f.Participant == a.Accused && f.Accuser == a.Operator
	})
}

// takeAccusation passes on what a member of an open request says of another.
func (c *Core) takeAccusation(w *wire.Accusation) {
	a, err := types.AccusationFromWire(w)
	if err != nil || !c.accusationWanted(&a) {
		return
	}
	m, _ := c.requests[a.Request].Member(a.Operator)
	if err := a.Verify(c.opts.ChainID, m.IdentityKey); err != nil {
		c.opts.Observer.Dropped(types.ErrProtocolFault)
		c.opts.Log.Debug("accusation dropped", "by", a.Operator, "request", a.Request.String(), "err", err)
		return
	}
	c.explain(&a)
	c.pool.addAccusation(a, c.opts.Now())
}
