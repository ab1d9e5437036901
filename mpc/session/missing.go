package session

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// A member that withholds something from one other member only makes that one
// look as if it stalled. So whoever lacks a message or a Confirm says so to all:
// holders of a broadcast or Confirm pass it on, and the sender of a sealed
// message sends it by way of everybody else. After that it is clear to all
// whether it was there.

// missingAfter is how many resend times without progress make a message
// missing; then it is said again after as many.
const missingAfter = 2

// busyStalls: that a member computes is believed for one of so many parts of the stall
// time, then what is not here of it is missing all the same. It could otherwise give
// everybody else their messages, and one member nothing but word that it computes; the
// others would take that one for silent. Those who do compute are not blamed for it.
const busyStalls = 3

// maxMissing bounds how often one member is listened to in one session.
const maxMissing = 100

// maxForwards bounds how often one message is passed on for one member.
const maxForwards = 3

// sealedRounds is how long our own sealed messages are kept after their round:
// members are at most one round apart, and what is said of a round counts during
// the next one.
const sealedRounds = 2

// parcel is a message on a detour: whose and for whom.
type parcel struct {
	round uint32
	slot  slot
	to    types.Operator
}

// trip is a parcel, or word of one, on its way by somebody; nobody: by way of all.
type trip struct {
	parcel
	by types.Operator
}

// trips are how often, and when last.
type trips struct {
	count int
	last  time.Time
}

// complaint is what a member says did not arrive.
type complaint struct {
	round uint32
	count uint32
	// since is when each of it was first said to be missing, without a pause.
	since map[slot]time.Time
	// envelope is the last Missing.
	envelope *wire.Envelope
}

// slots lists it by sender and type.
func (c *complaint) slots() []slot {
	return slices.SortedFunc(maps.Keys(c.since), func(a, b slot) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.typ, b.typ))
	})
}

// courier knows what was passed on for members that lack something.
type courier struct {
	complaints map[types.Operator]complaint
	trips      map[trip]trips
	// shown is when a sealed message first came that its sender sent by way of this node.
	shown map[parcel]time.Time
	// sealed are our own sealed messages. A sign of arrival that only this node
	// got is none for the others: they may be told that it withheld one.
	sealed map[parcel]*wire.Envelope
}

func newCourier() courier {
	return courier{
		complaints: make(map[types.Operator]complaint), trips: make(map[trip]trips),
		shown: make(map[parcel]time.Time), sealed: make(map[parcel]*wire.Envelope),
	}
}

// departs counts a trip; false if it was made too often, or just now.
func (c *courier) departs(t trip, pause time.Duration, now time.Time) bool {
	made := c.trips[t]
	if made.count >= maxForwards || made.count > 0 && now.Sub(made.last) < pause {
		return false
	}
	c.trips[t] = trips{made.count + 1, now}
	return true
}

// forget drops our sealed messages that nobody can rightly miss any more, once a
// round is complete.
func (c *courier) forget(round uint32) {
	maps.DeleteFunc(c.sealed, func(p parcel, _ *wire.Envelope) bool { return p.round+sealedRounds <= round })
}

// sayMissing tells all members what did not arrive.
func (s *Session) sayMissing(now time.Time) {
	if s.round == 0 || now.Sub(s.asked) < missingAfter*s.cfg.Timing.Resend || s.asking >= maxMissing {
		return
	}
	slots := s.lacking(now)
	if len(slots) == 0 {
		return
	}
	s.asked = now
	s.asking++
	body := wire.Missing{Count: s.asking, Slots: slots}
	bz, err := body.Marshal()
	if err != nil {
		s.fail(types.ErrOwnFailure, fmt.Errorf("encode a Missing: %w", err))
		return
	}
	e := s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_MISSING, Round: s.round}, bz)
	for _, op := range s.others() {
		s.cfg.Host.Send(op, e)
	}
}

// confirmSlot is the type in the slot of a Confirm.
const confirmSlot = ""

// lacks: a message of this round that is for this node is not here.
func (s *Session) lacks(spec MessageSpec, from types.Operator) bool {
	return s.passes(spec, from, s.cfg.Self) && !s.inbox.has(s.round, slot{from, spec.Type})
}

// missing lists those senders of whom a message of this round is not here.
func (s *Session) missing(senders []types.Operator) []types.Operator {
	return slices.DeleteFunc(slices.Clone(senders), func(from types.Operator) bool {
		return !slices.ContainsFunc(s.rounds[s.round-1], func(spec MessageSpec) bool { return s.lacks(spec, from) })
	})
}

// lacking lists what is missing for some time of members that are not computing
// just now.
func (s *Session) lacking(now time.Time) []*wire.Slot {
	var slots []*wire.Slot
	for _, from := range s.others() {
		p := s.peers[from]
		if s.waiting(from, now) < missingAfter*s.cfg.Timing.Resend {
			continue
		}
		if p.passed < s.round && now.Sub(p.working) < missingAfter*s.cfg.Timing.Working && s.waiting(from, now) < s.cfg.Timing.Stall/busyStalls {
			continue
		}
		for _, spec := range s.rounds[s.round-1] {
			if s.lacks(spec, from) {
				slots = append(slots, &wire.Slot{From: string(from), Type: spec.Type})
			}
		}
		if _, said := s.inbox.confirms[s.round][from]; !said && s.inbox.confirmed == s.round {
			slots = append(slots, &wire.Slot{From: string(from), Type: confirmSlot})
		}
	}
	slices.SortFunc(slots, func(a, b *wire.Slot) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Type, b.Type)) })
	return slots
}

// onMissing passes on what this node has of what a member lacks.
func (s *Session) onMissing(v types.Verified, now time.Time) {
	h, member := v.Header(), v.From()
	if _, ok := s.signer(v); !ok || h.To != "" || h.Round == 0 || h.Round+sealedRounds < s.round || h.Round > s.round+1 ||
		int(h.Round) > len(s.rounds) {
		return
	}
	var m wire.Missing
	if err := m.Unmarshal(v.Body()); err != nil || !ascend(m.Slots) || len(m.Slots) > len(s.signers)*len(s.rounds[h.Round-1]) {
		s.accuse(v, fmt.Errorf("missing of round %d is malformed", h.Round))
		return
	}
	last := s.courier.complaints[member]
	c := complaint{round: h.Round, count: m.Count, since: make(map[slot]time.Time), envelope: v.Envelope()}
	for _, lacks := range m.Slots {
		place := slot{types.Operator(lacks.From), lacks.Type}
		spec, ok := s.rounds[h.Round-1].spec(place.typ)
		if !ok && place.typ != confirmSlot || !slices.Contains(s.signers, place.from) || place.from == member ||
			ok && !s.passes(spec, place.from, member) {
			continue
		}
		c.since[place] = now
		if since, said := last.since[place]; said && last.round == h.Round {
			c.since[place] = since
		}
		s.help(parcel{h.Round, place, member}, spec, now)
	}
	if m.Count > last.count && m.Count <= maxMissing {
		s.courier.complaints[member] = c
	}
}

// ascend: each is there once, by sender and type.
func ascend(slots []*wire.Slot) bool {
	for i, b := range slots[min(1, len(slots)):] {
		if a := slots[i]; cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Type, b.Type)) >= 0 {
			return false
		}
	}
	return true
}

// help sends a member what it lacks, if this node has it. How often is counted:
// it does not matter which Missing of which member said so.
func (s *Session) help(p parcel, spec MessageSpec, now time.Time) {
	if p.slot.from == s.cfg.Self {
		s.sendAround(p, spec, now)
		return
	}
	if c, here := s.inbox.confirms[p.round][p.slot.from]; here && p.slot.typ == confirmSlot {
		s.forward(p, p.to, c.envelope, now)
	}
	if m, here := s.inbox.messages[p.round][p.slot]; here && spec.Broadcast {
		s.forward(p, p.to, m.envelope.Envelope(), now)
	}
}

// sendAround sends a message of our own again, a sealed one by way of everybody,
// whatever sign of arrival there was.
func (s *Session) sendAround(p parcel, spec MessageSpec, now time.Time) {
	sealed := p.slot.typ != confirmSlot && !spec.Broadcast
	e := s.courier.sealed[p]
	if !sealed {
		e = s.outbox.find(p.to, p.round, p.slot.typ) // nil: there was a sign of arrival
	}
	if e == nil || !s.courier.departs(trip{p, ""}, s.cfg.Timing.Resend, now) {
		return
	}
	s.cfg.Host.Send(p.to, e)
	if !sealed {
		return
	}
	s.sendForward(p.round, e, slices.DeleteFunc(s.others(), func(op types.Operator) bool { return op == p.to })...)
}

// urge passes on to its sender that a member, which this node waits for, lacks a
// message which nobody was shown: whoever says so to all but the sender makes it
// look guilty.
func (s *Session) urge(now time.Time) {
	for _, member := range s.AwaitedFor() {
		c := s.courier.complaints[member]
		for _, place := range c.slots() {
			p := parcel{c.round, place, member}
			if place.from != s.cfg.Self && now.Sub(c.since[place]) >= s.cfg.Timing.Resend && s.needed(p) && !s.arrived(p) {
				s.forward(p, place.from, c.envelope, now)
			}
		}
	}
}

// forward passes an envelope on to one member.
func (s *Session) forward(p parcel, to types.Operator, e *wire.Envelope, now time.Time) {
	if s.courier.departs(trip{p, to}, s.cfg.Timing.Resend, now) {
		s.sendForward(p.round, e, to)
	}
}

func (s *Session) sendForward(round uint32, e *wire.Envelope, to ...types.Operator) {
	f := s.wrap(round, e)
	if f == nil {
		return
	}
	for _, op := range to {
		s.cfg.Host.Send(op, f)
	}
}

// wrap makes a Forward; nil if the session ended instead.
func (s *Session) wrap(round uint32, e *wire.Envelope) *wire.Envelope {
	body := wire.Forward{Envelope: e}
	bz, err := body.Marshal()
	if err != nil {
		s.fail(types.ErrOwnFailure, fmt.Errorf("encode a Forward: %w", err))
		return nil
	}
	return s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_FORWARD, Round: round}, bz)
}

// onForward takes what came by way of another member: what is for this node, or
// for all, as if it had come straight, a sealed message for somebody else to pass
// it on.
func (s *Session) onForward(v types.Verified, now time.Time) {
	if _, ok := s.signer(v); !ok {
		return
	}
	var f wire.Forward
	if err := f.Unmarshal(v.Body()); err != nil || f.Envelope == nil {
		s.accuse(v, fmt.Errorf("forward of round %d is malformed", v.Header().Round))
		return
	}
	inner, err := s.verify(f.Envelope)
	if err != nil {
		s.accuse(v, fmt.Errorf("forward of round %d: %w", v.Header().Round, err))
		return
	}
	h := inner.Header()
	switch {
	case inner.From() == s.cfg.Self:
	case h.Kind == wire.KIND_CONFIRM:
		s.onConfirm(inner, now)
		s.answerConfirm(v.From(), inner, now)
	case h.Kind == wire.KIND_MISSING:
		s.onMissing(inner, now)
	case h.Kind != wire.KIND_ROUND:
	case h.To == "" || h.To == string(s.cfg.Self):
		s.onRound(inner, now)
	case inner.From() == v.From():
		s.onShown(inner, now)
	}
}

// onShown passes on a sealed message that its sender sends by way of everybody.
// Whether this node heard who lacks it does not matter: each is passed on a few
// times at most, as often as it comes.
func (s *Session) onShown(v types.Verified, now time.Time) {
	h := v.Header()
	if _, ok := s.signer(v); !ok || h.Round == 0 || h.Round+sealedRounds < s.round || h.Round > s.round+1 || int(h.Round) > len(s.rounds) {
		return
	}
	p := parcel{h.Round, slot{v.From(), h.Type}, types.Operator(h.To)}
	spec, ok := s.rounds[h.Round-1].spec(h.Type)
	if !ok || spec.Broadcast || len(v.Body()) > spec.MaxBytes+sealOverhead || !slices.Contains(s.signers, p.to) ||
		!s.passes(spec, p.slot.from, p.to) {
		return
	}
	if _, before := s.courier.shown[p]; !before {
		s.courier.shown[p] = now
	}
	s.forward(p, p.to, v.Envelope(), now)
}

// blame says who is behind the silence of a member: itself, or those who
// withheld from it what it said long enough ago that it lacks, and needs for what
// this node waits for.
func (s *Session) blame(op types.Operator, ago time.Duration, now time.Time) []types.Operator {
	c := s.courier.complaints[op]
	var withheld []types.Operator
	for _, place := range c.slots() {
		p := parcel{c.round, place, op}
		if place.from != s.cfg.Self && now.Sub(c.since[place]) >= ago && s.needed(p) && !s.inTime(p, c.since[place]) {
			withheld = append(withheld, place.from)
		}
	}
	if len(withheld) == 0 {
		return []types.Operator{op}
	}
	return withheld
}

// needed: a member makes its messages of a round out of everything of the round
// before, and its Confirm out of the messages of the same round. What it confirmed
// it has, whatever it says.
func (s *Session) needed(p parcel) bool {
	if _, confirmed := s.inbox.confirms[p.round][p.to]; confirmed && p.slot.typ != confirmSlot {
		return false
	}
	if len(s.missing([]types.Operator{p.to})) > 0 {
		return p.round+1 == s.round
	}
	return p.round == s.round && p.slot.typ != confirmSlot
}

// arrived: this node has the broadcast or Confirm and passed it on, or passed on
// the sealed message.
func (s *Session) arrived(p parcel) bool {
	if _, here := s.inbox.confirms[p.round][p.slot.from]; here && p.slot.typ == confirmSlot {
		return true
	}
	if _, here := s.inbox.messages[p.round][p.slot]; here {
		spec, _ := s.rounds[p.round-1].spec(p.slot.typ)
		return spec.Broadcast
	}
	_, shown := s.courier.shown[p]
	return shown
}

// inTime: it arrived, and not so long after the complaint that who needed it had no
// time to answer. An honest sender shows it within a resend time and a round trip.
func (s *Session) inTime(p parcel, complained time.Time) bool {
	at, shown := s.courier.shown[p]
	return s.arrived(p) && (!shown || at.Sub(complained) < s.cfg.Timing.Stall/2)
}
