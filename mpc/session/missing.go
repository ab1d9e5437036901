package session

import (
	"cmp"
	"fmt"
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

// maxMissing bounds how often one member is listened to in one session.
const maxMissing = 100

// maxForwards bounds how often one message is passed on for one member.
const maxForwards = 3

// parcel is a message on a detour: whose and for whom.
type parcel struct {
	round uint32
	slot  slot
	to    types.Operator
}

// complaint is what a member says did not arrive.
type complaint struct {
	round uint32
	slots []slot
	// since is when the first one of this round came.
	since time.Time
	count uint32
}

// courier knows what was passed on for members that lack something.
type courier struct {
	complaints map[types.Operator]complaint
	// forwards counts what was passed on.
	forwards map[parcel]int
	// shown are sealed messages that their sender sent by way of this node.
	shown map[parcel]bool
}

func newCourier() courier {
	return courier{
		complaints: make(map[types.Operator]complaint), forwards: make(map[parcel]int), shown: make(map[parcel]bool),
	}
}

// sayMissing tells all members what did not arrive.
func (s *Session) sayMissing(now time.Time) {
	wait := missingAfter * s.cfg.Timing.Resend
	if s.round == 0 || now.Sub(s.progress) < wait || now.Sub(s.asked) < wait || s.asking >= maxMissing {
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
		s.fail(types.ErrProtocolFault, fmt.Errorf("encode a Missing: %w", err))
		return
	}
	e := s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_MISSING, Round: s.round}, bz)
	for _, op := range s.others() {
		s.cfg.Host.Send(op, e)
	}
}

// confirmSlot is the type in the slot of a Confirm.
const confirmSlot = ""

// lacking lists what is missing of members that are not computing just now.
func (s *Session) lacking(now time.Time) []*wire.Slot {
	var slots []*wire.Slot
	for _, from := range s.others() {
		p := s.peers[from]
		if p.passed < s.round && now.Sub(p.working) < missingAfter*s.cfg.Timing.Working {
			continue
		}
		for _, spec := range s.rounds[s.round-1] {
			if _, here := s.inbox.messages[s.round][slot{from, spec.Type}]; !here {
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
	if _, ok := s.signer(v); !ok || h.To != "" || h.Round == 0 || h.Round+1 < s.round || h.Round > s.round+1 ||
		int(h.Round) > len(s.rounds) {
		return
	}
	var m wire.Missing
	if err := m.Unmarshal(v.Body()); err != nil || len(m.Slots) > len(s.signers)*len(s.rounds[h.Round-1]) {
		s.accuse(v, fmt.Errorf("missing of round %d is malformed", h.Round))
		return
	}
	last := s.courier.complaints[member]
	if m.Count <= last.count || m.Count > maxMissing {
		return
	}
	c := complaint{round: h.Round, since: now, count: m.Count}
	if last.round == h.Round {
		c.since = last.since
	}
	for _, lacks := range m.Slots {
		place := slot{types.Operator(lacks.From), lacks.Type}
		spec, ok := s.rounds[h.Round-1].spec(place.typ)
		if !ok && place.typ != confirmSlot || !slices.Contains(s.signers, place.from) || place.from == member {
			continue
		}
		c.slots = append(c.slots, place)
		s.help(parcel{h.Round, place, member}, spec)
	}
	s.courier.complaints[member] = c
}

// help sends a member what it lacks, if this node has it.
func (s *Session) help(p parcel, spec MessageSpec) {
	if p.slot.from == s.cfg.Self {
		s.sendAround(p, spec)
		return
	}
	if c, here := s.inbox.confirms[p.round][p.slot.from]; here && p.slot.typ == confirmSlot {
		s.forward(p, c.envelope, p.to)
	}
	if m, here := s.inbox.messages[p.round][p.slot]; here && spec.Broadcast {
		s.forward(p, m.envelope.Envelope(), p.to)
	}
}

// sendAround sends a message of our own again, a sealed one by way of everybody.
func (s *Session) sendAround(p parcel, spec MessageSpec) {
	e := s.outbox.find(p.to, p.round, p.slot.typ)
	if e == nil {
		return // it has it: there was a sign of arrival
	}
	s.cfg.Host.Send(p.to, e)
	if p.slot.typ != confirmSlot && !spec.Broadcast {
		s.forward(p, e, slices.DeleteFunc(s.others(), func(op types.Operator) bool { return op == p.to })...)
	}
}

func (s *Session) forward(p parcel, e *wire.Envelope, to ...types.Operator) {
	if s.courier.forwards[p] >= maxForwards {
		return
	}
	s.courier.forwards[p]++
	body := wire.Forward{Envelope: e}
	bz, err := body.Marshal()
	if err != nil {
		s.fail(types.ErrProtocolFault, fmt.Errorf("encode a Forward: %w", err))
		return
	}
	f := s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_FORWARD, Round: p.round}, bz)
	for _, op := range to {
		s.cfg.Host.Send(op, f)
	}
}

// onForward takes a message that came by way of another member: one for this
// node as if it had come straight, one for somebody who lacks it to pass it on.
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
		return
	case h.Kind == wire.KIND_CONFIRM:
		s.onConfirm(inner, now)
		return
	case h.Kind != wire.KIND_ROUND:
		return
	case h.To == "" || h.To == string(s.cfg.Self):
		s.onRound(inner, now)
		return
	}
	p := parcel{h.Round, slot{inner.From(), h.Type}, types.Operator(h.To)}
	if inner.From() != v.From() || string(h.Context) != string(s.context[:]) || !s.courier.lacks(p) {
		return
	}
	s.courier.shown[p] = true
	s.forward(p, f.Envelope, p.to)
}

// lacks: the recipient said that it lacks it.
func (c *courier) lacks(p parcel) bool {
	said, ok := c.complaints[p.to]
	return ok && said.round == p.round && slices.Contains(said.slots, p.slot)
}

// blame says who is behind the silence of a member: itself, or those who
// withheld from it what it said early enough that it lacks, and needs for what
// this node waits for.
func (s *Session) blame(op types.Operator, now time.Time) []types.Operator {
	c, ok := s.courier.complaints[op]
	if !ok || now.Sub(c.since) < s.cfg.Timing.Stall/2 {
		return []types.Operator{op}
	}
	var withheld []types.Operator
	for _, place := range c.slots {
		if place.from != s.cfg.Self && s.needed(op, c.round, place) && !s.arrived(parcel{c.round, place, op}) {
			withheld = append(withheld, place.from)
		}
	}
	if len(withheld) == 0 {
		return []types.Operator{op}
	}
	return withheld
}

// needed: a member makes its messages of a round out of everything of the round
// before, and its Confirm out of the messages of the same round.
func (s *Session) needed(by types.Operator, round uint32, what slot) bool {
	if slices.Contains(s.inbox.missing(s.round, s.rounds[s.round-1], []types.Operator{by}), by) {
		return round+1 == s.round
	}
	return round == s.round && what.typ != confirmSlot
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
	return s.courier.shown[p]
}
