package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// The first messages of a round may overtake the Start that names their
// context. They wait here for a moment; what does not fit is dropped and comes
// again, its sender resends.
const (
	// earlyPerSender: the first round of a keygen is one envelope of 134 KB, of
	// a signature two small ones; 32 leave room for a dozen sessions at once.
	earlyPerSender = 32
	// earlyBytesPerSender: eight keygens that begin at the same moment.
	earlyBytesPerSender = 8 * 160 << 10
	earlyAge            = 10 * time.Second
	// endedAge is longer than others go on resending to a session that is over
	// here: until their own watchdog ends it.
	endedAge = time.Minute
)

type earlyEnvelope struct {
	envelope types.Verified
	at       time.Time
}

// earlyBuffer holds envelopes of contexts that this node does not know yet.
type earlyBuffer struct {
	bySender map[types.Operator][]earlyEnvelope
	// ended are contexts of sessions that are over.
	ended map[types.Context]*endedSession
}

func newEarlyBuffer() *earlyBuffer {
	return &earlyBuffer{
		bySender: make(map[types.Operator][]earlyEnvelope), ended: make(map[types.Context]*endedSession),
	}
}

// endedSession is one that is over here.
type endedSession struct {
	since time.Time
	// abort is what this node said when it left early; nil if it did not.
	abort *wire.Envelope
	told  map[types.Operator]time.Time
}

// end makes late messages of a session vanish.
func (b *earlyBuffer) end(context types.Context, abort *wire.Envelope, now time.Time) {
	b.ended[context] = &endedSession{since: now, abort: abort, told: make(map[types.Operator]time.Time)}
}

// answer is what a late message of a session deserves that this node left: its
// sender may have missed it. At most once a second each.
func (b *earlyBuffer) answer(v types.Verified, now time.Time) *wire.Envelope {
	e, ended := b.ended[types.Context(v.Header().Context)]
	if !ended || e.abort == nil || v.Header().Kind == wire.KIND_ABORT || now.Sub(e.told[v.From()]) < time.Second {
		return nil
	}
	e.told[v.From()] = now
	return e.abort
}

// put keeps an envelope if its sender has room.
func (b *earlyBuffer) put(v types.Verified, now time.Time) bool {
	if _, ended := b.ended[types.Context(v.Header().Context)]; ended {
		return true // a late resend of what is over here
	}
	held := b.bySender[v.From()]
	bytes, hash := len(v.Body()), v.Hash()
	for _, e := range held {
		bytes += len(e.envelope.Body())
		if e.envelope.Hash() == hash {
			return true
		}
	}
	if len(held) >= earlyPerSender || bytes > earlyBytesPerSender {
		return false
	}
	b.bySender[v.From()] = append(held, earlyEnvelope{v, now})
	return true
}

// take removes and returns what came for a context, in order of arrival for
// each sender.
func (b *earlyBuffer) take(context types.Context, senders []types.Operator) []types.Verified {
	var out []types.Verified
	for _, op := range senders {
		b.filter(op, func(e earlyEnvelope) bool {
			if types.Context(e.envelope.Header().Context) != context {
				return true
			}
			out = append(out, e.envelope)
			return false
		})
	}
	return out
}

func (b *earlyBuffer) expire(now time.Time) {
	for op := range b.bySender {
		b.filter(op, func(e earlyEnvelope) bool { return now.Sub(e.at) < earlyAge })
	}
	for context, e := range b.ended {
		if now.Sub(e.since) >= endedAge {
			delete(b.ended, context)
		}
	}
}

func (b *earlyBuffer) filter(op types.Operator, keep func(earlyEnvelope) bool) {
	held := b.bySender[op]
	kept := held[:0]
	for _, e := range held {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	clear(held[len(kept):])
	if len(kept) == 0 {
		delete(b.bySender, op)
		return
	}
	b.bySender[op] = kept
}
