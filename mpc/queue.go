package mpc

import "sync"

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
	wake  chan struct{}
}

type queued struct {
	run   func()
	bytes int
	step  bool // what a worker finished
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put queues bounded work; false if there is no room.
func (q *queue) put(bytes int, run func()) bool { return q.putWithin(1, bytes, run) }

// putLow queues work that anybody can cause: it gets a quarter of the room, so
// that it cannot push the messages of sessions out.
func (q *queue) putLow(bytes int, run func()) bool { return q.putWithin(lowShare, bytes, run) }

func (q *queue) putWithin(share, bytes int, run func()) bool {
	q.mu.Lock()
	full := len(q.items) >= maxQueued/share || q.bytes+bytes > maxQueuedBytes/share
	if !full {
		q.items = append(q.items, queued{run: run, bytes: bytes})
		q.bytes += bytes
	}
	q.mu.Unlock()
	q.signal()
	return !full
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
	return items
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}
