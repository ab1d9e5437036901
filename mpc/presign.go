package mpc

import (
	"encoding/binary"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// A presignature is the part of a signature that does not depend on what is signed,
// made ahead of time by t+1 participants of a READY key, one of which leads, and owns
// it: only for requests that the owner leads is it used. See session.Parker for how it
// stops and goes on. It is in memory only, and lost with the process. A node makes one
// of its own at a time, while it has no session of a request under way.

const (
	// presignMaxAge bounds what a presignature may outlive unseen, by this node's clock and by
	// the chain's. It is as long as one can be expected to be of use at a rate of requests for
	// which it matters.
	presignMaxAge = time.Hour
	// presignSlack is how many blocks a Prepare of a presignature may be older or newer
	// than this node's last one.
	presignSlack = 5
	// presignExtra is how many more than the target an owner may have here: it drops one
	// before this node hears of it.
	presignExtra = 2
	// presignAskPace is how long an owner that wants more than there is room for is not asked
	// again what it has: every question looks at all sessions.
	presignAskPace = 2 * time.Second
	// A participant may let this node compute for nothing as often as a restart of it explains,
	// which ends its own and this node's with it, and a few more times, in each presignWasteFor.
	presignWasteFor   = 10 * time.Minute
	presignWasteExtra = 8
	// presignPace is the least time between two Prepares of one owner.
	presignPace = 250 * time.Millisecond
	// maxDisowned bounds how often in a tick one participant is told that a presignature
	// does not exist.
	maxDisowned = 64
)

// presigns is what the engine knows of presignatures beside their sessions.
type presigns struct {
	// keys are READY keys of which this node can make some, by the id of the request,
	// and requests what was made of them since the last block.
	keys     map[string]types.KeyID
	requests map[string]*types.Request
	// count is how many sessions there are, those that wait included.
	count int
	// due: something changed that may let this node make one.
	due bool
	// seen are the attempts that this node took part in, with the height of each.
	seen map[attemptID]int64
	// pauses of keys for which one could not be made, and losses of those of which some
	// were lost that had been made.
	pauses, losses map[types.KeyID]pause
	// used is when a signature of a key was last asked for.
	used map[types.KeyID]time.Time
	// tries is how many presignatures of an owner were used in vain for a request.
	tries map[useBy]int
	// busy are requests of which a signer of this node's was in another session when this
	// node used one, with the attempt.
	busy map[types.RequestID]uint32
	// wasted counts what came to nothing of what this node computed, by whom it was for.
	wasted map[types.Operator]waste
	// joined is when an owner's Prepare was taken last.
	joined map[types.Operator]time.Time
	// asked is when an owner was asked last whether it has its own still.
	asked    map[types.Operator]time.Time
	disowned map[types.Operator]int
	// excused counts losses for which an owner named somebody, by both.
	excused map[accusationID]waste
	// dropped are those that others said the chain has no use for.
	dropped []droppedPresign
}

// notes counts what is remembered for some blocks, or while a request is open.
func (p *presigns) notes() int {
	return len(p.seen) + len(p.tries) + len(p.busy) + len(p.joined) + len(p.asked) + len(p.disowned) + len(p.dropped)
}

// useBy is for what whose presignatures are used.
type useBy struct {
	request types.RequestID
	owner   types.Operator
}

func newPresigns() presigns {
	return presigns{
		seen: make(map[attemptID]int64), pauses: make(map[types.KeyID]pause), losses: make(map[types.KeyID]pause), used: make(map[types.KeyID]time.Time),
		tries: make(map[useBy]int), wasted: make(map[types.Operator]waste), joined: make(map[types.Operator]time.Time), asked: make(map[types.Operator]time.Time), disowned: make(map[types.Operator]int),
		excused: make(map[accusationID]waste), busy: make(map[types.RequestID]uint32),
	}
}

// presign: the session makes, or made, a presignature.
func (l *live) presign() bool { return l.Request().ID.Kind == types.KindPresign }

// waits: it serves no request so far.
func (l *live) waits() bool { return l.Target() == nil }

// unused: it was ready, and nobody needed it.
func (l *live) unused() bool { return l.waits() && !l.Since().IsZero() }

// usedFor: it is a presignature that is used for a request.
func (l *live) usedFor(r *types.Request) bool {
	return l.presign() && !l.waits() && l.Target().ID == r.ID
}

// serves is the request that a session works for: the one that a presignature is used
// for, or its own.
func serves(s *session.Session) *types.Request {
	if r := s.Target(); r != nil {
		return r
	}
	return s.Request()
}

// adopt notes for which keys of a view this node can make presignatures.
func (p *presigns) adopt(c *Core) {
	p.due = true
	p.keys, p.requests = make(map[string]types.KeyID), make(map[string]*types.Request)
	for id, height := range p.seen {
		if height < c.view.Height-2*presignSlack {
			delete(p.seen, id)
		}
	}
	maps.DeleteFunc(p.tries, func(use useBy, _ int) bool { _, open := c.requests[use.request]; return !open })
	maps.DeleteFunc(p.busy, func(id types.RequestID, _ uint32) bool { _, open := c.requests[id]; return !open })
	now := c.opts.Now()
	maps.DeleteFunc(p.used, func(id types.KeyID, _ time.Time) bool { _, known := c.view.Keys[id]; return !known })
	for _, pauses := range []map[types.KeyID]pause{p.pauses, p.losses} {
		maps.DeleteFunc(pauses, func(_ types.KeyID, until pause) bool { return now.Sub(until.until) >= presignMaxPause })
	}
	maps.DeleteFunc(p.wasted, func(_ types.Operator, w waste) bool { return now.Sub(w.since) >= presignWasteFor })
	maps.DeleteFunc(p.excused, func(_ accusationID, w waste) bool { return now.Sub(w.since) >= presignWasteFor })
	maps.DeleteFunc(p.joined, func(_ types.Operator, at time.Time) bool { return now.Sub(at) >= presignPace })
	maps.DeleteFunc(p.asked, func(_ types.Operator, at time.Time) bool { return now.Sub(at) >= presignAskPace })
	if c.view.Presign <= 0 || c.self.Operator == "" {
		return
	}
	for id := range c.requests {
		if id.Kind == types.KindSign {
			p.used[c.requests[id].KeyID] = c.opts.Now()
		}
	}
	for id, key := range c.view.Keys {
		if key.Status == types.KeyReady && slices.Contains(key.Participants, c.self.Operator) {
			p.keys[key.Session.String()] = id
		}
	}
}

// presignRequest finds what a presignature is for; nil if this node has no part in it.
func (c *Core) presignRequest(id types.RequestID) *types.Request {
	p := &c.presigns
	if r, made := p.requests[id.ID]; made {
		return r
	}
	keyID, ok := p.keys[id.ID]
	if !ok {
		return nil
	}
	key := c.view.Keys[keyID]
	r, ok := types.PresignRequest(&key, c.view.Roster)
	_, member := r.Member(c.self.Operator)
	if _, held := c.share(&r); !ok || !member || !held {
		p.requests[id.ID] = nil
		return nil
	}
	p.requests[id.ID] = &r
	return &r
}

// idle: this node has no session of a request of the chain that is not done, and does not
// hold up consensus as far as it can see. One that waits for its Start counts: what is begun
// before it comes would be computed beside it.
func (c *Core) idle() bool {
	if c.pace.late(c.opts.Now()) {
		return false
	}
	for _, l := range c.sessions {
		if !l.waits() && l.Phase() != session.Lingering {
			return false
		}
	}
	return true
}

// openPresign begins a presignature of this node's own, if it is time for one.
func (c *Core) openPresign(now time.Time) {
	clear(c.presigns.disowned)
	if !c.presigns.due || c.view.CatchingUp || len(c.presigns.keys) == 0 || !c.idle() {
		return
	}
	c.presigns.due = false
	r := c.neediest(now)
	if r == nil {
		return
	}
	attempt, err := c.drawAttempt(r)
	if err != nil {
		c.opts.Log.Error("read randomness for a presignature", "err", err)
		return
	}
	s, err := session.Open(c.presignConfig(r, attempt), now)
	if err != nil {
		c.opts.Log.Error("open a session", "request", r.ID.String(), "key", r.KeyID, "err", err)
		return
	}
	c.registerPresign(s, now)
	s.Announce(now)
}

// presignConfig prefers signers with whom little came to nothing lately, and does without
// those with whom nothing would be used.
func (c *Core) presignConfig(r *types.Request, attempt uint32) session.Config {
	cfg := c.config(r, attempt)
	cfg.Suspicion = func(op types.Operator) int {
		w := c.wasteOf(op)
		return c.suspicion(op) + w.count + w.named
	}
	cfg.Shunned = func(op types.Operator) bool { return c.suspicion(op) >= provenSuspicion }
	return cfg
}

// drawAttempt picks a number under which this node leads, out of so many that no two
// are ever the same.
func (c *Core) drawAttempt(r *types.Request) (uint32, error) {
	turn, _ := r.Turn(c.self.Operator)
	var bz [4]byte
	if _, err := io.ReadFull(c.opts.Rand, bz[:]); err != nil {
		return 0, err
	}
	n := uint32(len(r.Members))
	round := binary.BigEndian.Uint32(bz[:]) % (math.MaxUint32 / n)
	return round*n + turn, nil
}

func (c *Core) registerPresign(s *session.Session, now time.Time) {
	l := &live{Session: s}
	c.presigns.count++
	c.presigns.seen[attemptID{s.Request().ID, s.Attempt()}] = c.view.Height
	c.register(l, now)
}

// neediest is the key that this node makes its next presignature of: of those with too
// few, that of which a signature was asked for last. One that cannot do without members with
// whom none would be used gets none. Nil: none, or this node makes one already.
func (c *Core) neediest(now time.Time) *types.Request {
	if c.presigns.count >= c.opts.MaxPresignatures {
		return nil
	}
	own, all := make(map[string]int), 0
	for _, l := range c.sessions {
		if l.presign() && l.waits() && l.Initiator() == c.self.Operator {
			if l.Phase() != session.Parked {
				return nil
			}
			own[l.Request().ID.ID]++
			all++
		}
	}
	var best *types.Request
	for name, keyID := range c.presigns.keys {
		if own[name] >= c.view.Presign || now.Before(c.presigns.pauses[keyID].until) || now.Before(c.presigns.losses[keyID].until) {
			continue
		}
		r := c.presignRequest(types.RequestID{Kind: types.KindPresign, ID: name})
		if r == nil || all >= c.quota(r) || best != nil && !c.needsMore(r, best, own) || !r.CanDoWithout(c.barred(r)) {
			continue
		}
		best = r
	}
	return best
}

// needsMore orders keys by what they were last used for, then by how many there are.
func (c *Core) needsMore(a, b *types.Request, own map[string]int) bool {
	usedA, usedB := c.presigns.used[a.KeyID], c.presigns.used[b.KeyID]
	switch {
	case !usedA.Equal(usedB):
		return usedA.After(usedB)
	case own[a.ID.ID] != own[b.ID.ID]:
		return own[a.ID.ID] < own[b.ID.ID]
	}
	return a.KeyID < b.KeyID
}

// noticeParked counts a presignature that became ready.
func (c *Core) noticeParked(l *live) {
	if l.parked || l.Phase() != session.Parked {
		return
	}
	l.parked, l.parkedAt = true, c.view.Time
	c.presigns.due = true
	delete(c.presigns.pauses, l.Request().KeyID)
	c.shareClosed(l, "")
	c.opts.Log.Debug("presignature ready", "key", l.Request().KeyID, "session", l.Context().Short(), "owner", l.Initiator())
}

// dropPresigns ends those that can be of no use any more. It comes with each block, before
// anything is used for what the block brings: also with one that is far above the last.
func (c *Core) dropPresigns() {
	for _, l := range c.ordered() {
		if !l.waits() {
			continue
		}
		c.guardSession("the age of a presignature", l, func() {
			if c.useless(l, 0) {
				l.Stop(types.ErrPresignDropped)
			}
		})
	}
	c.guardWork("presignatures with liars", c.dropBarred)
	c.guardWork("dropped presignatures", func() { c.judgeDropped(c.opts.Now()) })
}

// useless: what the chain says now, or its age within this slack, makes a presignature that
// waits good for nothing.
func (c *Core) useless(l *live, slack time.Duration) bool {
	r := c.presignRequest(l.Request().ID)
	return r == nil || !sameIdentities(r, l.Session) || c.presignAge(l)+slack >= presignMaxAge
}

// presignAge is for how long one waits by this node's clock, or by the chain's if that tells of
// more: the clock of a machine that was put back, or stood still, may not know it, and the
// blocks that it is behind do. 0: it does not wait yet.
func (c *Core) presignAge(l *live) time.Duration {
	if l.Since().IsZero() {
		return 0
	}
	age := c.opts.Now().Sub(l.Since())
	if l.parkedAt.IsZero() || c.view.Time.IsZero() {
		return age
	}
	return max(age, c.view.Time.Sub(l.parkedAt))
}

// sameIdentities: those who take part still have the identities that they had.
func sameIdentities(r *types.Request, s *session.Session) bool {
	ops := s.Signers()
	if ops == nil {
		ops = s.Request().Operators()
	}
	for _, op := range ops {
		now, member := r.Member(op)
		then, _ := s.Request().Member(op)
		if !member || now.IdentityVersion != then.IdentityVersion {
			return false
		}
	}
	return true
}

// endPresign forgets a session of a presignature.
func (c *Core) endPresign(l *live, end session.End) {
	if !l.presign() {
		return
	}
	c.presigns.count--
	c.presigns.due = true
	if !c.waitsForBlockOfDrop(l, end) {
		c.chargePresign(l, end)
	}
}

// chargePresign counts one that is over against whoever is to blame if it came to nothing,
// and against its key.
func (c *Core) chargePresign(l *live, end session.End) {
	c.noteWaste(l, end)
	key, now := l.Request().KeyID, c.opts.Now()
	switch {
	case l.Initiator() != c.self.Operator || end.Reason == types.ErrPresignDropped:
	case l.unused():
		prolong(c.presigns.losses, key, now)
	case l.Context().IsZero() && end.Refused && passes(end.Reason):
		rest(c.presigns.pauses, key, now)
	case l.waits():
		prolong(c.presigns.pauses, key, now)
	case end.Reason == "":
		delete(c.presigns.losses, key)
	}
}
