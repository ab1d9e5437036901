package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// maxRepeats are remembered at a time; what comes beyond is answered all the same.
const maxRepeats = 4096

// repeats remembers which envelopes were refused lately. Anybody who ever saw a Prepare may
// send it again, as often as its connection takes it: its signer says it again only after
// Timing.Resend, and more often than that nobody signs and sends a Refuse for it. What was
// answered is in one of two generations, each of half that time.
type repeats struct {
	young, old map[types.Hash]struct{}
	since      time.Time
}

// generation is for how long one is the young one.
func (*repeats) generation() time.Duration { return session.DefaultTiming().Resend / 2 }

// expire forgets the last ones, where nothing was refused after them.
func (a *repeats) expire(now time.Time) {
	if now.Sub(a.since) >= 2*a.generation() {
		*a = repeats{}
	}
}

// size counts what is remembered.
func (a *repeats) size() int { return len(a.young) + len(a.old) }

// again reports that an envelope was answered just now, and remembers it if not.
func (a *repeats) again(envelope types.Hash, now time.Time) bool {
	generation := a.generation()
	switch age := now.Sub(a.since); {
	case a.young == nil || age >= 2*generation:
		a.young, a.old, a.since = make(map[types.Hash]struct{}), nil, now
	case age >= generation:
		a.young, a.old, a.since = make(map[types.Hash]struct{}), a.young, now
	}
	_, young := a.young[envelope]
	_, old := a.old[envelope]
	if !young && !old && len(a.young) < maxRepeats {
		a.young[envelope] = struct{}{}
	}
	return young || old
}
