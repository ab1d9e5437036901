package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// maybeStart sends the Start once enough members are ready (initiator).
func (s *Session) maybeStart(now time.Time) {
	chosen := s.chooseLineup(now)
	if chosen == nil {
		return
	}
	body := wire.Start{Prepare: s.prepare.Envelope()}
	for _, op := range slices.Sorted(slices.Values(s.order)) {
		body.Readys = append(body.Readys, s.readys[op].Envelope())
	}
	body.Signers, body.Dealers = names(chosen.signers), names(chosen.dealers)
	bz, err := body.Marshal()
	if err != nil {
		s.fail(types.ErrOwnFailure, fmt.Errorf("encode a Start: %w", err))
		return
	}
	e := s.envelope(wire.Header{Context: s.id[:], Kind: wire.KIND_START}, bz)
	v, err := s.verify(e)
	if err != nil {
		s.fail(types.ErrOwnFailure, fmt.Errorf("verify our own Start: %w", err))
		return
	}
	terms, err := s.checkStart(v)
	if err != nil {
		s.fail(types.ErrOwnFailure, err)
		return
	}
	s.outbox.pending = nil // no more Prepares
	s.noteChoice(chosen.signers)
	for _, op := range s.order {
		if !slices.Contains(chosen.signers, op) {
			s.cfg.Host.Send(op, e) // released; it asks again if this is lost
		}
	}
	s.run(v, terms, now)
}

func names(ops []types.Operator) []string {
	var list []string
	for _, op := range ops {
		list = append(list, string(op))
	}
	return list
}

// repeatStart answers a member that still says Ready after the Start, as often as it may
// say so itself: anybody who ever saw its Ready can bring it again and again.
func (s *Session) repeatStart(op types.Operator, now time.Time) {
	if s.start == (types.Verified{}) || now.Sub(s.restarted[op]) < s.cfg.Timing.Resend/2 {
		return
	}
	s.restarted[op] = now
	s.cfg.Host.Send(op, s.start.Envelope())
}

// onStart accepts the Start of a session that this node is ready for,
// whichever member it comes from: what counts is whose signatures are in it. What
// only looks like its Start changes nothing: the initiator's own may still come.
func (s *Session) onStart(v types.Verified, now time.Time) {
	if s.phase == Running {
		s.onSecondStart(v)
	}
	if s.phase != Waiting || !s.isStart(v) { // nobody else can end this session with one
		return
	}
	terms, err := s.checkStart(v)
	if errors.Is(err, errOtherReady) {
		s.end(End{Reason: types.ErrInterrupted, Err: err})
		return
	}
	if err != nil {
		s.start = v // others may have another one
		s.end(End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{v.From()}, Err: err})
		return
	}
	s.outbox.pending = nil // no more Readys
	s.noteChosen(terms)
	if !slices.Contains(terms.signers, s.cfg.Self) {
		s.start = v
		s.end(End{Reason: types.ErrReleased})
		return
	}
	s.run(v, terms, now)
}

// onSecondStart: who follows another Start is in another session, and seems silent
// in this one. That there are two proves who is to blame. Signers get ours from
// forwardStart; the others, who may follow the other one, get it now.
func (s *Session) onSecondStart(v types.Verified) {
	if !s.isStart(v) || string(v.Header().BodyHash) == string(s.start.Header().BodyHash) {
		return
	}
	for _, op := range s.cfg.Request.Operators() {
		if !slices.Contains(s.signers, op) && op != s.initiator {
			s.cfg.Host.Send(op, s.start.Envelope())
		}
	}
	s.prove(types.NewEvidence(s.start.Envelope(), v.Envelope()))
}

// isStart: it is for this session, whatever it says.
func (s *Session) isStart(v types.Verified) bool {
	h := v.Header()
	return v.From() == s.initiator && h.To == "" && h.Round == 0 && string(h.Context) == string(s.id[:])
}

// errOtherReady: the Start has a Ready of ours, rightly signed, that is not the
// one in memory. This node said it in an earlier life; nobody is to blame.
var errOtherReady = errors.New("it is of before this node's restart")

// terms are what a Start fixes.
type terms struct {
	context types.Context
	*lineup
	*given
}

// checkStart verifies every signature in a Start and the rules of DESIGN §3.5.
func (s *Session) checkStart(v types.Verified) (*terms, error) {
	var body wire.Start
	if err := body.Unmarshal(v.Body()); err != nil {
		return nil, fmt.Errorf("decode a Start of %s: %w", v.From(), err)
	}
	prepare, err := s.verifyEmbedded(body.Prepare)
	if err != nil {
		return nil, fmt.Errorf("prepare in a Start of %s: %w", v.From(), err)
	}
	if prepare.Hash() != s.id {
		return nil, fmt.Errorf("start of %s carries another Prepare", v.From())
	}
	var p wire.Prepare
	if err := p.Unmarshal(prepare.Body()); err != nil {
		return nil, fmt.Errorf("decode the Prepare in a Start of %s: %w", v.From(), err)
	}
	t := &terms{given: &given{
		keys: map[types.Operator][]byte{s.initiator: p.EphemeralKey}, deals: map[types.Operator]bool{s.initiator: p.Deals},
	}}
	hashes, err := s.checkReadys(body.Readys, t.given)
	if err != nil {
		return nil, fmt.Errorf("start of %s: %w", v.From(), err)
	}
	if t.lineup, err = s.checkLineup(body.Signers, body.Dealers, t.given); err != nil {
		return nil, fmt.Errorf("start of %s: %w", v.From(), err)
	}
	t.context = types.Transcript{Prepare: s.id, Readys: hashes, Signers: t.signers, Dealers: t.dealers}.Context()
	return t, nil
}

// checkReadys verifies the Readys, which ascend by operator, and collects
// what they say. Our own must be the one that we sent; if it came too late it is
// not there, and this node is no signer.
func (s *Session) checkReadys(readys []*wire.Envelope, g *given) ([]types.Hash, error) {
	hashes := make([]types.Hash, 0, len(readys))
	last := types.Operator("")
	for _, e := range readys {
		ready, err := s.verifyEmbedded(e)
		if err != nil {
			return nil, err
		}
		if ready.Header().Kind != wire.KIND_READY || ready.From() <= last || ready.From() == s.initiator {
			return nil, fmt.Errorf("a Ready of %s is out of order or none", ready.From())
		}
		last = ready.From()
		body, err := decodeReady(ready, s.id)
		if err != nil {
			return nil, err
		}
		if ready.From() == s.cfg.Self && ready.Hash() != s.ready.Hash() {
			return nil, fmt.Errorf("the Ready of %s: %w", s.cfg.Self, errOtherReady)
		}
		g.keys[ready.From()], g.deals[ready.From()] = body.EphemeralKey, body.Deals
		hashes = append(hashes, ready.Hash())
	}
	return hashes, nil
}

// run begins the rounds under the terms of a Start.
func (s *Session) run(start types.Verified, t *terms, now time.Time) {
	s.start, s.context, s.signers, s.dealers = start, t.context, t.signers, t.dealers
	s.phase, s.progress, s.since, s.charged = Running, now, now, now
	s.peers = make(map[types.Operator]*peer)
	s.links = make(map[types.Operator]*link)
	for _, op := range s.others() {
		l, err := newLink(s.ephemeral, t.keys[op], s.context, s.cfg.Self, op)
		if err != nil {
			s.end(End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{op}, Err: err})
			return
		}
		s.links[op] = l
		s.peers[op] = &peer{}
	}
	s.ephemeral = nil
	s.rounds = Rounds(s.cfg.Protocol, s.cfg.Request.Threshold, len(s.signers))
	s.inbox, s.courier = newInbox(), newCourier()

	material, err := s.cfg.Host.Begin(s)
	if err != nil {
		s.fail(reasonOr(err, types.ErrStorage), err)
		return
	}
	s.forwardStart(now)
	s.begin(material)
}

// forwardStart sees to it that everybody gets the Start: the initiator sends
// it at once, the others pass it on to whom they have not heard of.
func (s *Session) forwardStart(now time.Time) {
	for _, op := range s.others() {
		switch {
		case s.cfg.Self == s.initiator:
			s.outbox.add(op, s.start.Envelope(), now)
		case op != s.initiator:
			s.outbox.keep(op, s.start.Envelope(), now.Add(s.cfg.Timing.Resend))
		}
	}
}

// begin makes the party and its first messages on the executor.
func (s *Session) begin(m Material) {
	cfg := PartyConfig{
		Request: s.cfg.Request, Context: s.context, Self: s.cfg.Self, Signers: s.signers, Dealers: s.dealers,
		Preparams: m.Preparams, Share: m.Share,
	}
	protocol, owned := s.cfg.Protocol, &s.party
	s.submit([][]byte{m.Preparams, m.Share}, func() (Step, error) {
		p, err := protocol.NewParty(cfg)
		if err != nil {
			return Step{}, err
		}
		owned.party = p
		return p.Start()
	})
}
