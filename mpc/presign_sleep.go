package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// What waits in memory is used once as long as there is one memory. A snapshot of a running
// machine that is put back, or a machine that goes on after it was suspended somewhere, has
// presignatures that were used since then, and neither bindings nor the audit log know of it
// where the disk was put back too. Such a machine slept, or its wall clock is set right soon
// after. What it had then is dropped before anything else happens. This is a second line:
// the clock of a machine that is put back at once may tell nothing. See README.md on what
// operators must not do.

// maxClockJump is by how much the wall clock may move against the monotonic one between two
// looks at both, a tick apart: clocks are slewed by less than a thousandth of that.
const maxClockJump = 2 * time.Second

// awake is when the engine last did something, by both clocks.
type awake struct {
	wall    time.Time
	elapsed time.Duration
}

// noticeSleep drops what waits for requests if this node may have slept. It comes before
// whatever the engine does next.
func (c *Core) noticeSleep() {
	last := c.awake
	c.awake = awake{c.opts.Now().Round(0), c.opts.Elapsed()} // Round strips the monotonic reading
	if last.wall.IsZero() {
		return
	}
	passed := c.awake.elapsed - last.elapsed
	jumped := c.awake.wall.Sub(last.wall) - passed
	if passed <= c.opts.Timing.Stall && jumped.Abs() <= maxClockJump {
		return
	}
	dropped := 0
	for _, l := range c.ordered() {
		if !l.waits() {
			continue
		}
		dropped++
		c.guardSession("presignatures after a sleep", l, func() { l.Stop(types.ErrInterrupted) })
	}
	if dropped > 0 {
		c.opts.Log.Warn("this node slept, or its clock was set: the presignatures that it had are dropped, and made anew",
			"slept", passed.Round(time.Millisecond), "clock_jumped", jumped.Round(time.Millisecond), "dropped", dropped)
	}
}
