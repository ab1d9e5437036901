package mpc

import (
	"maps"
	"slices"
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

// givesWay: a session that is held up runs on but does not keep others from trying
// without those who hold it up, if enough others remain. If not, as in every keygen,
// another attempt would only wait for the same members, and burn pre-parameters:
// either they are slow and this one ends, or the request expires.
func (l *live) givesWay() bool {
	r := l.Request()
	return len(l.heldUpBy) > 0 && r.CanDoWithout(l.heldUpBy)
}

// noticeStale suspects and shuns, for as long as they hold up a session, those who
// are to blame that it is stale, those who say for too long that they compute, and those
// who drew it out, and accuses the last. Whoever is slow, as in a keygen of many, or
// computes for sessions that this node knows nothing of, is left out where that is
// possible, and nothing else.
func (c *Core) noticeStale(l *live, now time.Time) {
	guilty, disbelieved := l.drawers()
	l.heldUpBy = slices.Concat(guilty, disbelieved)
	if c.stale(l, now) {
		l.heldUpBy = append(l.heldUpBy, l.Blamed(now)...)
	}
	if len(l.heldUpBy) == 0 {
		return
	}
	slices.Sort(l.heldUpBy)
	l.heldUpBy = slices.Compact(l.heldUpBy)
	c.suspect(l.heldUpBy, now)
	c.shun(serves(l.Session), l.heldUpBy, serves(l.Session).Attempt(c.view.Height))
	if news := without(l.heldUpBy, l.noticed); len(news) > 0 {
		l.noticed = append(l.noticed, news...)
		c.opts.Log.Warn("a session comes to its end slowly or not at all, though those who hold it up say that they compute, or are never silent for long",
			"request", serves(l.Session).ID.String(), "attempt", l.TargetAttempt(), "session", l.Context().Short(), "round", l.Round(),
			"of", news, "remedy", types.ErrStalled.Remedy())
	}
	if news := without(slices.Concat(guilty, disbelieved), l.caught); len(news) > 0 {
		l.caught = append(l.caught, news...)
		for _, op := range news {
			c.caught[op] = now.Add(suspectFor)
		}
	}
	if news := without(guilty, l.accused); len(news) > 0 {
		l.accused = append(l.accused, news...)
		c.accuse(l.Session, news, types.ErrStalled, now)
	}
}

// drawers are those who drew out a session that runs, and those who are not believed any
// more that they compute for it.
func (l *live) drawers() (guilty, disbelieved []types.Operator) {
	if l.Phase() != session.Running {
		return nil, nil
	}
	return l.DrawnOutBy(), l.Disbelieved()
}

func without(ops, others []types.Operator) []types.Operator {
	return slices.DeleteFunc(slices.Clone(ops), func(op types.Operator) bool { return slices.Contains(others, op) })
}

// noteAwaited finds the first session, in the order in which all nodes serve them, in
// which this node waits for each member, computes together with it, or has done so and
// serves those who have not. One that somebody drew out is none for it.
func (c *Core) noteAwaited(ordered []*live) {
	clear(c.firstFor)
	caught := slices.Collect(maps.Keys(c.caught))
	for _, l := range ordered {
		caught = append(caught, l.caught...)
	}
	for _, l := range ordered {
		if l.Phase() != session.Running && l.Phase() != session.Lingering {
			continue
		}
		awaited := l.AwaitedFor()
		if len(awaited) == 0 {
			awaited = l.Signers()
		}
		for _, op := range without(awaited, caught) {
			if c.firstFor[op] == nil {
				c.firstFor[op] = serves(l.Session)
			}
		}
	}
}

// ahead: somebody has an earlier request to serve before this one. Who was found to
// draw out a session is not excused by that in any.
func (c *Core) ahead(r *types.Request, op types.Operator) bool {
	first := c.firstFor[op]
	return first != nil && first.Before(r)
}
