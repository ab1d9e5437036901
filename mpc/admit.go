package mpc

import (
	"context"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

const (
	// maxParked bounds Prepares that wait for this node's next block: one of
	// each of MaxMembers for a few requests.
	maxParked = 256
	// parkedAge is several blocks; an honest initiator is one ahead.
	parkedAge = 10 * time.Second
	// attemptSlack is how many blocks after its end an attempt may still be
	// opened here: initiator and members do not commit at the same instant.
	attemptSlack = 2
	// maxAhead is how many blocks an initiator may be ahead of a node that waits for them
	// with its Prepare. What is of heights far above is of before a rollback, or was made up,
	// and would be in the way of what is said now.
	maxAhead = 64
	// maxParkedPerSender: an honest initiator leads a few requests of one block. Those of
	// the earliest blocks make room for later ones.
	maxParkedPerSender = 16
)

// parkedPrepare waits for a view in which it makes sense.
type parkedPrepare struct {
	prepare types.Verified
	until   time.Time
	reason  types.Reason
	// height is the last block that its sender saw.
	height int64
}

// handlePrepare answers the initiator of an attempt.
func (c *Core) handlePrepare(v types.Verified, now time.Time) {
	if c.self.Operator == "" || c.view.CatchingUp {
		if id, _, err := session.DecodePrepare(v); err == nil {
			c.noteBehind(id)
		}
		c.opts.Observer.Dropped(types.ErrCatchingUp)
		return
	}
	if _, known := c.sessions[v.Hash()]; known {
		return // sent again; our Ready is being sent again too
	}
	id, attempt, err := session.DecodePrepare(v)
	if err != nil {
		c.opts.Observer.Dropped(types.ErrProtocolFault)
		return
	}
	if id.Kind == types.KindPresign {
		c.joinPresign(v, id, attempt, now)
		return
	}
	reason := c.admit(v, id, attempt)
	if reason == "" {
		c.join(v, c.requests[id], attempt, now)
		return
	}
	end := c.outcomeFor(v, id)
	switch {
	case end.decided:
		c.refuse(v, id, types.ErrAlreadyDecided, end.result)
	case c.waitsForBlock(v, id, attempt, reason):
		c.park(v, reason, now)
	default:
		c.refuse(v, id, reason, nil)
	}
}

// admit checks a Prepare against this node's own committed state and store.
// An empty reason: join.
func (c *Core) admit(v types.Verified, id types.RequestID, attempt uint32) types.Reason {
	r, open := c.requests[id]
	if !open {
		return types.ErrUnknownRequest
	}
	member, ok := r.Member(v.From())
	switch {
	case !ok || member.IdentityVersion != v.Header().IdentityVersion:
		return types.ErrWrongInitiator
	case r.Expired(c.view.Height):
		return types.ErrExpired
	case attempt != r.Attempt(c.view.Height) && attempt != r.Attempt(c.view.Height-attemptSlack):
		return types.ErrWrongAttempt
	case v.From() != r.Initiator(attempt) || slices.Contains(c.shunned(r, attempt), v.From()):
		return types.ErrWrongInitiator
	}
	if _, taken := c.attempts[attemptID{id, attempt}]; taken {
		return types.ErrWrongAttempt
	}
	if _, before := c.records[types.RecordKey{KeyID: r.KeyID, Epoch: r.Epoch, Session: v.Hash()}]; before {
		return types.ErrInterrupted // this node took part in it before it restarted
	}
	if c.pool.hasSignature(id.ID) && id.Kind == types.KindSign {
		return types.ErrAlreadyDecided
	}
	if reason := c.inProgress(r, attempt, v.From()); reason != "" {
		return reason
	}
	if !c.fits(v, r, attempt) {
		return types.ErrProtocolFault
	}
	return c.able(r)
}

// fits: a session can be made of a Prepare. One of which none can costs nothing: no
// write, no other session, and one line in the log for each attempt, whose initiator
// alone can send it.
func (c *Core) fits(v types.Verified, r *types.Request, attempt uint32) bool {
	err := session.CheckPrepare(v)
	if id := (attemptID{r.ID, attempt}); err != nil && !c.misfits[id] {
		c.misfits[id] = true
		c.opts.Log.Warn("a Prepare cannot be answered", "request", r.ID.String(), "attempt", attempt, "err", err,
			"reason", types.ErrProtocolFault, "remedy", types.ErrProtocolFault.Remedy())
	}
	return err == nil
}

// inProgress says whether another session of the same request stands in the
// way. One that nobody started gives way to a later attempt, and a presignature to
// what its own owner does instead.
func (c *Core) inProgress(r *types.Request, attempt uint32, leader types.Operator) types.Reason {
	for _, l := range c.sessions {
		if serves(l.Session).ID != r.ID || l.presign() && l.Initiator() == leader {
			continue
		}
		switch l.Phase() {
		case session.Running:
			if !l.givesWay() {
				return types.ErrInProgress
			}
		case session.Waiting, session.Preparing:
			if l.Attempt() >= attempt {
				return types.ErrInProgress
			}
		}
	}
	if c.stagedLately(r) {
		return types.ErrInProgress
	}
	return ""
}

// stagedLately: this node finished a session of the request a moment ago, maybe
// in its last life; the others are probably about to.
func (c *Core) stagedLately(r *types.Request) bool {
	now := c.opts.Now()
	for k := range c.byKey[r.KeyID] {
		rec := c.records[k]
		age := now.Sub(rec.Updated) // below zero if the clock was set back
		if rec.Request == r.ID && c.answers(rec, r) && rec.Status != types.StatusError && rec.HasData && age >= 0 && age < c.opts.Timing.Stall {
			return true
		}
	}
	return false
}

// able checks what this node itself needs for a session of the request.
func (c *Core) able(r *types.Request) types.Reason {
	if _, ok := c.identity(r); !ok {
		return c.withoutIdentity(r)
	}
	if _, err := c.opts.Protocols.Protocol(r.ID.Kind, r.Algorithm); err != nil {
		return types.ErrUnsupportedAlgorithm
	}
	if _, destroyed := c.tombstones[r.KeyID]; destroyed {
		return types.ErrKeyDeleted // the chain was rolled back far over it: no share is stored any more
	}
	switch r.ID.Kind {
	case types.KindSign:
		if _, ok := c.share(r); !ok {
			return types.ErrShareMissing
		}
	case types.KindKeygen:
		if _, ok := c.freePreparams(r.ID); !ok {
			return types.ErrNoPreparams
		}
	case types.KindReshare:
		if reason := c.ableToReshare(r); reason != "" {
			return reason
		}
	}
	return ""
}

// makeRoom keeps the number of sessions bounded: one that lingers goes first,
// then one that gives way to others anyway, then the last unstarted one of a
// later request.
func (c *Core) makeRoom(r *types.Request) types.Reason {
	if len(c.sessions)-c.presigns.count < c.opts.MaxSessions {
		return ""
	}
	all := slices.DeleteFunc(c.ordered(), (*live).presign) // those have a limit of their own
	for _, spare := range []func(*live) bool{
		func(l *live) bool { return l.Phase() == session.Lingering }, (*live).givesWay,
	} {
		if i := slices.IndexFunc(all, spare); i >= 0 {
			all[i].Stop(types.ErrSuperseded)
			return ""
		}
	}
	for i := len(all) - 1; i >= 0 && r.Before(all[i].Request()); i-- {
		if all[i].unstarted() {
			all[i].Stop(types.ErrSuperseded)
			return ""
		}
	}
	return types.ErrBusy
}

// waitsForBlock: the initiator has a block more than this node. It says so in the Prepare:
// what somebody says again of a request that is over, or of an attempt, was made before
// blocks that are here.
func (c *Core) waitsForBlock(v types.Verified, id types.RequestID, attempt uint32, reason types.Reason) bool {
	blocks := session.PreparedAt(v) - c.view.Height
	ahead := blocks > 0 && blocks <= maxAhead
	switch reason {
	case types.ErrUnknownRequest:
		return ahead
	case types.ErrWrongAttempt:
		r := c.requests[id]
		return ahead && attempt == r.Attempt(c.view.Height)+1
	case types.ErrShareMissing:
		r := c.requests[id]
		_, staged := c.held(r.KeyID, r.Epoch, r.KeySession)
		return staged // the view that makes it READY comes
	}
	return false
}

// park keeps a Prepare. Where its sender has as many as it may, the one of the earliest
// block goes for one of a later block: what others say again of that sender keeps out
// nothing that it says later. Of one block those that came first stay, since they are of
// the requests that all nodes serve first.
func (c *Core) park(v types.Verified, reason types.Reason, now time.Time) {
	own, earliest, height := 0, 0, session.PreparedAt(v)
	for i, p := range c.parked {
		if p.prepare.Hash() == v.Hash() {
			return
		}
		if p.prepare.From() != v.From() {
			continue
		}
		if own++; own == 1 || p.height <= c.parked[earliest].height { // of one block the last
			earliest = i
		}
	}
	full := own >= maxParkedPerSender
	if full || len(c.parked) >= maxParked {
		c.opts.Observer.Dropped(types.ErrBusy)
		if !full || height <= c.parked[earliest].height {
			return
		}
		c.parked = slices.Delete(c.parked, earliest, earliest+1)
	}
	c.parked = append(c.parked, parkedPrepare{v, now.Add(parkedAge), reason, height})
}

// retryParked looks at parked Prepares again in a new view.
func (c *Core) retryParked() {
	waiting := c.parked
	c.parked = nil
	for _, p := range waiting {
		before := len(c.parked)
		c.contain(wordOf(p.prepare), func() { c.handlePrepare(p.prepare, c.opts.Now()) })
		if len(c.parked) > before {
			c.parked[len(c.parked)-1].until = p.until // it does not wait longer for that
		}
	}
}

func (c *Core) expireParked(now time.Time) {
	waiting := c.parked
	c.parked = nil
	for _, p := range waiting {
		if now.Before(p.until) {
			c.parked = append(c.parked, p)
			continue
		}
		c.contain(wordOf(p.prepare), func() {
			if id, _, err := session.DecodePrepare(p.prepare); err == nil {
				c.refuse(p.prepare, id, p.reason, c.outcomeFor(p.prepare, id).result)
			}
		})
	}
}

// refuse tells the initiator why this node does not take part, and the result
// if there is one. Without the identity that the request pinned it does so under the
// one that it has: the initiator need not take it for silent.
func (c *Core) refuse(v types.Verified, id types.RequestID, reason types.Reason, result *wire.Gossip) {
	if !c.isParticipant(v.From()) || c.self.Key == nil || c.repeats.again(v.Hash(), c.opts.Now()) {
		return
	}
	if _, open := c.requests[id]; open {
		c.history.note(Note{At: c.opts.Now(), Request: id, What: "this node refuses an attempt", Reason: reason, Of: v.From()})
	}
	refusal := wire.Refuse{Reason: string(reason), Result: result}
	body, err := refusal.Marshal()
	if err != nil {
		c.opts.Log.Error("encode a Refuse", "err", err)
		return
	}
	hash := v.Hash()
	h := &wire.Header{
		ChainId: c.opts.ChainID, Context: hash[:], Kind: wire.KIND_REFUSE, From: string(c.self.Operator),
		IdentityVersion: c.self.Version, To: v.Header().From, Sequence: 1,
		RequestKind: uint32(id.Kind), RequestId: id.ID,
	}
	key := c.self.Key
	if r, open := c.requests[id]; open {
		if pinned, ok := c.identity(r); ok {
			m, _ := r.Member(c.self.Operator)
			h.IdentityVersion, key = m.IdentityVersion, pinned
		}
	}
	c.opts.Transport.Send(v.From(), types.SignEnvelope(h, body, key))
}

func (c *Core) isParticipant(op types.Operator) bool {
	_, ok := c.view.Roster.Current(op)
	return ok
}

// decided: the chain has its word on a keygen that is no longer open.
func (c *Core) decided(id types.RequestID) bool {
	key, known := c.chainKey(context.Background(), types.KeyID(id.ID))
	return known && key.Status != types.KeyPending
}

func (c *Core) signatureResult(id types.RequestID) *wire.Gossip {
	if g := c.pool.signature(id.ID); g != nil {
		return g
	}
	if _, open := c.requests[id]; open {
		return nil
	}
	s, done, err := c.opts.Chain.Signature(context.Background(), id.ID)
	if err != nil || !done {
		return nil
	}
	return &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: s.ToWire()}}
}

// keygenResult is this node's attestation of the session that the chain chose,
// if it holds that session's share.
func (c *Core) keygenResult(id types.RequestID) *wire.Gossip {
	key, known := c.view.Keys[types.KeyID(id.ID)]
	if !known || key.Status != types.KeyReady {
		return nil
	}
	r, held := c.held(key.ID, key.Epoch, key.Session)
	if !held || r.Request != id {
		return nil
	}
	public, ok := c.view.Roster.Key(c.self.Operator, r.IdentityVersion)
	if !ok {
		return nil
	}
	private, ok := c.privateKey(public)
	if !ok {
		return nil
	}
	a := c.attestationOf(r)
	a.Sign(c.opts.ChainID, private)
	return &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}}
}
