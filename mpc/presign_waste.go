package mpc

import (
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
// not to. So does one that a signer, be it this node, does not let its owner use. Of its own
// this node knows who that is, also of one that was in use by then. An owner that names
// somebody for its loss is excused for a while: it knows who it was, and does without it
// from then on. One that goes on so with the same member is not.
func (c *Core) noteWaste(l *live, end session.End) {
	owner := l.Initiator()
	own := owner == c.self.Operator
	switch {
	case l.Context().IsZero():
		return
	case !l.waits():
		c.noteUsedInVain(owner, end)
		return
	}
	c.chargeWaste(end.Culprits...)
	c.chargeWaste(end.Awaited...)
	if blamesOwner(l.refused) {
		c.chargeWaste(owner)
	}
	switch {
	case end.Left == "", end.LeftFor == types.ErrInProgress:
	case own || !blamesOwner(end.LeftFor):
		c.chargeWaste(end.Left)
	case end.Left != owner || !c.excuses(owner, end.LeftOver):
		c.chargeWaste(owner)
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

// noteUsedInVain counts one that was used, and given up. Who does anything else wrong in it
// is accused. An owner that uses one for a request and leaves, whatever it says it leaves
// for, made others compute for nothing, unless it names who was not there.
func (c *Core) noteUsedInVain(owner types.Operator, end session.End) {
	switch {
	case owner == c.self.Operator:
		c.chargeWaste(end.Awaited...)
		if blamesOwner(end.LeftFor) { // what others would let this node do
			c.chargeWaste(end.Left)
		}
	case end.Left == owner && !c.excuses(owner, end.LeftOver):
		c.chargeWaste(owner)
	}
}

// blamesOwner: a signer has no part any more, or does not let the owner use it for what it
// says. What the owner says is committed everywhere, or it says it to make it so: a signer
// whose own state is in the way, such as one that is behind, has another reason. Who is busy
// with a session of the request that somebody else leads (in_progress) is to blame for
// nothing either, and nor is the owner.
func blamesOwner(reason types.Reason) bool {
	switch reason {
	case types.ErrPresignLost, types.ErrUnknownRequest, types.ErrAlreadyDecided, types.ErrBadDigest, types.ErrExpired,
		types.ErrWrongAttempt, types.ErrWrongInitiator, types.ErrDigestBound:
		return true
	}
	return false
}

// chargeWaste counts one against each.
func (c *Core) chargeWaste(ops ...types.Operator) {
	for _, op := range ops {
		w := c.wasteOf(op)
		w.count++
		c.presigns.wasted[op] = w
	}
}

// excuses: an owner that names somebody for a loss could not know before. It loses at once
// all that it has with that one, and what it is making.
func (c *Core) excuses(owner types.Operator, named []types.Operator) bool {
	for _, op := range named {
		pair := accusationID{accused: op, accuser: owner}
		w := c.presigns.excused[pair]
		if now := c.opts.Now(); now.Sub(w.since) >= presignWasteFor {
			w = waste{since: now}
		}
		if w.count >= c.view.Presign+1 {
			continue
		}
		w.count++
		c.presigns.excused[pair] = w
		return true
	}
	return false
}

// wasteOf is what counts still.
func (c *Core) wasteOf(owner types.Operator) waste {
	w, now := c.presigns.wasted[owner], c.opts.Now()
	if now.Sub(w.since) >= presignWasteFor {
		return waste{since: now}
	}
	return w
}
