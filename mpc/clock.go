package mpc

import (
	"fmt"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// noticeClock says once that it is this node's clock that keeps it out, and not
// that it is behind: it would wait for ever.
func (c *Core) noticeClock(before time.Duration) {
	if c.view.ClockAhead == 0 || before != 0 {
		return
	}
	c.opts.Log.Warn("this node takes part in nothing: blocks keep coming, and all of them are old by its clock",
		"reason", types.ErrCatchingUp, "clock_ahead", c.view.ClockAhead.Round(time.Second), "height", c.view.Height,
		"remedy", types.ErrCatchingUp.Remedy())
}

// noteBehind remembers of an open request, for who inspects it, why this node does not
// answer who leads it.
func (c *Core) noteBehind(id types.RequestID) {
	r, open := c.requests[id]
	if !open {
		return
	}
	if _, member := r.Member(c.self.Operator); !member {
		return
	}
	what := "this node takes itself to be behind the chain, and takes part in nothing"
	if ahead := c.view.ClockAhead; ahead != 0 {
		what = fmt.Sprintf("this node's clock is %s ahead of the chain's: it takes itself to be behind, and takes part in nothing", ahead.Round(time.Second))
	}
	c.history.note(Note{At: c.opts.Now(), Request: id, What: what, Reason: types.ErrCatchingUp})
}

// noteClockAhead does so for what this node would lead now, where it is the clock and the
// view is the chain's.
func (c *Core) noteClockAhead() {
	if c.view.ClockAhead == 0 {
		return
	}
	for id, r := range c.requests {
		if r.Initiator(r.Attempt(c.view.Height)) == c.self.Operator {
			c.noteBehind(id)
		}
	}
}
