package mpcnode

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
		empty  time.Duration // how long the pool has been empty
		makes  bool
	}{
		{"full", 2, false, 0, false},
		{"one missing, idle", 1, false, 0, true},
		{"one missing, busy", 1, true, 0, false},
		{"empty, idle", 0, false, 0, true},
		{"empty, busy", 0, true, 0, false},
		{"empty too long, busy", 0, true, emptyPatience, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := &memoryPool{ids: make([]uint64, c.unused)}
			now := time.Unix(1000, 0)
			r := &refiller{
				store: pool, target: 2, log: slog.New(slog.DiscardHandler),
				busy: func() bool { return c.busy },
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
	r := newRefiller(pool, 2, nil, slog.New(slog.DiscardHandler))
	r.busy = func() bool { return busy }
	search := r.make
	r.make = func(ctx context.Context, yield func() bool) error {
		busy = true
		return search(ctx, yield)
	}
	require.NoError(t, r.refill(t.Context()))
	require.Len(t, pool.ids, 1)
}

func TestRefillerEnds(t *testing.T) {
	broken := &memoryPool{err: errors.New("closed")}
	r := newRefiller(broken, 2, nil, slog.New(slog.DiscardHandler))
	require.Error(t, r.refill(t.Context()))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, newRefiller(&memoryPool{}, 2, nil, slog.New(slog.DiscardHandler)).run(ctx))
}
