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
	height int64
	// at is when it was seen, made what the block says.
	at, made      time.Time
	usual, newest time.Duration
}

// block notes that the state of a height was seen. Where some were missed, they share the
// time. Those that a node catches up with come at once, and were made no sooner than others:
// the usual interval is not learnt from them. Without a time of the block there is only when
// it was seen.
func (p *pace) block(height int64, made, now time.Time) {
	blocks := height - p.height
	switch {
	case blocks == 0:
		return
	case p.height == 0 || blocks < 0: // the first, or after a rollback
		*p = pace{height: height, at: now, made: made}
		return
	}
	p.newest = now.Sub(p.at) / time.Duration(blocks)
	interval := max(p.newest, made.Sub(p.made)/time.Duration(blocks))
	p.height, p.at, p.made = height, now, made
	part := time.Duration(slowerPart)
	switch {
	case p.usual == 0:
		p.usual = interval
	case interval < p.usual:
		part = fasterPart
	}
	p.usual += (interval - p.usual) / part
}

// late: the newest block took longer than usual, or the next one is overdue.
func (p *pace) late(now time.Time) bool {
	if p.usual == 0 {
		return false
	}
	limit := time.Duration(lateFactor * float64(p.usual))
	return p.newest > limit || now.Sub(p.at) > limit
}
