package mpc

import (
	"maps"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// shelf holds results of one kind, one for each place K, and knows when each is
// to be told again.
type shelf[K comparable, V any] struct {
	place func(*V) K
	// order is canonical: whatever came first, everybody lists the same.
	order  func(a, b *V) int
	gossip func(*V) *wire.Gossip
	items  map[K]*pooled[V]
	// changed since the last call of values, which listed is the answer of.
	changed bool
	listed  []V
}

// pooled is a result on its way to a proposer.
type pooled[V any] struct {
	value    V
	gossip   *wire.Gossip
	due      time.Time
	interval time.Duration
}

func newShelf[K comparable, V any](
	place func(*V) K, order func(a, b *V) int, gossip func(*V) *wire.Gossip,
) shelf[K, V] {
	return shelf[K, V]{place: place, order: order, gossip: gossip, items: make(map[K]*pooled[V])}
}

func (s *shelf[K, V]) has(v *V) bool {
	_, ok := s.items[s.place(v)]
	return ok
}

func (s *shelf[K, V]) add(v V, now time.Time) {
	s.changed = true
	s.items[s.place(&v)] = &pooled[V]{value: v, gossip: s.gossip(&v), due: now, interval: gossipFirst}
}

// addOwn adds what this node finds itself and tells it at once: a block may be made
// before the next tick.
func (s *shelf[K, V]) addOwn(v V, now time.Time, tell func(*wire.Gossip)) {
	s.add(v, now)
	s.items[s.place(&v)].told(now, tell)
}

func (s *shelf[K, V]) drop(v *V) {
	delete(s.items, s.place(v))
	s.changed = true
}

// prune keeps what is wanted.
func (s *shelf[K, V]) prune(wanted func(*V) bool) {
	before := len(s.items)
	maps.DeleteFunc(s.items, func(_ K, p *pooled[V]) bool { return !wanted(&p.value) })
	s.changed = s.changed || len(s.items) != before
}

// sorted lists what is chosen in canonical order.
func (s *shelf[K, V]) sorted(chosen func(*pooled[V]) bool) []*pooled[V] {
	var list []*pooled[V]
	for _, p := range s.items {
		if chosen(p) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *pooled[V]) int { return s.order(&a.value, &b.value) })
	return list
}

// values lists everything in canonical order. What it returned is never changed.
func (s *shelf[K, V]) values() []V {
	if !s.changed {
		return s.listed
	}
	s.listed, s.changed = make([]V, 0, len(s.items)), false
	for _, p := range s.sorted(func(*pooled[V]) bool { return true }) {
		s.listed = append(s.listed, p.value)
	}
	return s.listed
}

// flush tells what is due.
func (s *shelf[K, V]) flush(now time.Time, tell func(*wire.Gossip)) {
	for _, p := range s.sorted(func(p *pooled[V]) bool { return !now.Before(p.due) }) {
		p.told(now, tell)
	}
}

// told tells it, and puts off the next time.
func (p *pooled[V]) told(now time.Time, tell func(*wire.Gossip)) {
	tell(p.gossip)
	p.due = now.Add(p.interval)
	p.interval = min(2*p.interval, gossipMax)
}
