package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// What waits in memory is used once as long as there is one memory. A snapshot of a running
// machine that is put back, or a machine that goes on after it was suspended somewhere, has
// presignatures that were used since then, and neither bindings nor the audit log know of it
// where the disk was put back too. Such a machine slept, or its wall clock is set right soon
// after, or blocks come of which its clocks know nothing. What it had then is dropped before
// anything else happens. This is a second line: what was used in the last seconds before, or for
// a request that was open at that time already, may be used before anything tells. See README.md
// on what operators must not do.

const (
	// maxClockJump is by how much the wall clock may move against the monotonic one between two
	// looks at both, a tick apart: clocks are slewed by less than a thousandth of that. By so
	// much more than usual may the chain's clock be ahead of the monotonic one, too.
	maxClockJump = 2 * time.Second
	// maxHeightJump is how many blocks may come at once, more than a loop under load misses,
	// where a stall time has no more of them.
	maxHeightJump = 10
	// What the chain's clock is usually ahead follows by one part of driftPart of the time that
	// passes, which is more than clocks drift, and by maxDrift for each block, however long that
	// took.
	driftPart = 5000
	maxDrift  = 100 * time.Millisecond
)

// awake is when the engine last did something, by both clocks.
type awake struct {
	wall    time.Time
	elapsed time.Duration
}

// chainClock compares the times of blocks with the monotonic clock. The zero value has seen no
// block.
type chainClock struct {
	height int64
	// seen is when the block of that height was, lead by how much the times of blocks are ahead.
	seen, lead time.Duration
}

// leaps notes the last block, and reports that blocks came of which the monotonic clock knows
// nothing, be it one by one, or more than most at once. Blocks that are late, or old, are no
// leap, and neither are the next ones in time.
func (k *chainClock) leaps(view *View, elapsed time.Duration, most int64) bool {
	if view.Height == k.height || view.Time.IsZero() {
		return false
	}
	last, lead := *k, time.Duration(view.Time.UnixNano())-elapsed
	*k = chainClock{view.Height, elapsed, lead}
	if last.height == 0 {
		return false
	}
	drift := min((elapsed-last.seen)/driftPart, maxDrift)
	if lead > last.lead+drift+maxClockJump || view.Height > last.height+most {
		return true
	}
	k.lead = max(last.lead-drift, min(lead, last.lead+drift))
	return false
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
	if dropped := c.dropWaiting(); dropped > 0 {
		c.opts.Log.Warn("this node slept, or its clock was set: the presignatures that it had are dropped, and made anew",
			"slept", passed.Round(time.Millisecond), "clock_jumped", jumped.Round(time.Millisecond), "dropped", dropped)
	}
}

// maxBlocksAtOnce is how many blocks may come at once: as many as come in a stall time, as far
// as this node knows how fast they come.
func (c *Core) maxBlocksAtOnce() int64 {
	if c.pace.usual <= 0 {
		return maxHeightJump
	}
	return max(maxHeightJump, int64(c.opts.Timing.Stall/c.pace.usual))
}

// noticeLeap does so if this node's memory may be of before the blocks that came. It comes
// before anything is done for what these bring.
func (c *Core) noticeLeap() {
	last := c.chainClock
	if !c.chainClock.leaps(c.view, c.opts.Elapsed(), c.mostAtOnce) {
		return
	}
	if dropped := c.dropWaiting(); dropped > 0 {
		c.opts.Log.Warn("blocks came that this node's clocks know nothing of, or many at once: the presignatures that it had are dropped, and made anew",
			"height", c.view.Height, "before", last.height, "ahead", max(c.chainClock.lead-last.lead, 0).Round(time.Millisecond), "dropped", dropped)
	}
}

// dropWaiting drops all that waits for requests.
func (c *Core) dropWaiting() (dropped int) {
	for _, l := range c.ordered() {
		if !l.waits() {
			continue
		}
		dropped++
		c.guardSession("presignatures of before", l, func() { l.Stop(types.ErrInterrupted) })
	}
	return dropped
}
