package session

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// delivery is one envelope on its way to one member.
type delivery struct {
	to       types.Operator
	envelope *wire.Envelope
	due      time.Time
	interval time.Duration
	sent     bool
}

// outbox keeps what was sent until there is a sign that it arrived, and sends
// it again, byte for byte, until then. A queued send is not a delivered one:
// connections break, queues overflow, nodes restart.
type outbox struct {
	timing  Timing
	send    func(types.Operator, *wire.Envelope) bool
	pending []*delivery
	resent  int
}

// add sends at once and keeps the envelope.
func (o *outbox) add(to types.Operator, e *wire.Envelope, now time.Time) {
	o.attempt(o.keep(to, e, now), now)
}

// keep holds an envelope that is sent by the first flush at or after a time.
func (o *outbox) keep(to types.Operator, e *wire.Envelope, due time.Time) *delivery {
	d := &delivery{to: to, envelope: e, due: due, interval: o.timing.Resend}
	o.pending = append(o.pending, d)
	return d
}

func (o *outbox) attempt(d *delivery, now time.Time) {
	if !o.send(d.to, d.envelope) {
		d.due = now.Add(o.timing.Retry)
		return
	}
	if d.sent {
		o.resent++
	}
	d.sent = true
	d.due = now.Add(d.interval)
	d.interval = min(d.interval+d.interval/2, o.timing.ResendMax)
}

// find returns what was sent to a member for a slot of a round, if it gave no
// sign of having it.
func (o *outbox) find(to types.Operator, round uint32, typ string) *wire.Envelope {
	kind := wire.KIND_ROUND
	if typ == confirmSlot {
		kind = wire.KIND_CONFIRM
	}
	for _, d := range o.pending {
		if h := d.envelope.Header; d.to == to && h.Kind == kind && h.Round == round && h.Type == typ {
			return d.envelope
		}
	}
	return nil
}

// flush sends what is due.
func (o *outbox) flush(now time.Time) {
	for _, d := range o.pending {
		if !now.Before(d.due) {
			o.attempt(d, now)
		}
	}
}

// hurry makes everything for one member due: it just came back.
func (o *outbox) hurry(to types.Operator, now time.Time) {
	for _, d := range o.pending {
		if d.to == to {
			d.due, d.interval = now, o.timing.Resend
		}
	}
}

// drop forgets deliveries that are no longer needed.
func (o *outbox) drop(done func(to types.Operator, h *wire.Header) bool) {
	kept := o.pending[:0]
	for _, d := range o.pending {
		if !done(d.to, d.envelope.Header) {
			kept = append(kept, d)
		}
	}
	clear(o.pending[len(kept):])
	o.pending = kept
}
