package mpc

import (
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Bounds of what waits for the loop. The loop empties the queue in
// microseconds; only a write to a slow disk lets it grow.
const (
	maxQueued = 4096
	// maxQueuedBytes: about 400 of the largest envelopes (160 KB).
	maxQueuedBytes = 64 << 20
	// lowShare is the divisor of both for results that are passed around.
	lowShare = 4
)

// queue hands work to the loop without ever blocking who brings it.
type queue struct {
	mu    sync.Mutex
	items []queued
	bytes int
	// from is what participants have in it, told what peers told, and low that of all.
	from map[types.Operator]load
	told map[string]load
	low  load
	wake chan struct{}
}

type load struct{ items, bytes int }

type queued struct {
	run   func()
	bytes int
	step  bool // what a worker finished
}

func newQueue() *queue {
	return &queue{from: make(map[types.Operator]load), told: make(map[string]load), wake: make(chan struct{}, 1)}
}

// put queues bounded work; false if there is no room.
func (q *queue) put(bytes int, run func()) bool {
	return q.putIf(bytes, run, func() bool { return q.room(bytes) })
}

// putLow queues work that anybody can cause: all of it gets a quarter of the room, so
// that it cannot push the messages of sessions out. What one peer brings is never more than
// is free of that, as in putFrom.
func (q *queue) putLow(peer string, bytes int, run func()) bool {
	return q.putIf(bytes, run, func() bool {
		own := q.told[peer]
		if own.items >= maxQueued/lowShare-q.low.items || own.bytes+bytes > maxQueuedBytes/lowShare-q.low.bytes || !q.room(bytes) {
			return false
		}
		q.told[peer] = load{own.items + 1, own.bytes + bytes}
		q.low = load{q.low.items + 1, q.low.bytes + bytes}
		return true
	})
}

// putFrom queues what a participant said: it never has more in the queue than is free.
// So one of them can fill half of it, k of them fill k parts of k+1, and whoever has
// less there than they finds room.
func (q *queue) putFrom(op types.Operator, bytes int, run func()) bool {
	return q.putIf(bytes, run, func() bool {
		own := q.from[op]
		if own.items >= maxQueued-len(q.items) || own.bytes+bytes > maxQueuedBytes-q.bytes {
			return false
		}
		q.from[op] = load{own.items + 1, own.bytes + bytes}
		return true
	})
}

// room: the queue has place for one more item.
func (q *queue) room(bytes int) bool {
	return len(q.items) < maxQueued && q.bytes+bytes <= maxQueuedBytes
}

func (q *queue) putIf(bytes int, run func(), fits func() bool) bool {
	q.mu.Lock()
	ok := fits()
	if ok {
		q.items = append(q.items, queued{run: run, bytes: bytes})
		q.bytes += bytes
	}
	q.mu.Unlock()
	q.signal()
	return ok
}

// force queues work that is bounded by its nature: what a worker finished.
func (q *queue) force(run func()) {
	q.mu.Lock()
	q.items = append(q.items, queued{run: run, step: true})
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take empties the queue.
func (q *queue) take() []queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items, q.bytes = nil, 0
	clear(q.from)
	clear(q.told)
	q.low = load{}
	return items
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}
