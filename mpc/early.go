package mpc

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// The first messages of a round may overtake the Start that names their
// context. They wait here for a moment, if a session is here that waits for such a Start:
// anybody can say again what a member once said in another one. What they find full, the
// oldest leave; what does not fit is dropped and comes again, its sender resends.
const (
	// earlyPerSender: the first round of a keygen is one envelope of 134 KB, of
	// a signature two small ones; 32 leave room for a dozen sessions at once.
	earlyPerSender = 32
	// earlyPerContext: nobody gets beyond the first round without this node, whose
	// messages, Confirm and a few Workings these are.
	earlyPerContext = 8
	// earlyBytesPerSender: eight keygens that begin at the same moment.
	earlyBytesPerSender = 8 * 160 << 10
	earlyAge            = 10 * time.Second
	// endedAge is longer than others go on resending to a session that is over
	// here: until their own watchdog ends it.
	endedAge = time.Minute
	// endedMaxAge is how long a context is remembered whose request is still open, and waits
	// for another session. Attempts are of minutes.
	endedMaxAge = time.Hour
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
	request types.RequestID
	// signers ran it; none where it is known by the name that it had before its Start.
	signers []types.Operator
	since   time.Time
	// abort is what this node said when it left early; nil if it did not.
	abort *wire.Envelope
	told  map[types.Operator]time.Time
}

// end makes late messages of a session vanish.
func (b *earlyBuffer) end(r types.RequestID, context types.Context, signers []types.Operator, abort *wire.Envelope, now time.Time) {
	b.ended[context] = &endedSession{request: r, signers: signers, since: now, abort: abort, told: make(map[types.Operator]time.Time)}
}

// over: the context is one of a session that ended here.
func (b *earlyBuffer) over(context types.Context) bool { return b.ended[context] != nil }

// overWith: it is one that somebody ran.
func (b *earlyBuffer) overWith(context types.Context, signer types.Operator) bool {
	e := b.ended[context]
	return e != nil && slices.Contains(e.signers, signer)
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

// put keeps an envelope. The oldest of its sender make room for it: what somebody repeats
// does not keep out what comes after it.
func (b *earlyBuffer) put(v types.Verified, now time.Time) bool {
	held := b.bySender[v.From()]
	bytes, hash, context, same := len(v.Body()), v.Hash(), string(v.Header().Context), 0
	for _, e := range held {
		bytes += len(e.envelope.Body())
		if e.envelope.Hash() == hash {
			return true
		}
		if string(e.envelope.Header().Context) == context {
			same++
		}
	}
	if len(v.Body()) > earlyBytesPerSender || same >= earlyPerContext {
		return false
	}
	oldest := 0
	for len(held)-oldest >= earlyPerSender || bytes > earlyBytesPerSender {
		bytes -= len(held[oldest].envelope.Body())
		oldest++
	}
	b.bySender[v.From()] = append(slices.Delete(held, 0, oldest), earlyEnvelope{v, now})
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

// expire forgets what nobody waits for any more. open says of a request whether it is.
func (b *earlyBuffer) expire(now time.Time, open func(types.RequestID) bool) {
	for op := range b.bySender {
		b.filter(op, func(e earlyEnvelope) bool { return now.Sub(e.at) < earlyAge })
	}
	for context, e := range b.ended {
		switch age := now.Sub(e.since); {
		case age >= endedAge && !open(e.request), age >= endedMaxAge:
			delete(b.ended, context)
		case age >= endedAge:
			e.abort, e.told = nil, nil // nobody resends any more
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
