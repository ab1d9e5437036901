package mpc

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// clash is a session in which some of several members did what the others of them can name
// them for, and this node cannot: two of them have the same parameters. An honest one accuses
// whoever took its own. So this node waits for as long as a session waits for anybody, and
// then accuses all of them but those who accused another one and are accused by none. Two
// that agreed on it would otherwise keep a key from being made for ever, and nobody would be
// named but who leaves first.
//
// Nobody can accuse once the request is closed. If it is by then, the next one that has all of
// them as members, and this node, takes its place, and they have as long again; if that closes
// sooner, those after it have their turn, and they had theirs.
//
// One that takes the numbers of an honest member, and accuses that one too, or keeps its
// Confirm from it so that it never compares, has both accused: it can have no more than its
// own standing. There is no rule that tells them apart. Both sent the numbers in the same
// round, signed, and who did first depends on who listens. They are of this session alone, so
// nothing of before, and no key, shows whose they were. The proofs that come with them are
// bound to nobody: whoever copies the numbers copies those too. It would take that all are
// bound to their own before anybody shows any, by a hash in each Prepare and Ready.
type clash struct {
	request types.RequestID
	attempt uint32
	context types.Context
	among   []types.Operator
	// found is when it was, until is how long this node waits for what they say.
	found, until time.Time
	// carried: the request is a later one.
	carried bool
	// said are those of them of whom one accused the other at any time since. The chain
	// forgets sooner than a clash.
	said map[accusationID]bool
}

// noteClash remembers a session whose end says that some of its culprits are to blame. The
// same ones have no more time for doing it again.
func (c *Core) noteClash(l *live, end session.End, now time.Time) {
	noted := clash{
		request: serves(l.Session).ID, attempt: l.TargetAttempt(), context: l.Context(), among: end.Culprits,
		found: now, until: now.Add(c.opts.Timing.Stall), said: make(map[accusationID]bool),
	}
	for i, before := range c.clashes {
		if slices.Equal(before.among, noted.among) {
			noted.until, noted.carried, noted.said = before.until, before.carried, before.said
			c.clashes[i] = noted
			return
		}
	}
	c.clashes = append(c.clashes, noted)
}

// settleClashes accuses those of clashes for whose own words the time is over.
func (c *Core) settleClashes(now time.Time) {
	var kept []clash
	for _, k := range c.clashes {
		c.hearClash(k)
		switch {
		case now.Before(k.until):
			kept = append(kept, k)
		case c.isOpen(k.request):
			guilty := k.guilty()
			c.accuseOver(k.request, k.attempt, k.context, guilty, types.ErrProtocolFault, now)
			c.charge(guilty, k.context, now)
		case now.Sub(k.found) < liarFor:
			if next := c.requestWith(k.among...); next != nil {
				k.request, k.attempt = next.ID, next.Attempt(c.view.Height)
				if !k.carried {
					k.until, k.carried = now.Add(c.opts.Timing.Stall), true
				}
			}
			kept = append(kept, k)
		}
	}
	c.clashes = kept
}

// hearClash notes who of a clash accuses whom of it now.
func (c *Core) hearClash(k clash) {
	for _, accuser := range k.among {
		for _, accused := range k.among {
			if accuser != accused && c.accuses(accuser, []types.Operator{accused}) {
				k.said[accusationID{accused: accused, accuser: accuser}] = true
			}
		}
	}
}

// guilty lists all of a clash but those who accused another one and were accused by none.
func (k clash) guilty() []types.Operator {
	return slices.DeleteFunc(slices.Clone(k.among), func(op types.Operator) bool {
		accuses, accused := false, false
		for pair := range k.said {
			accuses = accuses || pair.accuser == op
			accused = accused || pair.accused == op
		}
		return accuses && !accused
	})
}
