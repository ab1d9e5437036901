package p2p

import (
	"sync"

	"github.com/cosmos/gogoproto/proto"
)

// arrival is an inbound message on its way to a verify worker.
type arrival struct {
	from *remote
	msg  proto.Message
	size int
	// number counts arrivals over all peers: the order of hellos.
	number uint64
}

// inbox holds what arrived, in a bounded queue for each peer, and hands it out
// to the workers one message a peer in turn: a peer that floods waits for
// itself only.
type inbox struct {
	limit queueLimit

	mu   sync.Mutex
	wake *sync.Cond
	// turn lists the peers with a message waiting, the next one first.
	turn    []*remote
	waiting int
	closed  bool
}

// backlog is a peer's part of the inbox, guarded by the inbox.
type backlog struct {
	queue []arrival
	bytes int
	// gone: the peer was removed; nothing of it is taken any more.
	gone bool
}

func newInbox(l queueLimit) *inbox {
	b := &inbox{limit: l}
	b.wake = sync.NewCond(&b.mu)
	return b
}

// put queues a message and returns how many wait. It never blocks; false means
// that the peer's queue is full, the peer is gone, or the inbox is closed.
func (b *inbox) put(a arrival) (waiting int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := &a.from.backlog
	if b.closed || q.gone || len(q.queue) >= b.limit.messages || q.bytes+a.size > b.limit.bytes {
		return b.waiting, false
	}
	q.queue = append(q.queue, a)
	q.bytes += a.size
	b.waiting++
	if len(q.queue) == 1 {
		b.turn = append(b.turn, a.from)
	}
	b.wake.Signal()
	return b.waiting, true
}

// take waits for a message; false means that the inbox was closed.
func (b *inbox) take() (a arrival, waiting int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.turn) == 0 && !b.closed {
		b.wake.Wait()
	}
	if b.closed {
		return arrival{}, 0, false
	}
	from := b.turn[0]
	b.turn[0] = nil
	b.turn = b.turn[1:]
	q := &from.backlog
	a, q.queue[0] = q.queue[0], arrival{}
	q.queue = q.queue[1:]
	q.bytes -= a.size
	b.waiting--
	if len(q.queue) > 0 {
		b.turn = append(b.turn, from)
	}
	return a, b.waiting, true
}

// forget drops what a removed peer left and takes nothing of it any more.
func (b *inbox) forget(from *remote) (waiting int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting -= len(from.backlog.queue)
	from.backlog = backlog{gone: true}
	for i, p := range b.turn {
		if p == from {
			b.turn = append(b.turn[:i:i], b.turn[i+1:]...)
			break
		}
	}
	return b.waiting
}

// close wakes and ends all workers.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.wake.Broadcast()
}
