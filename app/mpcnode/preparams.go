package mpcnode

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// preparamsPoll is how often the pool is looked at, and how soon a search makes
// room for a session.
const preparamsPoll = time.Second

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

// AddPreparams makes a set of pre-parameters on this many cores and stores it.
// progress may be nil. It ends soon after ctx does.
func AddPreparams(ctx context.Context, store PreparamsStore, cores int, progress func(PreparamsProgress)) error {
	show := func(p tss.Progress) {
		if progress != nil {
			progress(PreparamsProgress(p))
		}
	}
	set, err := tss.GeneratePreparams(ctx, nil, cores, show)
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
// yields to sessions, which people wait for: a search is given up when one
// begins, and costs nothing but the time, for it is a lottery. Only when the
// pool is empty does it go on, because no keygen can run then.
type refiller struct {
	store  PreparamsStore
	target int
	status func() mpc.Status
	log    *slog.Logger
}

// run ends with ctx. A store that fails ends it too: the engine says so louder.
func (r *refiller) run(ctx context.Context) error {
	tick := time.NewTicker(preparamsPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := r.refill(ctx); err != nil {
				r.log.Error("pre-parameters are no longer made", "err", err)
				return nil
			}
		}
	}
}

func (r *refiller) refill(ctx context.Context) error {
	unused, err := r.store.Preparams()
	if err != nil {
		return fmt.Errorf("list pre-parameters: %w", err)
	}
	have := len(unused)
	if have >= r.target || have > 0 && r.busy() {
		return nil
	}
	search, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	err = AddPreparams(search, r.store, 1, func(PreparamsProgress) {
		if have > 0 && r.busy() {
			cancel()
		}
	})
	switch {
	case err == nil:
		r.log.Info("made a set of pre-parameters", "unused", have+1, "target", r.target, "took", time.Since(began).Round(time.Millisecond))
	case search.Err() == nil:
		return err
	}
	return nil
}

// busy says whether a session runs.
func (r *refiller) busy() bool { return len(r.status().Sessions) > 0 }
