package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Nodes do not see a block at the same time. The first that sees that a presignature is of
// no use any more, since an identity, the committee or the key changed, drops it and says
// so, and the others hear it before their own block. Who did so lost nobody anything: it is
// charged only if this node's own blocks do not show why.

const (
	// dropPatience is how long the block may take that shows why a member dropped one, or
	// dropBlocks as they come of late: the next one, of which that member was ahead, and one
	// that this node missed.
	dropPatience = 10 * time.Second
	dropBlocks   = 3
	// dropSlack is by how much the age of one may differ between members: they parked it
	// within a few stall times.
	dropSlack = time.Minute
)

// droppedPresign is one that somebody dropped before this node knew why.
type droppedPresign struct {
	*live
	end   session.End
	until time.Time
}

// waitsForBlockOfDrop: somebody says that the chain has no use for it. The next blocks tell.
func (c *Core) waitsForBlockOfDrop(l *live, end session.End) bool {
	if end.LeftFor != types.ErrPresignDropped || !l.waits() {
		return false
	}
	now := c.opts.Now()
	if c.dropShown(l) {
		return true
	}
	if len(c.presigns.dropped) >= c.opts.MaxPresignatures {
		return false
	}
	c.presigns.dropped = append(c.presigns.dropped, droppedPresign{l, end, now.Add(max(dropPatience, dropBlocks*c.pace.usual))})
	return true
}

// dropShown: there is a reason to drop it.
func (c *Core) dropShown(l *live) bool { return c.useless(l, dropSlack) }

// judgeDropped looks in a new view for the reasons to drop what others dropped. Who had none
// is charged.
func (c *Core) judgeDropped(now time.Time) {
	waiting := c.presigns.dropped
	c.presigns.dropped = nil
	for _, d := range waiting {
		switch {
		case c.dropShown(d.live):
		case c.view.CatchingUp || now.Before(d.until):
			c.presigns.dropped = append(c.presigns.dropped, d)
		default:
			c.chargePresign(d.live, d.end)
		}
	}
}
