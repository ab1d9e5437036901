package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	// lateFade is for how much longer a wait is remembered than it lasted: who keeps this
	// node waiting for less than a fifteenth of all time is not late.
	lateFade = 15
	// lateMost bounds what is remembered, in stall times: who is late no more is as welcome
	// as before after 30 minutes.
	lateMost = 8
)

// lateness is for how long this node waited for a member, in all its sessions, beyond what
// a lost message costs. It fades by itself. It tells an initiator whom to do without, where
// enough others remain, and nothing else: who is far away or slow is guilty of nothing.
type lateness struct {
	// until is when all of it is forgotten.
	until time.Time
	// counted is up to when time was counted: waits in several sessions at once are one.
	counted time.Time
}

// noteLate adds a wait that is over.
func (c *Core) noteLate(op types.Operator, took time.Duration) {
	now := c.opts.Now()
	l := c.late[op]
	took = min(took, now.Sub(l.counted), lateMost*c.opts.Timing.Stall)
	if took <= 0 {
		return
	}
	if l.until.Before(now) {
		l.until = now
	}
	l.until = l.until.Add(lateFade * took)
	if most := now.Add(lateFade * lateMost * c.opts.Timing.Stall); l.until.After(most) {
		l.until = most
	}
	l.counted = now
	c.late[op] = l
}

// latenessOf is how many stall times are remembered.
func (c *Core) latenessOf(op types.Operator, now time.Time) int {
	return int(max(0, c.late[op].until.Sub(now)) / (lateFade * c.opts.Timing.Stall))
}
