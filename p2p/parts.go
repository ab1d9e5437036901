package p2p

import (
	"fmt"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// partFor is how long a peer that delivered something in the name of a sender counts as
// one that does.
const partFor = 10 * time.Second

// subject is of whom, and of what, something is that others deliver.
type subject struct {
	of types.Operator
	// presign: it is for presignatures. Those of a key are open as long as the key is, so
	// what was once said for one can be said again for as long, and keeps out nothing else.
	presign bool
}

func subjectOf(v types.Verified) subject {
	return subject{v.From(), v.Request().Kind == types.KindPresign}
}

// part is what one peer may deliver on a subject: as much of the budget as every other peer
// that delivers on it. A peer that comes back finds what it left of it.
type part struct {
	*budget
	last time.Time
}

// partID names one.
type partID struct {
	peer string
	subject
}

func newParts(size int) *simplelru.LRU[partID, *part] {
	parts, err := simplelru.NewLRU[partID, *part](size, nil)
	if err != nil {
		panic(fmt.Sprintf("memory of %d parts: %v", size, err)) // only for a size below 1
	}
	return parts
}

// forgetParts ends those of senders that are not registered any more. It is called under r.mu.
func (r *Reactor) forgetParts(roster *types.Roster) {
	for _, id := range r.parts.Keys() {
		if !registered(roster, id.of) {
			r.parts.Remove(id)
		}
	}
}

// takePart takes what a peer delivers in somebody else's name from the budget for that. While
// more than half of that is there anybody may have of it; of what comes in after that
// everybody who delivers has a part of its own, and whoever repeats old words uses up its own
// only. It is called under r.mu.
func (r *Reactor) takePart(rem *remote, s subject, all *budget, l budgetLimit, size int) bool {
	now := r.opts.Now()
	p, ok := r.parts.Get(partID{rem.id, s})
	if !ok {
		p = &part{budget: newBudget(l)}
		r.parts.Add(partID{rem.id, s}, p)
	}
	p.last = now
	p.divide(now, l, r.deliverers(rem, s, now))
	if !all.halfFull(now) && !p.lend(now, size) {
		return false
	}
	all.spend(now, size)
	return true
}

// deliverers counts the peers that deliver on a subject, this one included.
func (r *Reactor) deliverers(rem *remote, s subject, now time.Time) int {
	count := 1
	for id := range r.peers {
		if p, ok := r.parts.Peek(partID{id, s}); ok && id != rem.id && now.Sub(p.last) < partFor {
			count++
		}
	}
	return count
}

// divide makes it one of so many parts of a budget.
func (p *part) divide(now time.Time, whole budgetLimit, parts int) {
	set := func(l *rate.Limiter, perSecond, burst int) {
		l.SetLimitAt(now, rate.Limit(float64(perSecond)/float64(parts)))
		l.SetBurstAt(now, max(burst/parts, 1))
	}
	set(p.messages, whole.messages, whole.messageBurst)
	set(p.bytes, whole.bytes, whole.byteBurst)
}
