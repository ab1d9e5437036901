package mpc

import (
	"errors"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	// maxPresignTries presignatures of one owner are used in vain for one request before it
	// is signed without; its signers let it use no more either.
	maxPresignTries = 3
	// consumeAge is how long a signer waits for the block that has the request: several
	// blocks; an honest owner is one ahead, and gives up earlier.
	consumeAge = 10 * time.Second
)

// errUsePanicked: nobody knows who heard what it is for, so it is gone.
var errUsePanicked = errors.New("it panicked, and the presignature ended")

// usePresignature signs a request that this node leads an attempt of with a
// presignature, if it has one whose signers are beyond suspicion. The request is bound
// to its digest by now.
func (c *Core) usePresignature(r *types.Request, attempt uint32, now time.Time) bool {
	if r.ID.Kind != types.KindSign || c.presigns.count == 0 || c.presigns.tries[useBy{r.ID, c.self.Operator}] >= maxPresignTries {
		return false
	}
	if in, busy := c.presigns.busy[r.ID]; busy && in == attempt {
		return false
	}
	l := c.bestPresignature(r, attempt)
	if l == nil {
		return false
	}
	c.withdraw(r)
	l.since = now
	c.shareOpenedFor(l, r, attempt)
	err := errUsePanicked
	c.guardSession("the use of a presignature", l, func() { err = l.Consume(*r, attempt, now) })
	if err != nil {
		c.opts.Log.Error("use a presignature", "request", r.ID.String(), "session", l.Context().Short(), "err", err)
		l.Stop(types.ErrPresignLost)
		return c.broken != nil // nothing is opened instead by an engine that ends
	}
	c.opts.Log.Info("attempt opened with a presignature", "request", r.ID.String(), "attempt", attempt, "session", l.Context().Short(),
		"signers", l.Signers())
	return true
}

// bestPresignature is the one of this node's that fits whose signers are least suspected,
// and of those the oldest. Only whom this node itself knows to be no good is not taken:
// whoever accuses everybody keeps nobody out.
func (c *Core) bestPresignature(r *types.Request, attempt uint32) *live {
	shunned, now := c.shunned(r, attempt), c.opts.Now()
	suspicion := make(map[types.Operator]int)
	unwelcome := slices.Clone(shunned)
	for _, op := range r.Operators() {
		if op == c.self.Operator {
			continue
		}
		suspicion[op] = c.suspicion(op)
		if suspicion[op] >= provenSuspicion || now.Before(c.suspects[op]) {
			unwelcome = append(unwelcome, op)
		}
	}
	var best *live
	least := 0
	for _, l := range c.sessions {
		if !l.presign() || l.Initiator() != c.self.Operator || !l.Usable() {
			continue
		}
		signers, sum := l.Signers(), 0
		for _, op := range signers {
			sum += suspicion[op]
		}
		bad := slices.ContainsFunc(signers, func(op types.Operator) bool { return slices.Contains(unwelcome, op) })
		if bad || !r.SignsWith(l.Request(), signers) || best != nil && (sum > least || sum == least && !older(l, best)) {
			continue
		}
		best, least = l, sum
	}
	return best
}

func older(a, b *live) bool {
	if a.Since().Equal(b.Since()) {
		return a.Attempt() < b.Attempt()
	}
	return a.Since().Before(b.Since())
}

// Consume implements session.Host: what the owner of a presignature says it is used for
// must be what an attempt that it leads may sign by this node's own committed state.
func (c *Core) Consume(s *session.Session, attempt uint32, request string, digest []byte) (*types.Request, types.Reason) {
	l, ok := c.sessions[s.ID()]
	if !ok {
		return nil, types.ErrPresignLost
	}
	now := c.opts.Now()
	if l.asked.IsZero() {
		l.asked = now
	}
	if c.view.CatchingUp && now.Sub(l.asked) < consumeAge {
		return nil, ""
	}
	r, reason := c.admitConsume(s, types.RequestID{Kind: types.KindSign, ID: request}, attempt, digest)
	if reason == types.ErrUnknownRequest && now.Sub(l.asked) < consumeAge {
		return nil, ""
	}
	if reason == "" {
		if err := c.bind(r); err != nil {
			reason = types.ReasonOf(err)
			c.logOnce(r.ID, reason, "this node refuses a request")
		}
	}
	if reason != "" {
		l.refused = reason
		return nil, reason
	}
	c.withdraw(r)
	c.noticeParked(l) // it may have parked this moment
	l.since = now
	c.shareOpenedFor(l, r, attempt)
	c.opts.Log.Info("presignature used", "request", r.ID.String(), "attempt", attempt, "session", s.Context().Short(), "leader", s.Initiator())
	committed := *r // the view goes, the session stays
	return &committed, ""
}

// admitConsume checks a use as admit checks a Prepare. Unknown: this node may be a block
// behind.
func (c *Core) admitConsume(s *session.Session, id types.RequestID, attempt uint32, digest []byte) (*types.Request, types.Reason) {
	r, open := c.requests[id]
	switch {
	case c.view.CatchingUp:
		return nil, types.ErrCatchingUp
	case !open && c.signatureResult(id) != nil:
		return nil, types.ErrAlreadyDecided
	case !open || attempt == r.Attempt(c.view.Height)+1:
		return nil, types.ErrUnknownRequest
	case string(digest) != string(r.Digest):
		return nil, types.ErrBadDigest
	case r.Expired(c.view.Height):
		return nil, types.ErrExpired
	case attempt != r.Attempt(c.view.Height) && attempt != r.Attempt(c.view.Height-attemptSlack):
		return nil, types.ErrWrongAttempt
	case s.Initiator() != r.Initiator(attempt) || slices.Contains(c.shunned(r, attempt), s.Initiator()):
		return nil, types.ErrWrongInitiator
	case !r.SignsWith(s.Request(), s.Signers()), c.presigns.tries[useBy{r.ID, s.Initiator()}] >= maxPresignTries:
		return nil, types.ErrPresignLost
	case c.pool.hasSignature(id.ID):
		return nil, types.ErrAlreadyDecided
	}
	if reason := c.inProgress(r, attempt, s.Initiator()); reason != "" {
		return nil, reason
	}
	if _, ok := c.identity(r); !ok {
		return nil, c.withoutIdentity(r)
	}
	return r, ""
}

// retryConsumes looks in a new view at uses that this node could not judge before.
func (c *Core) retryConsumes(now time.Time) {
	for _, l := range c.ordered() {
		if l.Phase() == session.Parked {
			c.guardSession("the use of a presignature", l, func() { l.RetryConsume(now) })
		}
	}
}

// fallBack counts a presignature that was used and did not become a signature. If it is
// this node's own, the request is signed with another one, or without.
func (c *Core) fallBack(l *live, end session.End, now time.Time) {
	if !l.presign() || l.waits() {
		return
	}
	own := l.Initiator() == c.self.Operator
	if own {
		c.dropAwaited(end.Awaited)
		c.suspect(end.Awaited, now)
	}
	switch end.Reason {
	case "", types.ErrInterrupted, types.ErrExpired, types.ErrAlreadyDecided:
		return
	case types.ErrSuperseded:
		if own {
			return // by what this node follows itself
		}
	}
	r, open := c.requests[l.Target().ID]
	if !open {
		return
	}
	c.presigns.tries[useBy{r.ID, l.Initiator()}]++
	if own && end.LeftFor == types.ErrInProgress {
		// That signer would not let this node use another one now either. By the next attempt
		// that this node leads, its session is over, or the request is decided. All that are
		// ever used for the request are so for the digest that it is bound to.
		c.presigns.busy[r.ID] = l.TargetAttempt()
	}
	if own && !c.view.CatchingUp {
		c.openAttempt(r, now)
	}
}

// dropAwaited drops this node's presignatures with signers that were out of reach when
// one was needed: they are probably so for the next one too.
func (c *Core) dropAwaited(ops []types.Operator) {
	if len(ops) == 0 {
		return
	}
	for _, l := range c.ordered() {
		if l.unused() && l.Phase() == session.Parked && l.Initiator() == c.self.Operator &&
			slices.ContainsFunc(l.Signers(), func(op types.Operator) bool { return slices.Contains(ops, op) }) {
			l.GiveUp(ops)
		}
	}
}
