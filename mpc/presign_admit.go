package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// joinPresign answers the Prepare of a presignature.
func (c *Core) joinPresign(v types.Verified, id types.RequestID, attempt uint32, now time.Time) {
	r := c.presignRequest(id)
	if reason := c.admitPresign(v, id, attempt); reason != "" {
		if reason == types.ErrBusy && c.crowded(r, v.From()) {
			c.askOwner(v.From(), now)
		}
		c.refuse(v, id, reason, nil)
		return
	}
	c.presigns.joined[v.From()] = now
	s, err := session.Join(c.presignConfig(r, attempt), v, now)
	if err != nil {
		c.opts.Log.Warn("a Prepare cannot be answered", "request", id.String(), "key", r.KeyID, "attempt", attempt, "err", err)
		c.refuse(v, id, types.ErrProtocolFault, nil)
		return
	}
	c.registerPresign(s, now)
	s.Announce(now)
}

// admitPresign checks a Prepare against this node's own committed state and memory.
// An empty reason: join.
func (c *Core) admitPresign(v types.Verified, id types.RequestID, attempt uint32) types.Reason {
	r := c.presignRequest(id)
	if r == nil {
		return types.ErrUnknownRequest
	}
	member, ok := r.Member(v.From())
	_, liar := c.liars[v.From()]
	at, commitment := session.PreparedFor(v)
	ours := r.Commitment(c.opts.ChainID)
	switch {
	case !ok || member.IdentityVersion != v.Header().IdentityVersion || v.From() != r.Initiator(attempt) || liar:
		return types.ErrWrongInitiator
	case at < c.view.Height-presignSlack || at > c.view.Height+presignSlack:
		return types.ErrWrongAttempt
	case string(commitment) != string(ours[:]):
		return types.ErrWrongAttempt // somebody's identity is another one in its last block than in ours
	}
	if _, before := c.presigns.seen[attemptID{id, attempt}]; before {
		return types.ErrWrongAttempt
	}
	if _, ok := c.identity(r); !ok {
		return c.withoutIdentity(r)
	}
	if c.presigns.count >= c.opts.MaxPresignatures || !c.idle() || !c.hasRoom(r, v.From()) {
		return types.ErrBusy
	}
	return ""
}

// hasRoom: this owner has not too many here, and makes no other one.
func (c *Core) hasRoom(r *types.Request, owner types.Operator) bool {
	for _, l := range c.sessions {
		if l.stockOf(owner) && l.Phase() != session.Parked {
			return false
		}
	}
	return !c.crowded(r, owner) && !c.wastes(owner) && c.opts.Now().Sub(c.presigns.joined[owner]) >= presignPace
}

// stockOf: it is one of this owner's that waits for a request, or will.
func (l *live) stockOf(owner types.Operator) bool {
	return l.presign() && l.waits() && l.Initiator() == owner
}

// crowded: this owner has as many here as it may, of the key or in all.
func (c *Core) crowded(r *types.Request, owner types.Operator) bool {
	own, all := 0, 0
	for _, l := range c.sessions {
		if !l.stockOf(owner) {
			continue
		}
		all++
		if l.Request().ID == r.ID {
			own++
		}
	}
	return own >= c.view.Presign+presignExtra || all >= c.quota(r)
}

// askOwner asks who wants more, and has many here, whether it has them still. An owner makes
// no more than it may: it lost some, and where it has no connection of its own to this node
// nothing else tells of its restart.
func (c *Core) askOwner(owner types.Operator, now time.Time) {
	if at, asked := c.presigns.asked[owner]; asked && now.Sub(at) < presignAskPace {
		return
	}
	c.presigns.asked[owner] = now
	for _, l := range c.ordered() {
		if l.stockOf(owner) {
			c.guardSession("an owner that wants more", l, func() { l.Probe(owner, now) })
		}
	}
}

// quota is how many one owner may have here, of all keys: nobody's keep out those of
// others.
func (c *Core) quota(r *types.Request) int { return c.opts.MaxPresignatures / max(len(r.Members), 1) }

// asksForPart: its sender takes this node to have a part of a presignature: it says that it
// has its own, or what it uses it for. Of what ended in this life of the node it hears otherwise.
func (c *Core) asksForPart(v types.Verified) bool {
	h := v.Header()
	return h.Kind == wire.KIND_PARKED || session.IsConsume(h) && !c.early.over(types.Context(h.Context))
}

// disown tells who asks that this node has no part of a presignature: it restarted, or
// dropped it long ago. It says so to the one that asks, for that one alone to use: a word that
// could be shown to others would let an owner make them believe that this node left what it is
// about to begin.
func (c *Core) disown(v types.Verified) {
	h := v.Header()
	if v.Request().Kind != types.KindPresign || c.view.Presign <= 0 || c.self.Key == nil || c.presigns.disowned[v.From()] >= maxDisowned || !c.isParticipant(v.From()) {
		return
	}
	c.presigns.disowned[v.From()]++
	refusal := wire.Refuse{Reason: string(types.ErrPresignLost)}
	body, err := refusal.Marshal()
	if err != nil {
		c.opts.Log.Error("encode a Refuse", "err", err)
		return
	}
	c.opts.Transport.Send(v.From(), types.SignEnvelope(&wire.Header{
		ChainId: c.opts.ChainID, Context: h.Context, Kind: wire.KIND_REFUSE, From: string(c.self.Operator), To: string(v.From()),
		IdentityVersion: c.self.Version, Sequence: 1, RequestKind: h.RequestKind, RequestId: h.RequestId,
	}, body, c.self.Key))
}
