package session

import (
	"fmt"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// agreed reports whether all others confirmed the same broadcasts as this node.
// Where one did not, both tell everybody what they received, signed headers
// without bodies: either those prove who told them different things, or the
// other one's do not make the digest that it confirmed.
func (s *Session) agreed(now time.Time) bool {
	others := s.others()
	differing := slices.DeleteFunc(slices.Clone(others), func(op types.Operator) bool {
		c, said := s.inbox.confirms[s.round][op]
		return !said || c.digest == s.inbox.digest
	})
	if len(differing) == 0 {
		return len(s.inbox.confirms[s.round]) == len(others)
	}
	s.sayDispute(now)
	for _, op := range differing {
		s.showConfirm(op, now)
	}
	for _, op := range differing {
		if list, said := s.inbox.disputes[s.round][op]; said {
			s.judge(op, list)
			return false
		}
	}
	return false
}

// showConfirm passes on to everybody a Confirm that differs from ours. Whoever
// went on to the next round had another one of the same member, and both prove
// that it signed two.
func (s *Session) showConfirm(of types.Operator, now time.Time) {
	c := s.inbox.confirms[s.round][of]
	if c.shown {
		return
	}
	c.shown = true
	s.inbox.confirms[s.round][of] = c
	f := s.wrap(s.round, c.envelope)
	if f == nil {
		return
	}
	for _, op := range s.others() {
		if op != of {
			s.outbox.add(op, f, now)
		}
	}
}

// answerConfirm: who is done cannot end the session with proof any more, but who
// was told something else can.
func (s *Session) answerConfirm(to types.Operator, v types.Verified, now time.Time) {
	h := v.Header()
	c, said := s.inbox.confirms[h.Round][v.From()]
	if s.phase != Lingering || !said || string(c.envelope.Header.BodyHash) == string(h.BodyHash) {
		return
	}
	s.forward(parcel{h.Round, slot{v.From(), confirmSlot}, to}, to, c.envelope, now)
}

// sayDispute tells everybody once what this node received in the round.
func (s *Session) sayDispute(now time.Time) {
	if s.inbox.disputed == s.round {
		return
	}
	s.inbox.disputed = s.round
	var body wire.Dispute
	for _, e := range s.inbox.envelopes(s.round, s.rounds[s.round-1]) {
		body.Broadcasts = append(body.Broadcasts, &wire.Envelope{Header: e.Header, Signature: e.Signature})
	}
	bz, err := body.Marshal()
	if err != nil {
		s.fail(types.ErrOwnFailure, fmt.Errorf("encode a Dispute: %w", err))
		return
	}
	e := s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_DISPUTE, Round: s.round}, bz)
	for _, op := range s.others() {
		s.outbox.add(op, e, now)
	}
}

// headerBytes bounds an envelope without its body in a list: header 438, signature 66, tag
// and length 3; the rest is room for fields to come.
const headerBytes = 576

// onDispute keeps what a member says that it received, until it is clear here
// whether that differs. What is decoded takes many times the memory of what came, so
// nothing is that is longer than it can be, or comes again.
func (s *Session) onDispute(v types.Verified, now time.Time) {
	h := v.Header()
	if _, ok := s.signer(v); !ok || h.To != "" || s.phase != Running || h.Round < s.round || h.Round > s.round+1 {
		return
	}
	if _, said := s.inbox.disputes[h.Round][v.From()]; said {
		return
	}
	list, err := decodeDispute(v.Body(), s.broadcasts(h.Round))
	if err != nil {
		s.accuse(v, fmt.Errorf("dispute of round %d: %w", h.Round, err))
		return
	}
	s.inbox.putDispute(h.Round, v.From(), list)
	s.advance(now)
}

// broadcasts is how many there are in a round.
func (s *Session) broadcasts(round uint32) (n int) {
	if round == 0 || int(round) > len(s.rounds) {
		return 0
	}
	for _, spec := range s.rounds[round-1] {
		for _, op := range s.signers {
			if spec.Broadcast && s.has(op, spec.From) {
				n++
			}
		}
	}
	return n
}

// decodeDispute wants so many headers.
func decodeDispute(body []byte, count int) ([]*wire.Envelope, error) {
	if limit := count * headerBytes; count == 0 || len(body) > limit {
		return nil, fmt.Errorf("it has %d bytes, at most %d are allowed", len(body), limit)
	}
	var d wire.Dispute
	if err := d.Unmarshal(body); err != nil {
		return nil, fmt.Errorf("it is malformed: %w", err)
	}
	if len(d.Broadcasts) != count {
		return nil, fmt.Errorf("%d broadcasts, not %d", len(d.Broadcasts), count)
	}
	return d.Broadcasts, nil
}

// judge finds out who lied, given what another member says that it received.
func (s *Session) judge(of types.Operator, list []*wire.Envelope) {
	if err := s.checkDispute(of, list); err != nil {
		s.end(End{
			Reason: types.ErrBroadcastDiffer, Culprits: []types.Operator{of},
			Err: fmt.Errorf("%s confirmed broadcasts in round %d that it cannot show: %w", of, s.round, err),
		})
		return
	}
	for i, e := range s.inbox.envelopes(s.round, s.rounds[s.round-1]) {
		if string(e.Header.BodyHash) != string(list[i].Header.BodyHash) {
			s.prove(types.NewEvidence(e, list[i]))
			return
		}
	}
}

// checkDispute: the list, of the right length, has every broadcast of the round once, in
// order, each signed by its sender, and makes the digest that the member confirmed.
func (s *Session) checkDispute(of types.Operator, list []*wire.Envelope) error {
	ours := s.inbox.envelopes(s.round, s.rounds[s.round-1])
	for i, e := range list {
		if err := types.CheckEnvelope(e, s.cfg.ChainID); err != nil {
			return err
		}
		if !samePlace(e.Header, ours[i].Header) {
			return fmt.Errorf("a broadcast of %s is of another place", e.Header.From)
		}
		member, _ := s.cfg.Request.Member(types.Operator(e.Header.From))
		if err := types.VerifyHeader(e, s.cfg.ChainID, member.IdentityKey); err != nil {
			return err
		}
	}
	if types.ConfirmDigest(s.inbox.previous, s.context, s.round, named(list)) != s.inbox.confirms[s.round][of].digest {
		return fmt.Errorf("its broadcasts do not make its digest")
	}
	return nil
}

// samePlace: all but sequence and body are the same.
func samePlace(a, b *wire.Header) bool {
	return string(a.Context) == string(b.Context) && a.Kind == b.Kind && a.Round == b.Round && a.Type == b.Type &&
		a.From == b.From && a.IdentityVersion == b.IdentityVersion && a.To == b.To &&
		a.RequestKind == b.RequestKind && a.RequestId == b.RequestId
}

// prove ends the session with evidence. If it is against this node, somebody
// else uses its identity: that is for its operator, not for the chain.
func (s *Session) prove(e types.Evidence) {
	if e.Culprit() == s.cfg.Self {
		s.end(End{
			Reason: types.ErrIdentityShared,
			Err:    fmt.Errorf("one of two %s has this node's signature and is not of this process", e.What()),
		})
		return
	}
	if r := s.cfg.Request; r.ID.Kind == types.KindPresign {
		e.KeyID = r.KeyID
	}
	s.end(End{
		Reason: types.ErrBroadcastDiffer, Culprits: []types.Operator{e.Culprit()}, Evidence: &e,
		Err: fmt.Errorf("%s sent two different %s", e.Culprit(), e.What()),
	})
}
