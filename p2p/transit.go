package p2p

import "github.com/sequencer-mpc/sequencer/mpc/types"

// flow is what is relayed of one sender in one lane: its control messages do
// not wait for its rounds, nor what its own connection brought for what others say
// again of it.
type flow struct {
	from types.Operator
	lane lane
	own  bool
}

// transit holds what is to be relayed to one peer. It serves the flows by bytes,
// the one that got least first: a sender that floods waits for itself only. What
// finds it full displaces what the longest flow holds.
type transit struct {
	limit queueLimit
	flows map[flow]*flowQueue
	// messages and bytes of all flows.
	messages, bytes int
	// served is what the flow that was served last had got then: one that was
	// empty begins there.
	served int
}

// flowQueue is what waits of a flow.
type flowQueue struct {
	parcels []parcel
	bytes   int
	served  int
}

func newTransit(l queueLimit) *transit {
	return &transit{limit: l, flows: make(map[flow]*flowQueue)}
}

func (t *transit) empty() bool { return t.messages == 0 }

// put queues a parcel and says how many others it displaced; false means that
// its flow would be the longest.
func (t *transit) put(f flow, p parcel) (displaced int, ok bool) {
	own := 0
	if q := t.flows[f]; q != nil {
		own = q.bytes
	}
	for t.messages >= t.limit.messages || t.bytes+p.size > t.limit.bytes {
		longest, victim := t.longest()
		if victim == nil || victim.bytes < own+p.size {
			return displaced, false
		}
		last := len(victim.parcels) - 1
		t.shrink(longest, victim, victim.parcels[last].size)
		victim.parcels[last] = parcel{}
		victim.parcels = victim.parcels[:last]
		displaced++
	}
	q := t.flows[f]
	if q == nil {
		q = &flowQueue{served: t.served}
		t.flows[f] = q
	}
	q.parcels = append(q.parcels, p)
	q.bytes += p.size
	t.messages++
	t.bytes += p.size
	return displaced, true
}

// take returns the next parcel; it must not be empty.
func (t *transit) take() parcel {
	var next flow
	var q *flowQueue
	for f, candidate := range t.flows {
		if q == nil || candidate.served < q.served {
			next, q = f, candidate
		}
	}
	p := q.parcels[0]
	q.parcels[0] = parcel{}
	q.parcels = q.parcels[1:]
	t.served = q.served
	q.served += p.size
	t.shrink(next, q, p.size)
	return p
}

// shrink counts a parcel that leaves; a flow without any is forgotten.
func (t *transit) shrink(f flow, q *flowQueue, size int) {
	q.bytes -= size
	t.messages--
	t.bytes -= size
	if q.bytes == 0 {
		delete(t.flows, f)
	}
}

func (t *transit) longest() (f flow, q *flowQueue) {
	for candidate, c := range t.flows {
		if q == nil || c.bytes > q.bytes {
			f, q = candidate, c
		}
	}
	return f, q
}
