package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	// presignPause is how long an owner waits after it failed to make one, or lost some; it
	// doubles up to presignMaxPause, until one was made, or used. After members that were
	// busy it does not double: half of them are at any time where blocks come late.
	presignPause    = 5 * time.Second
	presignMaxPause = 5 * time.Minute
)

// pause is until when no presignature of a key is begun.
type pause struct {
	until time.Time
	wait  time.Duration
}

// passes: a member refuses for what is over soon, such as work for a request, or a block
// that it does not have. Nobody computed anything.
func passes(reason types.Reason) bool {
	return reason == types.ErrBusy || reason == types.ErrWrongAttempt || reason == types.ErrCatchingUp
}

// rest begins the shortest pause, unless there is one.
func rest(pauses map[types.KeyID]pause, key types.KeyID, now time.Time) {
	if p := pauses[key]; !now.Before(p.until) {
		p.until = now.Add(presignPause)
		pauses[key] = p
	}
}

// prolong begins the next pause of a key, twice as long as the last one. What is lost during
// one counts to it.
func prolong(pauses map[types.KeyID]pause, key types.KeyID, now time.Time) {
	p := pauses[key]
	if now.Before(p.until) {
		return
	}
	p.wait = min(max(2*p.wait, presignPause), presignMaxPause)
	p.until = now.Add(p.wait)
	pauses[key] = p
}
