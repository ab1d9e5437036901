package p2p

import (
	"sync"

	"github.com/cosmos/gogoproto/proto"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// lane is a priority of outbound messages.
type lane int

// The lanes. Control messages (everything but rounds) are few and short, and a
// session waits for each of them; they overtake the rounds of other sessions.
const (
	control lane = iota
	bulk
	lanes
)

// controlRun is how many control messages leave in a row while a round
// message waits: rounds get a ninth of the messages at worst.
const controlRun = 8

// laneOf sorts envelopes.
func laneOf(e *wire.Envelope) lane {
	if e.Header.Kind == wire.KIND_ROUND || e.Header.Kind == wire.KIND_FORWARD {
		return bulk
	}
	return control
}

// parcel is an outbound message.
type parcel struct {
	msg  proto.Message
	kind string
	size int
}

// outbox holds what is to go to one peer, for its sending goroutine.
type outbox struct {
	limits [lanes]queueLimit
	// wake has room for one: somebody put something.
	wake chan struct{}

	mu     sync.Mutex
	queues [lanes][]parcel
	bytes  [lanes]int
	// hello: this node's hello of now is due. It is not in a queue, so it can
	// neither be dropped nor be sent in an old version.
	hello bool
	// run counts control messages since the last round message.
	run    int
	closed bool
}

func newOutbox(l [lanes]queueLimit) *outbox {
	return &outbox{limits: l, wake: make(chan struct{}, 1)}
}

// put queues a message; false means that its lane is full or the peer is gone.
func (o *outbox) put(l lane, p parcel) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit := o.limits[l]
	if o.closed || len(o.queues[l]) >= limit.messages || o.bytes[l]+p.size > limit.bytes {
		return false
	}
	o.queues[l] = append(o.queues[l], p)
	o.bytes[l] += p.size
	o.signal()
	return true
}

// announce makes the hello due.
func (o *outbox) announce() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hello = true
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// takeHello reports whether the hello is due and counts it as sent.
func (o *outbox) takeHello() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	due := o.hello
	o.hello = false
	return due
}

// take returns the next message; false means that none waits.
func (o *outbox) take() (parcel, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := control
	if len(o.queues[control]) == 0 || (o.run >= controlRun && len(o.queues[bulk]) > 0) {
		l = bulk
	}
	if len(o.queues[l]) == 0 {
		return parcel{}, false
	}
	if l == control {
		o.run++
	} else {
		o.run = 0
	}
	p := o.queues[l][0]
	o.queues[l][0] = parcel{}
	o.queues[l] = o.queues[l][1:]
	o.bytes[l] -= p.size
	return p, true
}

// close drops everything, takes nothing more, and returns how many it dropped.
func (o *outbox) close() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	dropped := len(o.queues[control]) + len(o.queues[bulk])
	o.queues, o.bytes, o.closed = [lanes][]parcel{}, [lanes]int{}, true
	return dropped
}
