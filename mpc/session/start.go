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
	signers := s.chooseSigners(now)
	if signers == nil {
		return
	}
	body := wire.Start{Prepare: s.prepare.Envelope()}
	for _, op := range slices.Sorted(slices.Values(s.order)) {
		body.Readys = append(body.Readys, s.readys[op].Envelope())
	}
	for _, op := range signers {
		body.Signers = append(body.Signers, string(op))
	}
	bz, err := body.Marshal()
	if err != nil {
		s.fail(types.ErrProtocolFault, fmt.Errorf("encode a Start: %w", err))
		return
	}
	e := s.envelope(wire.Header{Context: s.id[:], Kind: wire.KIND_START}, bz)
	v, err := s.verify(e)
	if err != nil {
		s.fail(types.ErrProtocolFault, fmt.Errorf("verify our own Start: %w", err))
		return
	}
	terms, err := s.checkStart(v)
	if err != nil {
		s.fail(types.ErrProtocolFault, err)
		return
	}
	s.outbox.pending = nil // no more Prepares
	for _, op := range s.order {
		if !slices.Contains(signers, op) {
			s.cfg.Host.Send(op, e) // released; it asks again if this is lost
		}
	}
	s.run(v, terms, now)
}

// repeatStart answers a member that still says Ready after the Start.
func (s *Session) repeatStart(op types.Operator) {
	if s.start != (types.Verified{}) {
		s.cfg.Host.Send(op, s.start.Envelope())
	}
}

// onStart accepts the Start of a session that this node is ready for,
// whichever member it comes from: what counts is whose signatures are in it.
func (s *Session) onStart(v types.Verified, now time.Time) {
	if s.phase != Waiting {
		return
	}
	terms, err := s.checkStart(v)
	if errors.Is(err, errOtherReady) {
		s.end(End{Reason: types.ErrInterrupted, Err: err})
		return
	}
	if err != nil {
		s.end(End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{v.From()}, Err: err})
		return
	}
	s.outbox.pending = nil // no more Readys
	if !slices.Contains(terms.signers, s.cfg.Self) {
		s.end(End{Reason: types.ErrReleased})
		return
	}
	s.run(v, terms, now)
}

// errOtherReady: the Start has a Ready of ours, rightly signed, that is not the
// one in memory. This node said it in an earlier life; nobody is to blame.
var errOtherReady = errors.New("it is of before this node's restart")

// terms are what a Start fixes.
type terms struct {
	context types.Context
	signers []types.Operator
	// keys are the session keys of the initiator and all that were ready.
	keys map[types.Operator][]byte
}

// checkStart verifies every signature in a Start and the rules of DESIGN §3.5.
func (s *Session) checkStart(v types.Verified) (*terms, error) {
	if v.From() != s.initiator || v.Header().To != "" || string(v.Header().Context) != string(s.id[:]) {
		return nil, fmt.Errorf("start of %s is not this session's", v.From())
	}
	var body wire.Start
	if err := body.Unmarshal(v.Body()); err != nil {
		return nil, fmt.Errorf("decode a Start of %s: %w", v.From(), err)
	}
	prepare, err := s.verify(body.Prepare)
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
	t := &terms{keys: map[types.Operator][]byte{s.initiator: p.EphemeralKey}}
	hashes, err := s.checkReadys(body.Readys, t.keys)
	if err != nil {
		return nil, fmt.Errorf("start of %s: %w", v.From(), err)
	}
	if t.signers, err = s.checkSigners(body.Signers, t.keys); err != nil {
		return nil, fmt.Errorf("start of %s: %w", v.From(), err)
	}
	t.context = types.Transcript{Prepare: s.id, Readys: hashes, Signers: t.signers}.Context()
	return t, nil
}

// checkReadys verifies the Readys, which ascend by operator, and collects
// their session keys. Our own must be the one that we sent; if it came too late
// it is not there, and this node is no signer.
func (s *Session) checkReadys(readys []*wire.Envelope, keys map[types.Operator][]byte) ([]types.Hash, error) {
	hashes := make([]types.Hash, 0, len(readys))
	last := types.Operator("")
	for _, e := range readys {
		ready, err := s.verify(e)
		if err != nil {
			return nil, err
		}
		if ready.Header().Kind != wire.KIND_READY || ready.From() <= last || ready.From() == s.initiator {
			return nil, fmt.Errorf("a Ready of %s is out of order or none", ready.From())
		}
		last = ready.From()
		key, err := readyKey(ready, s.id)
		if err != nil {
			return nil, err
		}
		if ready.From() == s.cfg.Self && ready.Hash() != s.ready.Hash() {
			return nil, fmt.Errorf("the Ready of %s: %w", s.cfg.Self, errOtherReady)
		}
		keys[ready.From()] = key
		hashes = append(hashes, ready.Hash())
	}
	return hashes, nil
}

// checkSigners: ascending, exactly as many as the request needs, each of them
// ready.
func (s *Session) checkSigners(names []string, keys map[types.Operator][]byte) ([]types.Operator, error) {
	if len(names) != s.cfg.Request.SignersNeeded() {
		return nil, fmt.Errorf("%d signers, not %d", len(names), s.cfg.Request.SignersNeeded())
	}
	signers := make([]types.Operator, len(names))
	for i, name := range names {
		signers[i] = types.Operator(name)
		if _, ready := keys[signers[i]]; !ready {
			return nil, fmt.Errorf("signer %s did not say Ready", name)
		}
		if i > 0 && signers[i] <= signers[i-1] {
			return nil, fmt.Errorf("signers are not ascending")
		}
	}
	return signers, nil
}

// run begins the rounds under the terms of a Start.
func (s *Session) run(start types.Verified, t *terms, now time.Time) {
	s.start, s.context, s.signers = start, t.context, t.signers
	s.phase, s.progress, s.since = Running, now, now
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
	s.rounds = s.cfg.Protocol.Rounds(s.cfg.Request.Threshold, len(s.signers))
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
		Request: s.cfg.Request, Context: s.context, Self: s.cfg.Self, Signers: s.signers,
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

// verifyMember checks an envelope against the identity that the request
// pinned for its sender.
func verifyMember(e *wire.Envelope, cfg *Config) (types.Verified, error) {
	if err := types.CheckEnvelope(e, cfg.ChainID); err != nil {
		return types.Verified{}, err
	}
	member, ok := cfg.Request.Member(types.Operator(e.Header.From))
	if !ok || member.IdentityVersion != e.Header.IdentityVersion {
		return types.Verified{}, fmt.Errorf("%s with identity version %d is no member of %s",
			e.Header.From, e.Header.IdentityVersion, cfg.Request.ID)
	}
	v, err := types.VerifyEnvelope(e, cfg.ChainID, member.IdentityKey)
	if err == nil && v.Request() != cfg.Request.ID {
		return types.Verified{}, fmt.Errorf("an envelope of %s is for %s, not %s", v.From(), v.Request(), cfg.Request.ID)
	}
	return v, err
}
