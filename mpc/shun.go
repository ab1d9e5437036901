package mpc

import (
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// spoilers are members that kept an attempt at a request from its end, as this
// node saw it itself, and the last such attempt.
type spoilers map[types.Operator]uint32

// shun remembers who kept an attempt at a request from its end.
func (c *Core) shun(r *types.Request, who []types.Operator, attempt uint32) {
	if _, open := c.requests[r.ID]; !open || len(who) == 0 {
		return
	}
	if c.spoilers[r.ID] == nil {
		c.spoilers[r.ID] = make(spoilers)
	}
	for _, op := range who {
		c.spoilers[r.ID][op] = max(c.spoilers[r.ID][op], attempt)
	}
}

// shunned lists whom this node neither takes nor follows in an attempt at a
// request:
//
//   - in reshares, those who revoked the identity that it pinned,
//   - in signatures, those that it caught lying (see liarFor),
//   - those who kept an attempt at it from its end, until everybody else had a turn.
//
// Of these, in this order, only as many as the request can do without: a kind that
// would leave too few others is not shunned at all. So a liar gains nothing by spoiling attempts
// in which honest members look as if they had: it stays out, and they come back.
//
// Suspicion alone would not do. Honest members that wait for the same liar in
// different sessions refuse each other's attempts for that time, and each would
// take the liar again, who is always ready.
func (c *Core) shunned(r *types.Request, attempt uint32) []types.Operator {
	var shunned []types.Operator
	for _, more := range [][]types.Operator{c.revokedOf(r), c.knownLiars(r), c.spoiled(r, attempt)} {
		all := slices.Concat(shunned, more)
		slices.Sort(all)
		if all = slices.Compact(all); r.CanDoWithout(all) {
			shunned = all
		}
	}
	return shunned
}

// revokedOf are the members of a reshare that revoked the identity that it pinned. Nothing
// else goes on without them, see x/mpc.
func (c *Core) revokedOf(r *types.Request) []types.Operator {
	if r.Handover == nil {
		return nil
	}
	var ops []types.Operator
	for _, m := range r.Members {
		if !c.pinned(m) {
			ops = append(ops, m.Operator)
		}
	}
	return ops
}

// knownLiars are the members of a sign request that this node caught. What needs all
// of its members is for their operators to mend.
func (c *Core) knownLiars(r *types.Request) []types.Operator {
	if r.ID.Kind != types.KindSign && r.ID.Kind != types.KindPresign {
		return nil
	}
	var ops []types.Operator
	for op, until := range c.liars {
		if _, member := r.Member(op); member && c.opts.Now().Before(until) {
			ops = append(ops, op)
		}
	}
	return ops
}

func (c *Core) spoiled(r *types.Request, attempt uint32) []types.Operator {
	var ops []types.Operator
	for op, last := range c.spoilers[r.ID] {
		if attempt <= last+uint32(len(r.Members)) {
			ops = append(ops, op)
		}
	}
	return ops
}
