package mpcnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
)

// memoryPool counts sets.
type memoryPool struct {
	ids []uint64
	err error
}

func (p *memoryPool) AddPreparams([]byte) (uint64, error) {
	id := uint64(len(p.ids) + 1)
	p.ids = append(p.ids, id)
	return id, p.err
}

func (p *memoryPool) Preparams() ([]uint64, error) { return p.ids, p.err }

func TestRefillerYieldsToSessions(t *testing.T) {
	for _, c := range []struct {
		name   string
		unused int
		busy   bool
		late   bool          // blocks are
		empty  time.Duration // how long the pool has been empty
		makes  bool
	}{
		{"full", 2, false, false, 0, false},
		{"one missing, idle", 1, false, false, 0, true},
		{"one missing, busy", 1, true, false, 0, false},
		{"one missing, blocks late", 1, false, true, 0, false},
		{"empty, idle", 0, false, false, 0, true},
		{"empty, busy", 0, true, false, 0, false},
		{"empty, blocks late", 0, false, true, 0, false},
		{"empty too long, busy", 0, true, false, emptyPatience, true},
		{"empty too long, blocks late", 0, false, true, emptyPatience, false},
		{"empty too long, busy, blocks late", 0, true, true, emptyPatience, false},
		{"empty almost for ever, blocks late", 0, false, true, latePatience - 1, false},
		{"empty for ever, blocks late", 0, false, true, latePatience, true},
		{"empty for ever, busy, blocks late", 0, true, true, latePatience, true},
		{"one missing for ever, blocks late", 1, false, true, latePatience, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := &memoryPool{ids: make([]uint64, c.unused)}
			now := time.Unix(1000, 0)
			r := &refiller{
				store: pool, target: 2, log: slog.New(slog.DiscardHandler), search: &fakeSearch{},
				busy: func() bool { return c.busy },
				late: func() bool { return c.late },
				now:  func() time.Time { return now },
				make: func(context.Context, func() bool) error { _, err := pool.AddPreparams(nil); return err },
			}
			r.observe(c.unused)
			now = now.Add(c.empty)
			require.NoError(t, r.refill(t.Context()))
			want := c.unused
			if c.makes {
				want++
			}
			require.Len(t, pool.ids, want)
		})
	}
}

// A session that begins ends the search, which is no error and makes nothing.
func TestRefillerGivesUpForASession(t *testing.T) {
	pool := &memoryPool{ids: []uint64{1}}
	busy := false
	r := newRefiller(pool, 2, func() mpc.Status { return mpc.Status{} }, slog.New(slog.DiscardHandler))
	r.busy = func() bool { return busy }
	search := r.make
	r.make = func(ctx context.Context, yield func() bool) error {
		busy = true
		return search(ctx, yield)
	}
	require.NoError(t, r.refill(t.Context()))
	require.Len(t, pool.ids, 1)
}

// fakeSearch finds a prime between two looks at its context.
type fakeSearch struct{ found, wiped int }

func (s *fakeSearch) Generate(ctx context.Context, _ io.Reader, _ int, progress func(tss.Progress)) ([]byte, error) {
	for s.found < 4 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.found++
		progress(tss.Progress{Found: s.found, Needed: 4})
	}
	s.found = 0
	return []byte("set"), nil
}

func (s *fakeSearch) Found() int { return s.found }
func (s *fakeSearch) Wipe()      { s.found, s.wiped = 0, s.wiped+1 }

// A search that always makes room makes a set all the same, and says how often it did;
// what it found is wiped when the node ends.
func TestRefillerGoesOnWithWhatItFound(t *testing.T) {
	var log bytes.Buffer
	pool, search := &memoryPool{ids: []uint64{1}}, &fakeSearch{}
	r := newRefiller(pool, 3, func() mpc.Status { return mpc.Status{} }, slog.New(slog.NewTextHandler(&log, nil)))
	now, busy := time.Unix(1000, 0), false
	r.search = search
	r.now = func() time.Time { return now }
	r.busy = func() bool { busy = !busy; return !busy } // a session begins whenever a search has
	for found := range 3 {
		require.Equal(t, found, search.Found())
		require.NoError(t, r.refill(t.Context()))
		require.Contains(t, log.String(), fmt.Sprintf("safe_primes=%d", found+1))
		require.Equal(t, PreparamsProgress{Found: found + 1, Needed: 4}, r.progress(), "people see it meanwhile")
		now = now.Add(time.Second)
	}
	require.Len(t, pool.ids, 1)
	require.NoError(t, r.refill(t.Context()))
	require.Len(t, pool.ids, 2)
	require.Zero(t, r.progress())
	require.Contains(t, log.String(), "interrupted=3")
	require.NoError(t, r.refill(t.Context()))
	require.Equal(t, 1, search.Found(), "the next set is made of others")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.run(ended))
	require.Equal(t, 1, search.wiped)
	require.Zero(t, search.Found())
}

// Blocks that are late without end keep a pool from being full, and not from having a set: a
// tenth of a core is searched, and no more.
func TestRefillerWhereBlocksStayLate(t *testing.T) {
	const needed, look = 8 * time.Second, 50 * time.Millisecond // of a search
	now, searched := time.Unix(1000, 0), time.Duration(0)
	pool := &memoryPool{}
	r := &refiller{
		store: pool, target: 2, log: slog.New(slog.DiscardHandler), search: &fakeSearch{},
		busy: func() bool { return true },
		late: func() bool { return true },
		now:  func() time.Time { return now },
		make: func(_ context.Context, yield func() bool) error {
			for began := now; ; {
				now, searched = now.Add(look), searched+look
				require.LessOrEqual(t, now.Sub(began), lateTurn+look)
				if searched >= needed {
					_, err := pool.AddPreparams(nil)
					return err
				}
				if yield() {
					return context.Canceled
				}
			}
		},
	}
	pass := func(d time.Duration) {
		for end := now.Add(d); now.Before(end); now = now.Add(preparamsPoll) {
			r.try(t.Context())
		}
	}
	pass(latePatience - preparamsPoll)
	require.Zero(t, searched, "blocks go first")
	pass(lateTurn + lateRest)
	require.Positive(t, searched)
	require.LessOrEqual(t, searched, 2*(lateTurn+look))
	require.Empty(t, pool.ids)
	pass(5 * (lateTurn + lateRest))
	require.Len(t, pool.ids, 1)
	require.Equal(t, needed, searched)
	pass(10 * latePatience)
	require.Equal(t, needed, searched, "the second set waits for blocks that are in time")
}

// What goes wrong once is tried again after a pause.
func TestRefillerRestsAfterAnError(t *testing.T) {
	now := time.Unix(1000, 0)
	calls := 0
	var fails func() error
	r := &refiller{
		store: &memoryPool{}, target: 2, log: slog.New(slog.DiscardHandler), search: &fakeSearch{},
		busy: func() bool { return false },
		late: func() bool { return false },
		now:  func() time.Time { return now },
		make: func(context.Context, func() bool) error { calls++; return fails() },
	}
	for _, c := range []struct {
		name  string
		after time.Duration
		fails func() error
		calls int
	}{
		{"an error", 0, func() error { return errors.New("disk full") }, 1},
		{"rests", preparamsPause - 1, func() error { return nil }, 1},
		{"a panic", 1, func() error { panic("bug") }, 2},
		{"rests again", preparamsPause - 1, func() error { return nil }, 2},
		{"goes on", 1, func() error { return nil }, 3},
		{"without a pause", 0, func() error { return context.Canceled }, 4},
		{"nor after giving up", 0, func() error { return nil }, 5},
	} {
		now, fails = now.Add(c.after), c.fails
		r.try(t.Context())
		require.Equal(t, c.calls, calls, c.name)
	}
}

func TestRefillerOfABrokenStore(t *testing.T) {
	now := time.Unix(1000, 0)
	broken := &memoryPool{err: errors.New("closed")}
	r := newRefiller(broken, 1, func() mpc.Status { return mpc.Status{} }, slog.New(slog.DiscardHandler))
	r.now = func() time.Time { return now }
	r.make = func(context.Context, func() bool) error { _, err := broken.AddPreparams(nil); return err }
	require.Error(t, r.refill(t.Context()))
	r.try(t.Context())
	require.Empty(t, broken.ids)

	broken.err, now = nil, now.Add(preparamsPause)
	r.try(t.Context())
	require.Len(t, broken.ids, 1)
}

func TestRefillerYields(t *testing.T) {
	for name, c := range map[string]struct {
		status mpc.Status
		yields bool
	}{
		"nothing to do":   {mpc.Status{}, false},
		"sessions run":    {mpc.Status{Sessions: make([]session.Snapshot, 1)}, true},
		"one is over":     {mpc.Status{Sessions: []session.Snapshot{{Phase: session.Lingering}}}, false},
		"presignatures":   {mpc.Status{Sessions: []session.Snapshot{{Phase: session.Running, Ahead: true}}}, false},
		"both":            {mpc.Status{Sessions: []session.Snapshot{{Phase: session.Running, Ahead: true}, {Phase: session.Waiting}}}, true},
		"blocks are late": {mpc.Status{BlocksLate: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRefiller(&memoryPool{ids: []uint64{1}}, 2, func() mpc.Status { return c.status }, slog.New(slog.DiscardHandler))
			require.Equal(t, c.yields, r.yields())
		})
	}
}

func TestRefillerEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, newRefiller(&memoryPool{}, 2, nil, slog.New(slog.DiscardHandler)).run(ctx))
}
