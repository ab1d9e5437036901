package mpc

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// openAttempts opens what this node leads now, in the order in which all nodes
// serve requests.
func (c *Core) openAttempts() {
	if c.self.Operator == "" {
		return
	}
	open := make([]*types.Request, 0, len(c.requests))
	for _, r := range c.requests {
		open = append(open, r)
	}
	slices.SortFunc(open, func(a, b *types.Request) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	for _, r := range open {
		c.guardOpening(r, func() { c.openAttempt(r, c.opts.Now()) }) // each has its own time: what was written before it took some
	}
}

func (c *Core) openAttempt(r *types.Request, now time.Time) {
	attempt := r.Attempt(c.view.Height)
	if r.Expired(c.view.Height) || r.Initiator(attempt) != c.self.Operator {
		return
	}
	if _, opened := c.attempts[attemptID{r.ID, attempt}]; opened {
		return
	}
	if c.pool.hasSignature(r.ID.ID) && r.ID.Kind == types.KindSign || c.inProgress(r, attempt, "") != "" {
		return
	}
	if reason := c.able(r); reason != "" {
		c.logOnce(r.ID, reason, "this node leads an attempt but cannot open it")
		return
	}
	if err := c.bind(r); err != nil {
		c.logOnce(r.ID, types.ReasonOf(err), "this node leads an attempt but refuses it")
		return
	}
	if reason := c.makeRoom(r); reason != "" {
		c.logOnce(r.ID, reason, "this node leads an attempt but cannot open it")
		return
	}
	if c.usePresignature(r, attempt, now) {
		return
	}
	c.withdraw(r)
	l := c.reserve(r)
	s, err := session.Open(c.config(r, attempt), now)
	if err == nil {
		err = c.stage(s.ID(), r, attempt)
	}
	if err != nil {
		c.release(l)
		c.opts.Log.Error("open a session", "request", r.ID.String(), "attempt", attempt, "err", err)
		return
	}
	l.Session = s
	c.register(l, now)
	s.Announce(now)
	c.opts.Log.Info("attempt opened", "request", r.ID.String(), "attempt", attempt, "session", s.ID().Short(),
		"members", len(r.Members), "needed", r.SignersNeeded())
}

// join answers a Prepare with Ready. What must be durable before Ready is
// written first.
func (c *Core) join(v types.Verified, r *types.Request, attempt uint32, now time.Time) {
	if err := c.bind(r); err != nil {
		c.logOnce(r.ID, types.ReasonOf(err), "this node refuses a request")
		c.refuse(v, r.ID, types.ReasonOf(err), nil)
		return
	}
	if reason := c.makeRoom(r); reason != "" {
		c.refuse(v, r.ID, reason, nil)
		return
	}
	c.withdraw(r)
	l := c.reserve(r)
	s, err := session.Join(c.config(r, attempt), v, now)
	if err != nil {
		c.release(l)
		c.opts.Log.Error("join a session", "request", r.ID.String(), "attempt", attempt, "err", err)
		c.refuse(v, r.ID, types.ErrProtocolFault, nil)
		return
	}
	if err := c.stage(s.ID(), r, attempt); err != nil {
		c.release(l)
		c.opts.Log.Error("write a pending record", "request", r.ID.String(), "err", err)
		c.refuse(v, r.ID, types.ErrStorage, nil)
		return
	}
	l.Session = s
	c.register(l, now)
	s.Announce(now)
	c.opts.Log.Info("ready", "request", r.ID.String(), "attempt", attempt, "session", s.ID().Short(), "leader", v.From())
}

func (c *Core) register(l *live, now time.Time) {
	l.since = now
	c.sessions[l.ID()] = l
	c.history.follow(l, now)
	if !l.presign() {
		c.attempts[attemptID{l.Request().ID, l.Attempt()}] = l.ID()
	}
	c.opts.Observer.SessionOpened(l.Request().ID, l.ID())
}

// bindOpen binds all open requests that this node may sign, in one write: a block may
// have hundreds, a slow disk takes 40 ms for each write, and a loop that is busy with
// them is mute. It comes with the block that commits a request, so nothing of the
// request was signed or answered before. What differs from what a request is bound to
// already is found by bind.
func (c *Core) bindOpen() error {
	if c.self.Operator == "" || c.view.CatchingUp {
		c.noteClockAhead()
		return nil
	}
	var bindings []types.Binding
	var seen []types.RequestID
	for id, r := range c.requests {
		if c.bound[id] || !c.mayBind(r) {
			continue
		}
		// What is refused is not bound. It is looked at again by bind, if anybody asks.
		seen = append(seen, id)
		c.guard(task{"understanding a request", id.String()}, nil, func() {
			if err := c.understand(r); err != nil {
				c.sayRefusal(r, err)
				return
			}
			bindings = append(bindings, r.Binding())
		})
	}
	if err := c.bindAll(bindings); err != nil {
		return err
	}
	for _, id := range seen {
		c.bound[id] = true
	}
	return nil
}

func (c *Core) bindAll(bindings []types.Binding) error {
	if len(bindings) == 0 {
		return nil
	}
	slices.SortFunc(bindings, func(a, b types.Binding) int { return strings.Compare(a.SignatureID, b.SignatureID) })
	if err := c.wrote(c.opts.Store.BindDigests(bindings)); err != nil {
		return fmt.Errorf("bind %d requests to their digests: %w", len(bindings), err)
	}
	return nil
}

// mayBind: this node can be asked to sign it, and it is bound to a digest at all.
func (c *Core) mayBind(r *types.Request) bool {
	if r.ID.Kind != types.KindSign || r.Test || r.Expired(c.view.Height) || types.ValidateDigest(r.Digest) != nil {
		return false
	}
	_, member := c.identity(r)
	_, holds := c.share(r)
	return member && holds
}

// bind ties a sign request to its key and digest, durably, before this node says
// Ready: no rollback, restart or initiator can make it sign another one under
// the same id.
//
// The epoch is not bound. A chain that is rolled back over a reshare may commit the
// request again for the shares of another epoch, and it must be signed then. What is
// signed is the same digest by the same key. That no nonce serves twice does not rest
// on the binding: each session draws its own, in memory alone, after its members'
// fresh Readys made its context unique, and they go when it ends. A presignature is such
// a session too, which is told once what it is for: session.Parker. So the signatures of two epochs for
// one request are as independent as those of two attempts in one epoch. Which shares
// sign is committed state's to say, never the binding's: see share.
func (c *Core) bind(r *types.Request) error {
	if r.ID.Kind != types.KindSign {
		return nil
	}
	if err := types.ValidateDigest(r.Digest); err != nil {
		return err
	}
	if r.Test {
		// The digest follows from the session of the very shares that sign it, and the seed. A
		// binding would add nothing, and stand in the way where the chain goes on under another
		// id, or after a rollback opens the test anew, with another seed or of another session.
		if string(r.Digest) != string(c.testDigest(r)) {
			return types.ErrBadDigest
		}
		return nil
	}
	err := c.understand(r)
	if err == nil { // it writes nothing if bindOpen did
		err = c.wrote(c.opts.Store.BindDigest(r.ID.ID, r.BindingHash(), r.Digest))
	}
	if err != nil {
		c.sayRefusal(r, err)
		return fmt.Errorf("bind %s to its digest: %w", r.ID, err)
	}
	return nil
}

// withdraw ends unstarted sessions of earlier attempts. One that lingers goes on:
// somebody may still lack its last Confirms, and its session may win.
func (c *Core) withdraw(r *types.Request) {
	for _, l := range c.ordered() {
		if l.Request().ID == r.ID && l.unstarted() || l.usedFor(r) {
			l.Stop(types.ErrSuperseded)
		}
	}
}

func (l *live) unstarted() bool {
	return l.Phase() == session.Waiting || l.Phase() == session.Preparing
}

// reserve takes pre-parameters out of the pool, in memory only.
func (c *Core) reserve(r *types.Request) *live {
	l := &live{}
	if c.receives(r) {
		if id, ok := c.freePreparams(r.ID); ok {
			l.preparams = id
			c.reserved[id] = true
		}
	}
	return l
}

func (c *Core) release(l *live) {
	if l.preparams != 0 {
		delete(c.reserved, l.preparams)
		l.preparams = 0
	}
}

// freePreparams finds a set that nobody else reserved. What an unstarted session
// of the same request holds is as good as free: it is withdrawn first.
func (c *Core) freePreparams(request types.RequestID) (uint64, bool) {
	own := make(map[uint64]bool)
	for _, l := range c.sessions {
		if l.Request().ID == request && l.unstarted() {
			own[l.preparams] = true
		}
	}
	ids, err := c.opts.Store.Preparams()
	if err != nil {
		c.opts.Log.Error("list pre-parameters", "err", err)
		return 0, false
	}
	for _, id := range ids {
		if !c.reserved[id] || own[id] {
			return id, true
		}
	}
	return 0, false
}

// stage writes the PENDING record of a session that makes this node a share.
func (c *Core) stage(id types.SessionID, r *types.Request, attempt uint32) error {
	if !c.receives(r) {
		return nil
	}
	m, _ := r.Member(c.self.Operator)
	now := c.opts.Now()
	return c.putRecord(types.Record{
		RecordKey: types.RecordKey{KeyID: r.KeyID, Epoch: r.Epoch, Session: id},
		Algorithm: r.Algorithm, Status: types.StatusPending, Participants: r.Committee(), Threshold: r.Threshold,
		Request: r.ID, Attempt: attempt, Commitment: r.Commitment(c.opts.ChainID), IdentityVersion: m.IdentityVersion, Created: now,
	})
}

func (c *Core) config(r *types.Request, attempt uint32) session.Config {
	key, _ := c.identity(r)
	protocol, _ := c.opts.Protocols.Protocol(r.ID.Kind, r.Algorithm) // able() has seen it
	return session.Config{
		ChainID: c.opts.ChainID, Request: *r, Attempt: attempt, Height: c.view.Height, Self: c.self.Operator, Identity: key,
		Protocol: protocol, Host: c, Rand: c.opts.Rand, Suspicion: c.suspicion, Timing: c.opts.Timing,
		Ahead: c.ahead, Late: c.noteLate,
		Deals: c.deals(r), Shunned: func(op types.Operator) bool { return slices.Contains(c.shunned(r, attempt), op) },
	}
}

// logOnce writes what keeps this node from leading an attempt, once for each
// new reason.
func (c *Core) logOnce(id types.RequestID, reason types.Reason, what string) {
	if c.lastLog[id] == reason {
		return
	}
	c.lastLog[id] = reason
	c.history.note(Note{At: c.opts.Now(), Request: id, What: what, Reason: reason})
	c.opts.Log.Warn(what, "request", id.String(), "reason", reason, "remedy", reason.Remedy())
}
