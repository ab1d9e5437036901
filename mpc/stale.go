package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// staleAfter is how many stall times without progress make a session stale. The
// watchdog ends one that waits for silence after one stall time; only members
// that say Working can make it last longer.
const staleAfter = 2

// stale: a running session that came no nearer to its end for a while, however
// often somebody says Working.
func (c *Core) stale(l *live, now time.Time) bool {
	return l.Phase() == session.Running && now.Sub(l.LastProgress()) >= staleAfter*c.opts.Timing.Stall
}

// givesWay: a stale session runs on but does not keep others from trying without
// those it waits for, if enough others remain. If not, as in every keygen, another
// attempt would only wait for the same members, and burn pre-parameters: either
// they are slow and this one ends, or the request expires.
func (l *live) givesWay() bool {
	r := l.Request()
	return l.stale && r.CanDoWithout(l.AwaitedFor())
}

// noticeStale accuses those whom a stale session waits for. They are suspected
// and shunned for as long as they keep it waiting.
func (c *Core) noticeStale(l *live, now time.Time) {
	noticed := l.stale
	if l.stale = c.stale(l, now); !l.stale {
		return
	}
	awaited := l.AwaitedFor()
	c.suspect(awaited, now)
	c.shun(serves(l.Session), awaited, serves(l.Session).Attempt(c.view.Height))
	if noticed {
		return
	}
	c.accuse(l.Session, awaited, types.ErrStalled, now)
	c.opts.Log.Warn("a session comes no nearer to its end, though those it waits for say that they compute",
		"request", serves(l.Session).ID.String(), "attempt", l.TargetAttempt(), "session", l.Context().Short(), "round", l.Round(),
		"of", awaited, "remedy", types.ErrStalled.Remedy())
}
