package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// doubtFor is how long this node remembers a session that failed for a lie of
// nobody knows whom; each new one prolongs it.
const doubtFor = 10 * time.Minute

// doubt is in how many such sessions somebody was.
type doubt struct {
	count int
	until time.Time
}

// doubtAll is for a session in which somebody told a wrong number and nobody can
// say who, as a wrong signature of well-formed parts. It counts against all others
// of it, so that the next sets differ, until the liar counts for more than those
// that were in some of its sets only. If only one other ran it, that one is to
// blame, and is returned.
//
// How soon: of n members t+1 sign. Let a leader have seen k such sessions; the liar
// was in all k, and the others have k(t-1) among them. For t = 2 and n = 4 that
// makes k = h1 + h2, so the liar ties with one of the two only while the other was
// in none, and the leader takes that other one first: it fails twice at most, and
// all together within 2n+1 attempts, the liar's own turns included. For t = 1 each
// leader fails once at most.
func (c *Core) doubtAll(l *live, now time.Time) []types.Operator {
	others := c.others(l.Session)
	for _, op := range others {
		c.doubts[op] = doubt{c.doubts[op].count + 1, now.Add(doubtFor)}
	}
	if len(others) == 1 {
		return others
	}
	return nil
}
