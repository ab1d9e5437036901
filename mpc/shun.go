package mpc

import "github.com/sequencer-mpc/sequencer/mpc/types"

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
// request: those who kept one from its end, until everybody else had a turn.
// Nobody, if too few others remain.
//
// Suspicion alone would not do. Honest members that wait for the same liar in
// different sessions refuse each other's attempts for that time, and each would
// take the liar again, who is always ready.
func (c *Core) shunned(r *types.Request, attempt uint32) []types.Operator {
	var ops []types.Operator
	for op, last := range c.spoilers[r.ID] {
		if attempt <= last+uint32(len(r.Members)) {
			ops = append(ops, op)
		}
	}
	if !r.CanDoWithout(ops) {
		return nil
	}
	return ops
}
