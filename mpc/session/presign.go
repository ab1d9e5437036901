package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// consumeType is the message by which the owner of a presignature says what it is used
// for: a broadcast of the first round after that at which the session parked. Being
// one, it is part of the digest that all members confirm before anybody's party gets
// that round: nobody computes with what is signed before it is clear that all sign the
// same. It is asked for when it is missing, and two of them end the session and name the
// owner, like two of any message. So a presignature is used once, for one digest, or not at all.
const consumeType = "consume"

// maxConsume bounds its body: an id, a number and a digest.
const maxConsume = 128

// parking is what a session knows that can stop until a request comes.
type parking struct {
	// round is that of the Consume, in which the session waits; 0: it never parks.
	round uint32
	// since is when it parked, unsure since when signers have to say that they did, ticked
	// when that was last looked at.
	since, unsure, ticked time.Time
	// target is the request that the presignature is used for; nil before.
	target *types.Request
	// attempt is the one that its owner leads.
	attempt uint32
	// fixing: the party is told what is signed.
	fixing bool
}

// Rounds describes all that the signers of a session send: the messages of its
// protocol, and the Consume if it parks.
func Rounds(p Protocol, threshold, members int) []Round {
	rounds := slices.Clone(p.Rounds(threshold, members))
	if parker, ok := p.(Parker); ok {
		r := &rounds[parker.ParksAfter()]
		*r = append(slices.Clone(*r), MessageSpec{Type: consumeType, Broadcast: true, MaxBytes: maxConsume, From: Owner})
	}
	return rounds
}

// plannedParking is where a session of a protocol stops, if it does.
func plannedParking(p Protocol) parking {
	if parker, ok := p.(Parker); ok {
		return parking{round: parker.ParksAfter() + 1}
	}
	return parking{}
}

// withoutConsume leaves out what is not the party's.
func withoutConsume(in []Inbound) []Inbound {
	return slices.DeleteFunc(in, func(m Inbound) bool { return m.Type == consumeType })
}

// Target is the committed request that the session works for: that which a
// presignature is used for, or its own. Nil: a presignature that waits for one.
func (s *Session) Target() *types.Request {
	if s.parking.round > 0 {
		return s.parking.target
	}
	return &s.cfg.Request
}

// serves is the Target, or what the session is for as long as it has none.
func (s *Session) serves() *types.Request {
	if r := s.Target(); r != nil {
		return r
	}
	return &s.cfg.Request
}

// TargetAttempt is the attempt at the Target.
func (s *Session) TargetAttempt() uint32 {
	if s.parking.round > 0 {
		return s.parking.attempt
	}
	return s.cfg.Attempt
}

// Since is when the session parked.
func (s *Session) Since() time.Time { return s.parking.since }

// Usable reports whether all signers parked their part of the presignature, and nothing
// is known of its use.
func (s *Session) Usable() bool {
	return s.phase == Parked && s.parking.target == nil && len(s.unparked()) == 0
}

// unparked are the signers that did not say that they parked.
func (s *Session) unparked() []types.Operator {
	return slices.DeleteFunc(s.others(), func(op types.Operator) bool { return s.peers[op].parked })
}

// park keeps the party as it is until a request needs it.
func (s *Session) park(now time.Time) {
	s.reportDelays()
	s.phase, s.parking.since, s.parking.unsure, s.parking.ticked = Parked, now, now, now
	notice := s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_PARKED, Round: s.parking.round}, nil)
	for _, op := range s.others() {
		s.outbox.add(op, notice, now)
	}
	s.RetryConsume(now) // it may have come already
}

// onParked notes that a member parked. It has everything of the rounds before. If it
// says so again and answers nothing, it asks whether this node did. Of who was asked whether
// it still has its part only the answer to the last question counts: what it said before, it
// said before it may have lost it, and anybody can say it again.
func (s *Session) onParked(v types.Verified, now time.Time) {
	from, ok := s.signer(v)
	if !ok || s.parking.round == 0 || v.Header().Round != s.parking.round {
		return
	}
	var said wire.Parked
	if err := said.Unmarshal(v.Body()); err != nil {
		return
	}
	from.heard(s.parking.round)
	again := from.noticed
	from.noticed = true
	if from.probed.IsZero() || !from.question.IsZero() && string(said.Answers) == string(from.question[:]) {
		from.parked = true
	}
	s.dropAcknowledged()
	asks := again && len(said.Answers) == 0
	if asks && s.hasParked() && s.phase != Running && now.Sub(from.answered) >= s.cfg.Timing.Resend {
		from.answered = now
		s.answerParked(v)
	}
}

// hasParked: it parked, whatever came after that.
func (s *Session) hasParked() bool { return !s.parking.since.IsZero() }

// answerParked tells who asks that this node still has its part.
func (s *Session) answerParked(question types.Verified) {
	hash := question.Hash()
	answer := wire.Parked{Answers: hash[:]}
	body, err := answer.Marshal()
	if err != nil {
		return // bytes always encode
	}
	h := wire.Header{Context: s.context[:], Kind: wire.KIND_PARKED, Round: s.parking.round, To: string(question.From())}
	s.cfg.Host.Send(question.From(), s.envelope(h, body))
}

// Probe asks a signer that just came back, or is out of reach, whether it still has its
// part, until it answers: who restarted says that it has not. Until then the presignature is
// not usable. It is asked once in a resend time, however often it comes back.
func (s *Session) Probe(op types.Operator, now time.Time) {
	p := s.peers[op]
	if s.phase != Parked || p == nil {
		return
	}
	if len(s.unparked()) == 0 {
		s.parking.unsure = now
	}
	if next := p.probed.Add(s.cfg.Timing.Resend); !p.asking {
		p.probed = now
		if next.After(now) {
			p.probed = next
		}
	}
	s.stopAsking(op)
	p.parked, p.asking = false, true
	s.ask(op, now)
}

// ask asks a signer again that is to be asked by now. Each question is a new one, for
// what answers one answers no other; who comes and goes makes this node sign no more of them
// than it is asked.
func (s *Session) ask(op types.Operator, now time.Time) {
	p := s.peers[op]
	if !p.asking || now.Before(p.probed) {
		return
	}
	p.asking = false
	question := s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_PARKED, Round: s.parking.round, To: string(op)}, nil)
	p.question = types.HeaderHash(question.Header)
	s.outbox.add(op, question, now)
}

// stopAsking forgets what a signer was asked.
func (s *Session) stopAsking(op types.Operator) {
	p := s.peers[op]
	p.asking, p.question = false, types.Hash{}
	s.outbox.drop(func(to types.Operator, h *wire.Header) bool { return to == op && h.Kind == wire.KIND_PARKED })
}

// IsConsume says whether an envelope says what a presignature is used for.
func IsConsume(h *wire.Header) bool { return h.Kind == wire.KIND_ROUND && h.Type == consumeType }

// disownable: a member may say that it has no part of it, as long as it gave no sign of having
// heard what this node uses it for. Once it did, only the end of the session counts.
func (s *Session) disownable(by types.Operator) bool {
	if s.phase != Running || s.parking.target == nil || s.initiator != s.cfg.Self {
		return s.phase == Parked
	}
	return s.round == s.parking.round && !slices.ContainsFunc(s.inbox.places(s.round), func(place slot) bool { return place.from == by })
}

// onDisowned ends a presignature of which its owner says, or to its owner a signer, that it has
// no part any more: to this node alone, which leaves for that one. To whom it is of no use one
// way or the other only stops asking: the owner hears the same, or finds out.
func (s *Session) onDisowned(v types.Verified) {
	h := v.Header()
	if h.To != string(s.cfg.Self) || string(h.Context) != string(s.context[:]) || s.peers[v.From()] == nil {
		return
	}
	if s.initiator != s.cfg.Self && s.initiator != v.From() {
		s.stopAsking(v.From())
		return
	}
	s.end(End{Reason: types.ErrPresignLost, Awaited: []types.Operator{v.From()}, Err: fmt.Errorf("%s has no part of it any more", v.From())})
}

// premature: a message can only be made once the owner of a presignature said what it is
// used for. This node owns it, and did not.
func (s *Session) premature(round uint32) bool {
	return s.initiator == s.cfg.Self && s.parking.round > 0 && round >= s.parking.round && s.parking.target == nil
}

// tickParked gives up a presignature of this node that a signer does not say it parked,
// and one that another member began to use without its owner's word reaching this node.
// Either of those two may be to blame, and the owner knows who. It is shown what came.
func (s *Session) tickParked(now time.Time) {
	passed := min(now.Sub(s.parking.ticked), s.cfg.Timing.Resend)
	s.parking.ticked = now
	for _, op := range s.others() {
		s.ask(op, now)
	}
	switch {
	case s.initiator == s.cfg.Self:
		s.tickUnparked(passed, now)
		return
	case s.orphaned(passed):
		owner := []types.Operator{s.initiator}
		s.end(End{Reason: types.ErrPresignLost, Awaited: owner, Err: fmt.Errorf("%s, whose it is, does not say that it has its part", s.initiator)})
		return
	}
	begun := s.inbox.places(s.round)
	if len(begun) == 0 {
		s.asked = now // nothing is missing as long as nobody began
		s.since = now
		return
	}
	s.sayMissing(now)
	awaited := []types.Operator{s.initiator}
	for _, place := range begun {
		awaited = append(awaited, place.from)
		if now.Sub(s.since) >= s.cfg.Timing.Resend {
			s.forward(parcel{s.round, place, s.initiator}, s.initiator, s.inbox.messages[s.round][place].envelope.Envelope(), now)
		}
	}
	if now.Sub(s.since) >= s.cfg.Timing.Stall {
		awaited = compact(awaited)
		s.end(End{Reason: types.ErrPresignLost, Awaited: awaited, Err: fmt.Errorf("one of %v uses it, or keeps back what for", awaited)})
	}
}

// orphaned: its owner was out of reach, and does not answer for longer than it would itself
// wait for this node.
func (s *Session) orphaned(passed time.Duration) bool {
	owner := s.peers[s.initiator]
	if owner.parked || owner.probed.IsZero() {
		owner.doubted = 0
		return false
	}
	owner.doubted += passed
	return owner.doubted >= drawnOut*s.cfg.Timing.Stall
}

// tickUnparked gives up a presignature that a signer does not say it parked, or for too
// long in all: who comes and goes would otherwise keep it from ever being used.
func (s *Session) tickUnparked(passed time.Duration, now time.Time) {
	missing := s.unparked()
	if len(missing) == 0 {
		return
	}
	late := now.Sub(s.parking.unsure) >= s.cfg.Timing.Stall
	for _, op := range missing {
		p := s.peers[op]
		p.doubted += passed
		late = late || p.doubted >= drawnOut*s.cfg.Timing.Stall
	}
	if late {
		s.end(End{Reason: types.ErrPresignLost, Awaited: missing, Err: fmt.Errorf("%v do not say that they parked", missing)})
	}
}

// Consume uses the presignature for a request, of which this node leads the attempt.
// The caller did what must be durable before. It is used up before anybody hears what for:
// whatever comes of the sending, nothing else is ever said of it.
func (s *Session) Consume(r types.Request, attempt uint32, now time.Time) error {
	if !s.Usable() || s.initiator != s.cfg.Self {
		return fmt.Errorf("presignature %s cannot be used here", s.context.Short())
	}
	body := wire.Consume{RequestId: r.ID.ID, Attempt: attempt, Digest: r.Digest}
	bz, err := body.Marshal()
	if err != nil {
		return fmt.Errorf("encode a Consume: %w", err)
	}
	s.parking.target, s.parking.attempt = &r, attempt
	if err := s.sendRound([]Outbound{{Type: consumeType, Body: bz}}, now); err != nil {
		return err
	}
	s.fix(&r, attempt, now)
	return nil
}

// RetryConsume looks whether the owner said what the presignature is used for, and
// whether this node knows of that by now.
func (s *Session) RetryConsume(now time.Time) {
	m, said := s.inbox.messages[s.parking.round][slot{s.initiator, consumeType}]
	if s.phase != Parked || !said {
		return
	}
	var c wire.Consume
	err := c.Unmarshal(m.body)
	if err == nil {
		err = errors.Join(types.ValidateID(c.RequestId), types.ValidateDigest(c.Digest))
	}
	if err != nil {
		s.accuse(m.envelope, fmt.Errorf("a Consume that nobody may send: %w", err))
		return
	}
	target, reason := s.cfg.Host.Consume(s, c.Attempt, c.RequestId, c.Digest)
	switch {
	case reason != "":
		s.end(End{Reason: reason, Err: fmt.Errorf("%s wants to use it for %s", s.initiator, c.RequestId)})
	case target != nil:
		s.fix(target, c.Attempt, now)
	}
}

// fix tells the party what is signed. From here on the presignature is used up,
// whatever comes.
func (s *Session) fix(r *types.Request, attempt uint32, now time.Time) {
	s.phase, s.progress, s.since, s.charged = Running, now, now, now
	s.parking.target, s.parking.attempt, s.parking.fixing = r, attempt, true
	party, target := s.party.party, *r
	s.submit(nil, func() (Step, error) {
		p, ok := party.(ParkedParty)
		if !ok {
			return Step{}, fmt.Errorf("the party cannot be told what is signed")
		}
		return p.Fix(target)
	})
}

// afterFix sends the first messages that depend on the request.
func (s *Session) afterFix(step Step, now time.Time) {
	s.parking.fixing = false
	if err := s.sendRound(step.Out, now); err != nil {
		s.fail(types.ErrOwnFailure, err)
		return
	}
	s.advance(now)
}

// GiveUp ends a presignature of this node for the sake of some of its signers, with whom it
// uses none: they were not there when another one was used, or lied elsewhere.
func (s *Session) GiveUp(awaited []types.Operator) {
	awaited = slices.DeleteFunc(s.others(), func(op types.Operator) bool { return !slices.Contains(awaited, op) })
	s.end(End{Reason: types.ErrPresignLost, Awaited: awaited, Err: fmt.Errorf("none is used with %v now", awaited)})
}

// giveUp: the owner of a presignature that does not come to its end leaves it, long
// before anybody has to be blamed.
func (s *Session) giveUp(now time.Time) bool {
	if s.parking.target == nil || s.initiator != s.cfg.Self || now.Sub(s.progress) < s.cfg.Timing.Online {
		return false
	}
	awaited := s.Blamed(now)
	s.end(End{Reason: types.ErrPresignLost, Awaited: awaited, Err: fmt.Errorf("nothing of %v for %s", awaited, s.cfg.Timing.Online)})
	return true
}
