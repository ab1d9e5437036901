package doctor

import (
	"math"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	// clockOff is worth a warning: more than networks and busy nodes make of two clocks
	// that are right.
	clockOff = 3
	// clockWrong is a problem, if it is ahead: not far from the age at which blocks seem
	// old (30 s at least).
	clockWrong = 15
)

const setClock = "set this node's clock right and keep it so: timedatectl set-ntp true, then timedatectl status"

// examineClock compares this node's clock with those of others, and with the last block.
func examineClock(r *Report, f Facts) {
	const check = "clock"
	if f.Node == nil {
		r.ok(check, "not compared: a running node compares it with those of the others")
		return
	}
	s, c := f.Node.Status, f.Node.Clock
	ahead, others := f.ownClock()
	compared := others > 0
	age := c.Now.Sub(c.BlockTime).Seconds()
	switch {
	case s.ClockAhead != 0:
		r.advise(check, Problem, types.ErrCatchingUp, setClock, "it seems %s the chain's: all blocks look old, and the node takes part in nothing", off(s.ClockAhead))
	case others == 1 && math.Abs(ahead) >= clockOff:
		r.advise(check, Warning, "", setClock+"; if it is right, tell the other one's operator", "it is %s that of the only participant that answered: one of the two is wrong", off(ahead))
	case f.clockAhead():
		r.advise(check, Problem, types.ErrCatchingUp, setClock,
			"it is %s the other participants': beyond %.0f s all blocks look old, and the node takes part in nothing", off(ahead), c.MaxAge)
	case compared && math.Abs(ahead) >= clockOff:
		r.advise(check, Warning, "", setClock, "it is %s the other participants'; MPC goes on, what is timed by it is not right", off(ahead))
	case compared:
		r.ok(check, "within %d s of the other participants'", clockOff)
	case f.Node.ChainError != "" || s.CatchingUp:
		r.ok(check, "not compared: the node has to catch up first, and nobody answered")
	case age <= -clockOff:
		r.advise(check, Warning, "", setClock, "it is %s the last block's time", off(age))
	case age > c.MaxAge:
		r.advise(check, Warning, types.ErrCatchingUp, "if the chain makes blocks, "+setClock+"; otherwise find out why it makes none",
			"the last block is %.0f s old: either this clock is ahead, or the chain stands still", age)
	default:
		r.ok(check, "the last block is %.0f s old; nobody answered to compare with", max(age, 0))
	}
}

// clockAhead: so say the clocks of several others. A node that has begun takes itself to be
// behind some blocks before its engine finds that it is the clock.
func (f *Facts) clockAhead() bool {
	ahead, others := f.ownClock()
	return others > 1 && ahead >= clockWrong
}

// ownClock is how far this node's clock is ahead of the others', in the median: one that
// is wrong does not matter where three are compared. It says of how many; 0: nobody
// answered.
func (f *Facts) ownClock() (seconds float64, others int) {
	if f.Node == nil {
		return 0, 0
	}
	var ahead []float64
	for _, p := range f.Node.Participants {
		if p.Answered {
			ahead = append(ahead, p.ClockAhead)
		}
	}
	if len(ahead) == 0 {
		return 0, 0
	}
	slices.Sort(ahead)
	middle := len(ahead) / 2
	median := ahead[middle]
	if len(ahead)%2 == 0 && math.Abs(ahead[middle-1]) < math.Abs(median) {
		median = ahead[middle-1] // of two that differ, one agrees with this node
	}
	return -median, len(ahead)
}
