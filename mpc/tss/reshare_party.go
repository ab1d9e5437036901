package tss

import (
	"errors"
	"fmt"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/resharing"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// reshareParty is a member of a resharing: a side for each committee that it is
// in. What its sides send each other never leaves it.
type reshareParty struct {
	*table
	spec  []roundSpec
	sides []*side
	// own are our own messages of a round, for our other side.
	own map[uint32][]received
	// blank is the share to be made, without its numbers.
	blank share
	round uint32
	ended bool
}

var _ session.Party = (*reshareParty)(nil)

// side is one party of the library with the guard before it.
type side struct {
	role    session.Role
	roster  *roster
	library tss.Party
	guard   *reshareGuard
	out     chan tss.Message
	end     chan *keygen.LocalPartySaveData
	wipe    func()
}

func newSide(t *table, role session.Role, g *reshareGuard) *side {
	return &side{
		role: role, roster: t.of(role), guard: g,
		// To each receiver, itself perhaps among them, and two broadcasts.
		out: make(chan tss.Message, len(t.receivers.operators)+2),
		end: make(chan *keygen.LocalPartySaveData, 1),
	}
}

// Start makes the messages of round 1: those of dealers.
func (p *reshareParty) Start() (session.Step, error) {
	if p.ended || p.round != 0 {
		return session.Step{}, errEnded
	}
	for _, h := range p.sides {
		if err := p.call(h, h.library.Start); err != nil {
			return session.Step{}, p.fail(err)
		}
	}
	return p.step()
}

// Deliver gives each side what is for its committee, after its guard.
func (p *reshareParty) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	if p.ended {
		return session.Step{}, errEnded
	}
	if p.round == 0 || round != p.round {
		return session.Step{}, fmt.Errorf("round %d was delivered in round %d", round, p.round)
	}
	msgs, err := p.open(round, in)
	if err != nil {
		return session.Step{}, p.fail(err)
	}
	msgs = append(msgs, p.own[round]...)
	delete(p.own, round)
	for _, h := range p.sides {
		if err := p.judge(h, round, msgs); err != nil {
			return session.Step{}, p.fail(err)
		}
	}
	for _, h := range p.sides {
		if err := p.update(h, msgs); err != nil {
			return session.Step{}, p.fail(err)
		}
	}
	return p.step()
}

// open checks that a round is complete, everybody's every message once and
// nothing else, and decodes it.
func (p *reshareParty) open(round uint32, in []session.Inbound) ([]received, error) {
	type slot struct {
		from types.Operator
		name string
	}
	spec := p.spec[round-1]
	filled := make(map[slot]bool, len(in))
	out := make([]received, 0, len(in))
	for _, msg := range in {
		m, ok := spec.byType(msg.Type)
		if !ok || msg.From == p.self || !p.has(msg.From, m.From) || filled[slot{msg.From, msg.Type}] {
			return nil, blame(fmt.Errorf("message %.*q is not its turn", types.MaxTypeBytes, msg.Type), msg.From)
		}
		filled[slot{msg.From, msg.Type}] = true
		content, err := decodeContent(m, msg.Body)
		if err != nil {
			return nil, blame(err, msg.From)
		}
		out = append(out, received{msg.From, m, content})
	}
	for _, op := range p.signers {
		for _, m := range spec {
			due := op != p.self && p.has(op, m.From) && (m.Broadcast || p.has(p.self, m.To))
			if due && !filled[slot{op, m.Type}] {
				return nil, blame(fmt.Errorf("message %s is missing", m.Type), op)
			}
		}
	}
	return out, nil
}

// isFor says whether a message goes to a side: to its committee, and not back to
// itself. A direct message that came is for us.
func (p *reshareParty) isFor(h *side, m received) bool {
	to := m.spec.To == session.Everybody || m.spec.To == h.role
	return to && (m.from != p.self || m.spec.From != h.role)
}

func (p *reshareParty) judge(h *side, round uint32, msgs []received) error {
	for _, m := range msgs {
		if !p.isFor(h, m) {
			continue
		}
		if err := h.guard.message(m.from, m.content); err != nil {
			return blame(fmt.Errorf("%s: %w", m.spec.Type, err), m.from)
		}
	}
	if err := h.guard.complete(round); err != nil {
		return unblamed(err)
	}
	return nil
}

func (p *reshareParty) update(h *side, msgs []received) error {
	for _, m := range msgs {
		if !p.isFor(h, m) {
			continue
		}
		parsed := p.of(m.spec.From).parsed(m)
		err := p.call(h, func() *tss.Error {
			_, terr := h.library.Update(parsed)
			return terr
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// step collects what the library made of the last call.
func (p *reshareParty) step() (session.Step, error) {
	p.round++
	if int(p.round) > len(p.spec) {
		return p.finish()
	}
	var step session.Step
	for _, h := range p.sides {
		out, err := p.collect(h)
		if err != nil {
			return session.Step{}, p.fail(err)
		}
		step.Out = append(step.Out, out...)
	}
	return step, nil
}

// collect takes what a side sends in this round, and keeps what is for the other
// side.
func (p *reshareParty) collect(h *side) ([]session.Outbound, error) {
	var out []session.Outbound
	sent := 0
	for len(h.out) > 0 {
		msg, ok := (<-h.out).(tss.ParsedMessage)
		if !ok {
			return nil, fmt.Errorf("the library sent a message without content")
		}
		m, ok := p.spec[p.round-1].byContent(msg.Content())
		if !ok || m.From != h.role {
			return nil, fmt.Errorf("the library sent %s out of turn", fullName(msg.Content()))
		}
		to, err := p.recipient(m, msg)
		if err != nil {
			return nil, err
		}
		sent++
		if to == p.self || to == "" {
			p.keep(m, msg.Content())
		}
		if to == p.self {
			continue
		}
		body, err := encodeContent(msg.Content())
		if err != nil {
			return nil, err
		}
		out = append(out, session.Outbound{Type: m.Type, To: to, Body: body})
	}
	if want := p.messagesOf(h); sent != want {
		return nil, after(p.round, fmt.Errorf("the library sent %d messages of round %d, not %d", sent, p.round, want))
	}
	return out, nil
}

// keep gives a message of one side to the other, if there is one and it is for
// it. A dealer's session id is what our receiver expects of all dealers.
func (p *reshareParty) keep(m messageSpec, content tss.MessageContent) {
	p.own[p.round] = append(p.own[p.round], received{p.self, m, content})
	if deal, ok := content.(*resharing.DGRound1Message); ok {
		for _, h := range p.sides {
			h.guard.facts.ssid = deal.Ssid
		}
	}
}

// recipient is empty for a broadcast.
func (p *reshareParty) recipient(m messageSpec, msg tss.ParsedMessage) (types.Operator, error) {
	if m.Broadcast {
		return "", nil
	}
	to := msg.GetTo()
	if len(to) != 1 {
		return "", fmt.Errorf("the library sent %s to %d parties, not one", m.Type, len(to))
	}
	op, ok := p.of(m.To).operator(to[0])
	if !ok {
		return "", fmt.Errorf("the library sent %s to nobody of the session", m.Type)
	}
	return op, nil
}

// messagesOf is how many messages a side sends in this round.
func (p *reshareParty) messagesOf(h *side) int {
	n := 0
	for _, m := range p.spec[p.round-1] {
		switch {
		case m.From != h.role:
		case m.Broadcast:
			n++
		case m.To == h.role:
			n += len(p.of(m.To).operators) - 1
		default:
			n += len(p.of(m.To).operators)
		}
	}
	return n
}

// finish takes the new share from the library, if this member gets one. What the
// library hands a member of the old committee is empty and is dropped.
func (p *reshareParty) finish() (session.Step, error) {
	result := &session.Result{}
	for _, h := range p.sides {
		if len(h.out) != 0 {
			return session.Step{}, p.fail(fmt.Errorf("the library sent %d messages after the last round", len(h.out)))
		}
		select {
		case data := <-h.end:
			if h.role != session.Receivers {
				continue
			}
			if err := p.newShare(h, data, result); err != nil {
				return session.Step{}, p.fail(err)
			}
		default:
			return session.Step{}, p.fail(unblamed(errors.New("the library did not finish the resharing")))
		}
	}
	p.stop()
	return session.Step{Result: result}, nil
}

// newShare completes, checks and encodes the share that the library made. Its
// secret is a sum that the library does not reduce.
func (p *reshareParty) newShare(h *side, data *keygen.LocalPartySaveData, result *session.Result) error {
	s := p.blank
	s.Data = *data
	defer func() { wipeInt(s.Data.Xi) }()
	if s.Data.Xi != nil {
		s.Data.Xi.Mod(s.Data.Xi, groupOrder())
	}
	if err := s.validate(h.roster); err != nil {
		return unblamed(fmt.Errorf("check the share of a resharing: %w", err))
	}
	if !s.Data.ECDSAPub.Equals(p.facts.publicKey) {
		return unblamed(errors.New("the new shares are of another key"))
	}
	encoded, err := s.encode()
	if err != nil {
		return err
	}
	result.Share, result.Payload = encoded, s.payload(h.roster)
	return nil
}

// call runs the library and turns its errors and panics into ours, see
// party.call.
func (p *reshareParty) call(h *side, f func() *tss.Error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			h.wipe = func() {}
			err = unblamed(fmt.Errorf("the library panicked in round %d: %.200v", p.round, v))
		}
	}()
	if terr := f(); terr != nil {
		return p.fromLibrary(terr)
	}
	return nil
}

// fromLibrary names the culprits, who may be of either committee.
func (p *reshareParty) fromLibrary(terr *tss.Error) error {
	for _, id := range terr.Culprits() {
		if _, ok := p.receivers.operator(id); ok {
			return p.receivers.fromLibrary(terr)
		}
	}
	return p.dealers.fromLibrary(terr)
}

func (p *reshareParty) fail(err error) error {
	p.stop()
	return err
}

// Close ends a party that has neither a result nor an error yet.
func (p *reshareParty) Close() {
	if !p.ended {
		p.stop()
	}
}

// stop forgets the library's parties: they must not be called after an error.
func (p *reshareParty) stop() {
	p.ended = true
	for _, h := range p.sides {
		h.wipe()
	}
	p.sides, p.own = nil, nil
}
