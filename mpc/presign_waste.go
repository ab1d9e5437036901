package mpc

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// waste is how many, since when.
type waste struct {
	count int
	since time.Time
}

// wastes: too much came to nothing lately for this participant.
func (c *Core) wastes(op types.Operator) bool {
	return c.wasteOf(op).count >= (2*c.view.Presign+presignWasteExtra)*max(len(c.presigns.keys), 1)
}

// noteWaste counts a presignature that this node computed for and nobody can use, against
// whoever left it or is missing from it.
func (c *Core) noteWaste(l *live, end session.End) {
	if l.Context().IsZero() || !l.waits() {
		return
	}
	who := slices.Concat(end.Culprits, end.Awaited)
	if end.Left != "" {
		who = append(who, end.Left)
	}
	for _, op := range who {
		w := c.wasteOf(op)
		w.count++
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
