package mpcnode

import "time"

// clockBlocks are how many blocks a node must see, all of them too old, before it
// takes its clock for wrong: one or two may be on their way when it falls behind.
const clockBlocks = 3

// clockWatch tells a clock that runs ahead from a node that is behind. To both the
// last block looks old. But who is behind comes nearer with each block, and to a
// clock that runs ahead all blocks look equally old. It sees one view after the
// other.
type clockWatch struct {
	// maxAge is the age beyond which a block is too old.
	maxAge time.Duration
	// What was seen first, since when the node came no nearer; height 0: nothing.
	since  time.Time
	height int64
	age    time.Duration
}

// ahead is how far the clock seems ahead of the chain's, given the last block and
// its age; 0 if it does not, or if it is too early to say.
func (w *clockWatch) ahead(now time.Time, height int64, age time.Duration) time.Duration {
	switch {
	case age <= w.maxAge:
		w.height = 0
		return 0
	case w.height == 0 || age < w.age-w.maxAge/3: // it comes nearer; a slow block is no distance
		w.since, w.height, w.age = now, height, age
		return 0
	case height-w.height < clockBlocks || now.Sub(w.since) < w.maxAge:
		return 0
	}
	return age
}

// syncing forgets what was seen: while the node fetches old blocks their age says
// nothing.
func (w *clockWatch) syncing() { w.height = 0 }
