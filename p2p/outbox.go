package p2p

import (
	"sync"
	"time"

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

// parcel is an outbound message: bytes are the whole of it, size is without what is around
// it.
type parcel struct {
	msg   proto.Message
	bytes encoded
	kind  string
	size  int
}

// outbox holds what is to go to one peer, for its sending goroutine.
type outbox struct {
	limits [lanes]queueLimit
	// wake has room for one: somebody put something.
	wake chan struct{}

	mu     sync.Mutex
	queues [lanes][]parcel
	bytes  [lanes]int
	// transit is what goes on from here, this node's own envelopes among it. It
	// gets half of the bytes while both wait.
	transit *transit
	// lead is how many bytes of transit left more than of the lanes since both
	// wait.
	lead int
	// pace keeps everything, and relayed what is relayed, within what the peer
	// takes.
	pace, relayed *budget
	// hello: this node's hello of now is due. It is not in a queue, so it can
	// neither be dropped nor be sent in an old version. greeted is when the last
	// one left.
	hello   bool
	greeted time.Time
	// run counts control messages since the last round message.
	run    int
	closed bool
}

func newOutbox(l limits) *outbox {
	return &outbox{
		limits: l.lanes, wake: make(chan struct{}, 1),
		transit: newTransit(l.transit), pace: newBudget(l.pace), relayed: newBudget(l.relayPace),
	}
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

// relay queues an envelope on a detour and says how many others it displaced;
// false means that there is no place for it, or the peer is gone.
func (o *outbox) relay(f flow, p parcel) (displaced int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, false
	}
	defer o.signal()
	return o.transit.put(f, p)
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

// answer makes the hello due unless one left of late.
func (o *outbox) answer(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Sub(o.greeted) >= helloAnswer {
		o.hello = true
		o.signal()
	}
}

// takeHello reports whether the hello is due and counts it as sent.
func (o *outbox) takeHello(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.hello {
		return false
	}
	o.hello, o.greeted = false, now
	return true
}

// take returns the next message; false means that none may go now. If one waits
// for its turn in time, that is after wait.
func (o *outbox) take(now time.Time) (p parcel, wait time.Duration, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	own, transit := len(o.queues[control])+len(o.queues[bulk]) > 0, !o.transit.empty()
	if !own && !transit {
		return parcel{}, 0, false
	}
	if wait = o.pace.delay(now); wait > 0 {
		return parcel{}, wait, false
	}
	if transit {
		if wait = o.relayed.delay(now); wait > 0 && !own {
			return parcel{}, wait, false
		}
		transit = wait == 0
	}
	switch {
	case transit && (!own || o.lead <= 0):
		p = o.transit.take()
		o.relayed.spend(now, p.size)
		o.lead += p.size
	default:
		p = o.takeOwn()
		o.lead -= p.size
	}
	if !own || !transit {
		o.lead = 0
	}
	o.pace.spend(now, p.size)
	return p, 0, true
}

// nextLane is that of the next message of the lanes; one is there.
func (o *outbox) nextLane() lane {
	if len(o.queues[control]) == 0 || (o.run >= controlRun && len(o.queues[bulk]) > 0) {
		return bulk
	}
	return control
}

// takeOwn returns the next message of the lanes; one is there.
func (o *outbox) takeOwn() parcel {
	l := o.nextLane()
	if l == control {
		o.run++
	} else {
		o.run = 0
	}
	p := o.queues[l][0]
	o.queues[l][0] = parcel{}
	o.queues[l] = o.queues[l][1:]
	o.bytes[l] -= p.size
	return p
}

// close drops everything, takes nothing more, and returns how many it dropped.
func (o *outbox) close() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	dropped := len(o.queues[control]) + len(o.queues[bulk]) + o.transit.messages
	o.queues, o.bytes, o.closed = [lanes][]parcel{}, [lanes]int{}, true
	o.transit = newTransit(queueLimit{})
	return dropped
}
