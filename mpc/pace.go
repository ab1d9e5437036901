package mpc

import "time"

const (
	// lateFactor is how many times the usual interval makes a block late.
	lateFactor = 1.5
	// The usual interval follows shorter ones at once, one part of fasterPart each, and
	// longer ones slowly, or what makes blocks late would soon be usual.
	fasterPart, slowerPart = 8, 64
)

// pace tells whether blocks come later than they use to. It decides about work that can
// wait, never about what a request gets. The zero value has seen nothing.
type pace struct {
	height        int64
	at            time.Time
	usual, newest time.Duration
}

// block notes that the state of a height was seen. Where some were missed, they share the
// time.
func (p *pace) block(height int64, now time.Time) {
	blocks := height - p.height
	switch {
	case blocks == 0:
		return
	case p.height == 0 || blocks < 0: // the first, or after a rollback
		*p = pace{height: height, at: now}
		return
	}
	p.newest = now.Sub(p.at) / time.Duration(blocks)
	p.height, p.at = height, now
	part := time.Duration(slowerPart)
	switch {
	case p.usual == 0:
		p.usual = p.newest
	case p.newest < p.usual:
		part = fasterPart
	}
	p.usual += (p.newest - p.usual) / part
}

// late: the newest block took longer than usual, or the next one is overdue.
func (p *pace) late(now time.Time) bool {
	if p.usual == 0 {
		return false
	}
	limit := time.Duration(lateFactor * float64(p.usual))
	return p.newest > limit || now.Sub(p.at) > limit
}
