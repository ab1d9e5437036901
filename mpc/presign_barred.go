package mpc

import (
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// barred lists the members with whom this node makes and uses no presignatures of a key: those
// that it caught lying, and those against whom the chain has proof.
func (c *Core) barred(r *types.Request) []types.Operator {
	return slices.DeleteFunc(r.Operators(), func(op types.Operator) bool {
		return op == c.self.Operator || c.suspicion(op) < provenSuspicion
	})
}

// dropBarred gives up what this node has with members that it uses none with: it would pass for
// stock, and keep others from being made.
func (c *Core) dropBarred() {
	barred := make(map[types.RequestID][]types.Operator)
	for _, l := range c.ordered() {
		r := l.Request()
		if !l.unused() || l.Phase() != session.Parked || l.Initiator() != c.self.Operator {
			continue
		}
		if _, known := barred[r.ID]; !known {
			barred[r.ID] = c.barred(r)
		}
		bad := slices.DeleteFunc(l.Signers(), func(op types.Operator) bool { return !slices.Contains(barred[r.ID], op) })
		if len(bad) > 0 {
			c.guardSession("a presignature with a liar", l, func() { l.GiveUp(bad) })
		}
	}
}

// ready: a request that this node leads now could be signed with it.
func (c *Core) ready(l *live) bool {
	now := c.opts.Now()
	return l.Usable() && l.Initiator() == c.self.Operator && !slices.ContainsFunc(l.Signers(), func(op types.Operator) bool {
		return op != c.self.Operator && (now.Before(c.suspects[op]) || now.Before(c.liars[op]))
	})
}
