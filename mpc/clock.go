package mpc

import (
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
