package p2p

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

const (
	// framedOverhead is the tag and the length of one envelope in a frame, and of the
	// frame in its message.
	framedOverhead = 4
	// maxFramedBytes is the size of an envelope that travels alone: most of a frame.
	maxFramedBytes = MaxFrameBytes / 4
)

// framable: it is short and an envelope for this peer itself.
func (p parcel) framable() bool {
	_, ok := p.msg.(*wire.Envelope)
	return ok && p.size <= maxFramedBytes
}

// company takes what goes into one frame with a message that was taken: those that
// would leave right after it, while the peer's pace allows. Nothing waits for company.
// What is on a detour gets its half of the bytes after it.
func (o *outbox) company(first parcel, now time.Time) (more []parcel) {
	if !first.framable() {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	size := 2*framedOverhead + first.size
	for len(more)+1 < MaxFramed && len(o.queues[control])+len(o.queues[bulk]) > 0 {
		next := o.queues[o.nextLane()][0]
		size += framedOverhead + next.size
		if !next.framable() || size > MaxFrameBytes || o.pace.delay(now) > 0 {
			break
		}
		more = append(more, o.takeOwn())
		o.pace.spend(now, next.size)
		if !o.transit.empty() {
			o.lead -= next.size
		}
	}
	return more
}

// receiveFrame charges for each envelope as if it had come alone, and for an empty
// frame too: a frame buys nothing.
func (r *Reactor) receiveFrame(rem *remote, frame *wire.Frame) {
	if n := len(frame.Envelopes); n == 0 || n > MaxFramed {
		r.receive(rem, frame, frame.Size())
		return
	}
	for _, e := range frame.Envelopes {
		r.receive(rem, e, e.Size())
	}
}
