package mpcnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// preparamsPoll is how often the pool is looked at, and how soon a search makes
// room for a session.
const preparamsPoll = time.Second

// emptyPatience is how long sessions go before an empty pool.
const emptyPatience = 2 * time.Minute

// Late blocks go before an empty pool for latePatience. If they are late for longer, a search
// that has stood still all the time would not have made them so: it takes lateTurn then, and
// lateRest before the next turn, a tenth of a core, so that a set is made within minutes.
const (
	latePatience = 10 * time.Minute
	lateTurn     = 2 * time.Second
	lateRest     = 9 * lateTurn
)

// preparamsPause is how long the refiller rests after an error: a disk that is
// full or a bug may pass, and the log is not flooded until then.
const preparamsPause = time.Minute

// PreparamsProgress is how far a search for a set of pre-parameters is.
type PreparamsProgress tss.Progress

// String is one line for people.
func (p PreparamsProgress) String() string {
	return fmt.Sprintf("pre-parameters: %d of %d safe primes, %d candidates tested (%d expected)",
		p.Found, p.Needed, p.Tested, p.Expected)
}

// PreparamsStore is where sets of pre-parameters are kept.
type PreparamsStore interface {
	// AddPreparams seals and stores a set and returns its id.
	AddPreparams(set []byte) (uint64, error)
	// Preparams lists the ids of unused sets.
	Preparams() ([]uint64, error)
}

// preparamsSearch is a search for a set that goes on where it was interrupted.
// *tss.PreparamsSearch is one.
type preparamsSearch interface {
	Generate(ctx context.Context, rand io.Reader, cores int, progress func(tss.Progress)) ([]byte, error)
	Found() int
	Wipe()
}

// AddPreparams makes a set of pre-parameters on this many cores and stores it.
// progress may be nil. It ends soon after ctx does.
func AddPreparams(ctx context.Context, store PreparamsStore, cores int, progress func(PreparamsProgress)) error {
	search := &tss.PreparamsSearch{}
	defer search.Wipe()
	return addPreparams(ctx, store, search, cores, progress)
}

func addPreparams(ctx context.Context, store PreparamsStore, search preparamsSearch, cores int, progress func(PreparamsProgress)) error {
	show := func(p tss.Progress) {
		if progress != nil {
			progress(PreparamsProgress(p))
		}
	}
	set, err := search.Generate(ctx, nil, cores, show)
	if err != nil {
		return err
	}
	defer types.Wipe(set)
	if _, err := store.AddPreparams(set); err != nil {
		return fmt.Errorf("store pre-parameters: %w", err)
	}
	return nil
}

// refiller keeps the pool of pre-parameters full. It searches on one core and
// yields to sessions that people wait for, and to consensus: a search is interrupted
// when one begins or blocks are late, and goes on later with the primes that it found. A
// pool that stays empty no longer yields to sessions, because no keygen can run then, and
// after a longer while searches a little where blocks are late without end.
type refiller struct {
	store  PreparamsStore
	target int
	// busy says whether sessions run that people wait for, late whether blocks are.
	busy, late func() bool
	// search is for the next set, with what was found of it so far: in memory alone,
	// until the set is made or the node ends.
	search preparamsSearch
	// make makes one set and stores it; yield is asked now and then whether the
	// search should be interrupted.
	make func(ctx context.Context, yield func() bool) error
	now  func() time.Time
	log  *slog.Logger

	// empty is when the pool was first seen empty; zero while it is not.
	empty time.Time
	// rest is when the pause after an error ends.
	rest time.Time
	// began is when the search that goes on now began, zero if none does, and ended when the
	// last one ended.
	began, ended time.Time
	// spent is how long the search for the next set took so far, and interrupted how often
	// it made room.
	spent       time.Duration
	interrupted int
	// shown is how far the search for the next set is, for other goroutines; nil: there is
	// none.
	shown atomic.Pointer[PreparamsProgress]
}

// newRefiller makes a refiller that searches on one core.
func newRefiller(store PreparamsStore, target int, status func() mpc.Status, log *slog.Logger) *refiller {
	r := &refiller{
		store: store, target: target, now: time.Now, log: log, search: &tss.PreparamsSearch{},
		busy: func() bool { return slices.ContainsFunc(status().Sessions, isAwaited) },
		late: func() bool { return status().BlocksLate },
	}
	r.make = func(ctx context.Context, yield func() bool) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		return addPreparams(ctx, store, r.search, 1, func(p PreparamsProgress) {
			r.shown.Store(&p)
			if yield() {
				cancel()
			}
		})
	}
	return r
}

// isAwaited: somebody waits for what a session makes. Nobody does for a presignature that
// is made ahead of time, or once there is a result.
func isAwaited(s session.Snapshot) bool { return !s.Ahead && s.Phase != session.Lingering }

// progress is how far the search for the next set is, be it that it makes room just now;
// zero if there is none. Any goroutine may ask, also of a node that has no refiller.
func (r *refiller) progress() PreparamsProgress {
	if r != nil {
		if p := r.shown.Load(); p != nil {
			return *p
		}
	}
	return PreparamsProgress{}
}

// run ends with ctx, and wipes what was found.
func (r *refiller) run(ctx context.Context) error {
	defer r.search.Wipe()
	tick := time.NewTicker(preparamsPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			r.try(ctx)
		}
	}
}

// try refills unless it rests. It survives errors and panics.
func (r *refiller) try(ctx context.Context) {
	if r.now().Before(r.rest) {
		return
	}
	err := safely(r.log, "the search for pre-parameters", func() error { return r.refill(ctx) })
	if err == nil || ctx.Err() != nil {
		return
	}
	r.rest = r.now().Add(preparamsPause)
	r.log.Error("no pre-parameters could be made; this is tried again", "in", preparamsPause, "err", err)
}

// refill makes one set if one is missing and nobody is in the way.
func (r *refiller) refill(ctx context.Context) error {
	unused, err := r.store.Preparams()
	if err != nil {
		return fmt.Errorf("list pre-parameters: %w", err)
	}
	r.observe(len(unused))
	if len(unused) >= r.target || r.yields() {
		return nil
	}
	err = r.timed(func() error { return r.make(ctx, r.yields) })
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // the node ends
	case errors.Is(err, context.Canceled):
		r.interrupted++
		r.log.Info("the search for pre-parameters makes room, and goes on later with what it found", "safe_primes", r.search.Found(), "spent", r.spent)
		return nil
	case err != nil:
		return err
	}
	r.log.Info("made a set of pre-parameters", "unused", len(unused)+1, "target", r.target, "took", r.spent, "interrupted", r.interrupted)
	r.spent, r.interrupted = 0, 0
	r.shown.Store(nil)
	return nil
}

// observe remembers since when the pool is empty.
func (r *refiller) observe(unused int) {
	switch {
	case unused > 0:
		r.empty = time.Time{}
	case r.empty.IsZero():
		r.empty = r.now()
	}
}

// timed notes when a search begins and ends.
func (r *refiller) timed(search func() error) error {
	r.began = r.now()
	defer func() {
		r.ended = r.now()
		r.spent += r.ended.Sub(r.began)
		r.began = time.Time{}
	}()
	return search()
}

// yields: nothing is searched now.
func (r *refiller) yields() bool {
	now, empty := r.now(), time.Duration(0)
	if !r.empty.IsZero() {
		empty = now.Sub(r.empty)
	}
	if r.late() {
		return empty < latePatience || !r.hasTurn(now)
	}
	return empty < emptyPatience && r.busy()
}

// hasTurn: this is one of the moments at which late blocks let it search.
func (r *refiller) hasTurn(now time.Time) bool {
	if r.began.IsZero() {
		return now.Sub(r.ended) >= lateRest
	}
	return now.Sub(r.began) < lateTurn
}
