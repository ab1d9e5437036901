package session

import (
	"fmt"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// onRound puts a message into its slot if it has one.
func (s *Session) onRound(v types.Verified, now time.Time) {
	from, ok := s.signer(v)
	if !ok {
		return
	}
	h := v.Header()
	if h.Round == 0 || int(h.Round) > len(s.rounds) {
		s.accuse(v, fmt.Errorf("round %d does not exist", h.Round))
		return
	}
	from.heard(h.Round)
	s.dropAcknowledged()
	if !s.collects() || h.Round < s.round || h.Round > s.round+1 {
		return // late, or further ahead than anybody can honestly be
	}
	if s.premature(h.Round) {
		s.accuse(v, fmt.Errorf("round %d before its owner said what it is for", h.Round))
		return
	}
	spec, ok := s.rounds[h.Round-1].spec(h.Type)
	if !ok {
		s.accuse(v, fmt.Errorf("round %d has no message %q", h.Round, h.Type))
		return
	}
	if spec.Broadcast != (h.To == "") || (h.To != "" && h.To != string(s.cfg.Self)) {
		return
	}
	if !s.passes(spec, v.From(), s.cfg.Self) {
		s.accuse(v, fmt.Errorf("it is not for %s to send %s here", v.From(), spec.Type))
		return
	}
	place := slot{v.From(), h.Type}
	if first, taken := s.inbox.messages[h.Round][place]; taken {
		s.onSecond(first, v)
		return
	}
	body, err := s.open(spec, v)
	if err != nil {
		s.accuse(v, err)
		return
	}
	s.inbox.put(h.Round, place, held{v, body, !spec.Broadcast})
	s.feed(from, h.Round, now)
	s.RetryConsume(now)
	s.advance(now)
}

// onSecond: the same again is a resend; another body for the same slot is a
// lie, and the two signed headers prove it.
func (s *Session) onSecond(first held, v types.Verified) {
	if string(first.envelope.Header().BodyHash) == string(v.Header().BodyHash) {
		return
	}
	s.prove(types.NewEvidence(first.envelope.Envelope(), v.Envelope()))
}

// open checks the size of a message and unseals it if it is for us alone.
func (s *Session) open(spec MessageSpec, v types.Verified) ([]byte, error) {
	limit := spec.MaxBytes
	if !spec.Broadcast {
		limit += sealOverhead
	}
	if len(v.Body()) > limit {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed", spec.Type, len(v.Body()), limit)
	}
	if spec.Broadcast {
		return v.Body(), nil
	}
	body, err := s.links[v.From()].open(v.Header(), v.Body())
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %w", spec.Type, err)
	}
	return body, nil
}

// onConfirm notes what a member says the broadcasts of a round were.
func (s *Session) onConfirm(v types.Verified, now time.Time) {
	from, ok := s.signer(v)
	if !ok {
		return
	}
	h := v.Header()
	var c wire.Confirm
	if err := c.Unmarshal(v.Body()); err != nil || len(c.Digest) != len(types.Hash{}) {
		s.accuse(v, fmt.Errorf("confirm of round %d is malformed", h.Round))
		return
	}
	if h.Round == 0 || int(h.Round) > len(s.rounds) || !s.rounds[h.Round-1].hasBroadcast() {
		s.accuse(v, fmt.Errorf("round %d has nothing to confirm", h.Round))
		return
	}
	if h.To != "" {
		return // it is for all, or it is nothing
	}
	from.heard(h.Round)
	from.holds = max(from.holds, h.Round)
	s.dropAcknowledged()
	if !s.collects() || h.Round+1 < s.round || h.Round > s.round+1 {
		return
	}
	if first, said := s.inbox.confirms[h.Round][v.From()]; said {
		// A resend is no progress: the watchdog must not be fed by it.
		if string(first.envelope.Header.BodyHash) != string(h.BodyHash) {
			s.prove(types.NewEvidence(first.envelope, v.Envelope()))
		}
		return
	}
	s.inbox.putConfirm(h.Round, v.From(), confirmation{digest: types.Hash(c.Digest), envelope: v.Envelope()})
	s.feed(from, h.Round, now)
	s.advance(now)
}

// onWorking: a member that computes holds everything of the round it computes.
// Each count is used once, so that a replay keeps nobody waiting.
func (s *Session) onWorking(v types.Verified, now time.Time) {
	from, ok := s.signer(v)
	if !ok {
		return
	}
	var w wire.Working
	if err := w.Unmarshal(v.Body()); err != nil || w.Count <= from.count || v.Header().To != "" {
		return
	}
	from.count = w.Count
	if r := v.Header().Round; int(r) <= len(s.rounds) {
		from.holds = max(from.holds, r)
		from.passed = max(from.passed, r)
	}
	if from.workings < maxWorking {
		from.workings++
		from.working = now
	}
	s.dropAcknowledged()
}

// signer finds who sent something under the session's context.
func (s *Session) signer(v types.Verified) (*peer, bool) {
	if !s.collects() && s.phase != Lingering || string(v.Header().Context) != string(s.context[:]) {
		return nil, false
	}
	p, ok := s.peers[v.From()]
	if ok {
		p.started = true
	}
	return p, ok
}

// heard: a message of round r can only be made with everything of the rounds
// before, their Confirms included.
func (p *peer) heard(round uint32) {
	if round > 0 {
		p.holds = max(p.holds, round-1)
		p.passed = max(p.passed, round-1)
	}
}

// dropAcknowledged forgets what there is a sign of arrival for.
func (s *Session) dropAcknowledged() {
	s.outbox.drop(func(to types.Operator, h *wire.Header) bool {
		p := s.peers[to]
		if p == nil {
			return true
		}
		switch h.Kind {
		case wire.KIND_START:
			return p.started
		case wire.KIND_ROUND:
			return p.holds >= h.Round
		case wire.KIND_CONFIRM:
			return p.passed >= h.Round
		case wire.KIND_PARKED:
			return p.parked
		}
		return false
	})
}

// collects: messages of rounds are for this session still.
func (s *Session) collects() bool { return s.phase == Running || s.phase == Parked }

func (s *Session) accuse(v types.Verified, err error) {
	if !s.collects() {
		return
	}
	s.fail(types.ErrProtocolFault, &Fault{Culprits: []types.Operator{v.From()}, Err: err})
}

// advance hands a round to the party once everything of it is here and all
// members confirmed the same broadcasts.
func (s *Session) advance(now time.Time) {
	if s.busy() || s.phase != Running || s.round == 0 {
		return
	}
	specs := s.rounds[s.round-1]
	if len(s.missing(s.others())) > 0 {
		return
	}
	if specs.hasBroadcast() {
		s.confirm(specs, now)
		if !s.agreed(now) {
			return
		}
	}
	s.deliver()
}

// confirm tells the others once what the broadcasts of the round were.
func (s *Session) confirm(specs Round, now time.Time) {
	if s.inbox.confirmed >= s.round {
		return
	}
	s.inbox.confirm(s.context, s.round, specs)
	s.held = now
	body := wire.Confirm{Digest: s.inbox.digest[:]}
	bz, err := body.Marshal()
	if err != nil {
		s.fail(types.ErrOwnFailure, fmt.Errorf("encode a Confirm: %w", err))
		return
	}
	e := s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_CONFIRM, Round: s.round}, bz)
	for _, op := range s.others() {
		s.outbox.add(op, e, now)
	}
}

func (s *Session) deliver() {
	round, party := s.round, s.party.party
	in, secrets := s.inbox.take(round)
	in = withoutConsume(in)
	s.submit(secrets, func() (Step, error) { return party.Deliver(round, in) })
}

// HandleStep takes what the party answered. A session that ended while its step
// ran is rid of its last secrets then.
func (s *Session) HandleStep(step Step, err error, now time.Time) {
	defer step.wipe()
	s.task = nil
	if s.phase == Ended {
		s.party.close()
		return
	}
	if err != nil && s.parking.fixing {
		// No message is to blame: the party was told what is signed, and nothing else.
		s.fail(types.ErrPresignLost, err)
		return
	}
	if err != nil {
		s.fail(reasonOr(err, types.ErrOwnFailure), err) // what a peer caused says so
		return
	}
	s.progress = now
	if s.parking.fixing {
		s.afterFix(step, now)
		return
	}
	s.inbox.forget(s.round)
	s.courier.forget(s.round)
	s.round++
	s.since = now
	if step.Result != nil {
		s.finish(step.Result)
		return
	}
	if int(s.round) > len(s.rounds) {
		s.fail(types.ErrOwnFailure, fmt.Errorf("the party has no result after its last round"))
		return
	}
	if s.round == s.parking.round {
		s.park(now)
		return
	}
	if err := s.sendRound(step.Out, now); err != nil {
		s.fail(types.ErrOwnFailure, err)
		return
	}
	s.advance(now)
}

// finish hands the result over. The share is durable before anybody hears of
// it: that is the Host's part.
func (s *Session) finish(r *Result) {
	s.party.close()
	if err := s.cfg.Host.Finish(s, r); err != nil {
		s.fail(reasonOr(err, types.ErrStorage), err)
		return
	}
	s.reportDelays()
	s.result = true
	s.phase = Lingering
	s.inbox.rest()
	s.links = nil // nothing is sealed or opened any more
}

// sendRound signs, seals and sends our messages of a round.
func (s *Session) sendRound(out []Outbound, now time.Time) error {
	for _, m := range out {
		h := wire.Header{Context: s.context[:], Kind: wire.KIND_ROUND, Round: s.round, Type: m.Type, To: string(m.To)}
		if m.To == "" {
			e := s.envelope(h, m.Body)
			s.inbox.own[s.round] = append(s.inbox.own[s.round], e)
			for _, op := range s.others() {
				s.outbox.add(op, e, now)
			}
			continue
		}
		l, ok := s.links[m.To]
		if !ok {
			return fmt.Errorf("the party wrote to %s, who is no signer", m.To)
		}
		e := s.sealed(l, h, m.Body)
		s.courier.sealed[parcel{s.round, slot{s.cfg.Self, m.Type}, m.To}] = e
		s.outbox.add(m.To, e, now)
	}
	return nil
}

// sealed signs a sealed message: the sequence number is the nonce, so the
// header is complete before the body is sealed.
func (s *Session) sealed(l *link, h wire.Header, body []byte) *wire.Envelope {
	h = s.complete(h)
	return s.envelope(h, l.seal(&h, body))
}
