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
// One that takes the numbers of an honest member, and accuses that one too, or keeps its
// Confirm from it so that it never compares, has both accused: it can have no more than its
// own standing.
type clash struct {
	session *session.Session
	among   []types.Operator
	until   time.Time
}

// noteClash remembers a session whose end says that some of its culprits are to blame.
func (c *Core) noteClash(l *live, end session.End, now time.Time) {
	c.clashes = append(c.clashes, clash{l.Session, end.Culprits, now.Add(c.opts.Timing.Stall)})
}

// settleClashes accuses those of clashes for whose own words the time is over.
func (c *Core) settleClashes(now time.Time) {
	c.clashes = slices.DeleteFunc(c.clashes, func(clash clash) bool {
		if now.Before(clash.until) {
			return false
		}
		c.accuse(clash.session, c.guiltyOf(clash), types.ErrProtocolFault, now)
		return true
	})
}

// guiltyOf lists all of a clash but those who accuse another one and are accused by none.
func (c *Core) guiltyOf(clash clash) []types.Operator {
	return slices.DeleteFunc(slices.Clone(clash.among), func(op types.Operator) bool {
		others := slices.DeleteFunc(slices.Clone(clash.among), func(other types.Operator) bool { return other == op })
		accused := slices.ContainsFunc(others, func(other types.Operator) bool { return c.accuses(other, []types.Operator{op}) })
		return !accused && c.accuses(op, others)
	})
}
