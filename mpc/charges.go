package mpc

import (
	"maps"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// charge is what this node accuses a participant of until the chain has it: that it did, in a
// session that needs all of its members, what the protocol forbids. An accusation needs a
// request that is open. Who does it in the last attempt at one would go free, again and again,
// so it is accused with the next request that has both as members. It is in memory: a restart
// forgets it. Of who lies in signatures there is none: this node does without it there
// anyway (see liarFor).
type charge struct {
	// context is of the session in which it was.
	context types.Context
	until   time.Time
}

// chargeable: what somebody did in it is for the chain to know, whenever that can be.
func chargeable(s *session.Session) bool {
	kind := s.Request().ID.Kind
	return (kind == types.KindKeygen || kind == types.KindReshare) && !s.Context().IsZero()
}

// charge remembers what some did in a session.
func (c *Core) charge(culprits []types.Operator, context types.Context, now time.Time) {
	for _, op := range culprits {
		c.charges[op] = charge{context, now.Add(liarFor)}
	}
}

// sayCharges accuses those of whom neither the chain nor the pool has this node's word.
func (c *Core) sayCharges(now time.Time) {
	if c.self.Operator == "" {
		return // of nobody there is proof
	}
	for _, op := range slices.Sorted(maps.Keys(c.charges)) {
		said := types.Accusation{Accused: op, Operator: c.self.Operator}
		if c.accused(&said) {
			delete(c.charges, op)
			continue
		}
		if r := c.requestWith(op); r != nil && !c.pool.hasAccusation(&said) {
			c.accuseOver(r.ID, r.Attempt(c.view.Height), c.charges[op].context, []types.Operator{op}, types.ErrProtocolFault, now)
		}
	}
}

// requestWith is the first request, in the order in which all nodes serve them, that is open
// and has some others and this node as members; nil if there is none.
func (c *Core) requestWith(others ...types.Operator) *types.Request {
	members := append(slices.Clone(others), c.self.Operator)
	var first *types.Request
	for _, r := range c.requests {
		if r.Expired(c.view.Height) || first != nil && first.Before(r) {
			continue
		}
		if !slices.ContainsFunc(members, func(op types.Operator) bool { _, ok := r.Member(op); return !ok }) {
			first = r
		}
	}
	return first
}
