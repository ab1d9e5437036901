package mpc

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// waste is what came to nothing, since when.
type waste struct {
	// count is how many of this participant's, or by it as this node saw it itself.
	count int
	// named is how many others gave up for it. They may say what they like, so that only
	// has a say in who is chosen.
	named int
	since time.Time
}

// wastes: too much came to nothing lately for this participant.
func (c *Core) wastes(op types.Operator) bool {
	return c.wasteOf(op).count >= (2*c.view.Presign+presignWasteExtra)*max(len(c.presigns.keys), 1)
}

// noteWaste counts a presignature that this node computed for and nobody can use, against
// whoever left it or is missing from it. One that was lost counts against its owner, at
// whom it was lost: it is the owner who lets others compute, and who can find out with whom
// not to. Of its own this node knows who that is.
func (c *Core) noteWaste(l *live, end session.End) {
	if l.Context().IsZero() || !l.waits() {
		return
	}
	who := slices.Concat(end.Culprits, end.Awaited)
	switch {
	case end.LeftFor == types.ErrPresignLost && l.Initiator() != c.self.Operator:
		who = append(who, l.Initiator())
	case end.Left != "":
		who = append(who, end.Left)
	}
	for _, op := range who {
		w := c.wasteOf(op)
		w.count++
		c.presigns.wasted[op] = w
	}
	if end.LeftFor != types.ErrPresignLost {
		return
	}
	for _, op := range end.LeftOver {
		w := c.wasteOf(op)
		w.named++
		c.presigns.wasted[op] = w
	}
}

// wasteOf is what counts still.
func (c *Core) wasteOf(owner types.Operator) waste {
	w, now := c.presigns.wasted[owner], c.opts.Now()
	if now.Sub(w.since) >= presignWasteFor {
		return waste{since: now}
	}
	return w
}
