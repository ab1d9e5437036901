package mpc

import (
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// sayRefusal tells the chain, and so whoever asked, that this node will not sign what a
// request asks for, and why: once for each request, whatever it says of the next attempts.
// What it cannot read just now is no refusal.
func (c *Core) sayRefusal(r *types.Request, why error) {
	reason := types.ReasonOf(why)
	key, ours := c.identity(r)
	if !ours || !types.Refusable(reason) {
		return
	}
	m, _ := r.Member(c.self.Operator)
	a := r.Refusal(c.opts.ChainID, m, reason)
	if !c.accusationWanted(&a) {
		return
	}
	a.Sign(c.opts.ChainID, key)
	c.pool.addAccusation(a, c.opts.Now())
	c.opts.Log.Warn("this node refuses to sign, and says so on chain", "request", r.ID.String(), "reason", reason,
		"remedy", reason.Remedy(), "err", why)
}
