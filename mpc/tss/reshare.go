package tss

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/resharing"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// reshareProtocol gives the shares of a key to another committee, or the same
// committee new ones. Its security is that of "Attacking Threshold Wallets"
// (ePrint 2020/1052), section 4, with the echo of mpc/session: no dealer can deal
// different polynomials to different receivers.
type reshareProtocol struct{ options options }

var _ session.Protocol = reshareProtocol{}

// Rounds describes the four rounds.
func (reshareProtocol) Rounds(threshold, _ int) []session.Round {
	return sessionRounds(reshareSpec(threshold))
}

// NewParty makes a party of the library for each committee that this member is
// in. The library cannot do both in one.
func (g reshareProtocol) NewParty(c session.PartyConfig) (session.Party, error) {
	p, err := g.newParty(c)
	if err != nil {
		return nil, fmt.Errorf("make reshare party: %w", err)
	}
	return p, nil
}

func (g reshareProtocol) newParty(c session.PartyConfig) (*reshareParty, error) {
	if err := checkReshareConfig(c); err != nil {
		return nil, err
	}
	t, err := newTable(c)
	if err != nil {
		return nil, err
	}
	p := &reshareParty{table: t, spec: reshareSpec(c.Request.Threshold), own: make(map[uint32][]received)}
	if slices.Contains(c.Dealers, c.Self) {
		if err := g.addDealer(p, c); err != nil {
			p.Close()
			return nil, err
		}
	}
	if c.Request.Handover.Receives(c.Self) {
		if err := g.addReceiver(p, c); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

func checkReshareConfig(c session.PartyConfig) error {
	req := &c.Request
	if req.ID.Kind != types.KindReshare || req.Algorithm != types.ECDSASecp256k1 || req.Handover == nil {
		return fmt.Errorf("%w: %s with %s", types.ErrUnsupportedAlgorithm, req.ID.Kind, req.Algorithm)
	}
	if c.Context.IsZero() || req.KeySession.IsZero() || c.Context == req.KeySession {
		return fmt.Errorf("session and the key's session are not two different ones")
	}
	h := req.Handover
	if err := checkThreshold(req.Threshold, len(h.Receivers)); err != nil {
		return err
	}
	if err := checkThreshold(h.Threshold, len(h.Holders)); err != nil {
		return err
	}
	if len(h.PublicShares) != len(h.Holders) || len(c.Dealers) != h.DealersNeeded() {
		return fmt.Errorf("%d public shares of %d holders, %d dealers of %d", len(h.PublicShares), len(h.Holders), len(c.Dealers), h.DealersNeeded())
	}
	return nil
}

// addDealer makes the party that deals this member's share of the old epoch.
func (g reshareProtocol) addDealer(p *reshareParty, c session.PartyConfig) error {
	s, err := g.openShare(c)
	if err != nil {
		return err
	}
	// The library overwrites the secret of the data that it is given; this copy is
	// the session's own.
	h := newSide(p.table, session.Dealers, newReshareGuard(p.facts))
	h.wipe = s.wipe
	h.library = resharing.NewLocalParty(p.parameters(h.roster, g.options.concurrency), s.Data, h.out, h.end)
	p.sides = append(p.sides, h)
	return nil
}

// openShare decodes the share of the old epoch and checks it.
func (g reshareProtocol) openShare(c session.PartyConfig) (*share, error) {
	if len(c.Share) == 0 {
		return nil, fmt.Errorf("%w: none was given", types.ErrShareMissing)
	}
	s, err := decodeShare(c.Share)
	if err != nil {
		return nil, err
	}
	if err := g.checkShare(s, c); err != nil {
		s.wipe()
		return nil, err
	}
	return s, nil
}

// checkShare checks a share by itself and against what the chain says of its
// epoch.
func (g reshareProtocol) checkShare(s *share, c session.PartyConfig) error {
	req, h := &c.Request, c.Request.Handover
	if err := g.options.checkInsecure(s.Insecure, "share"); err != nil {
		return err
	}
	if s.Session != req.KeySession || s.Threshold != h.Threshold || !slices.Equal(s.Operators, h.Holders) {
		return fmt.Errorf("the share is not of the epoch that is dealt anew")
	}
	r, err := newRoster(s.Session, c.Self, s.Operators)
	if err != nil {
		return err
	}
	if err := s.validate(r); err != nil {
		return err
	}
	payload := s.payload(r)
	if !bytes.Equal(payload.PublicKey, req.PublicKey) || !slices.EqualFunc(payload.PublicShares, h.PublicShares, bytes.Equal) {
		return fmt.Errorf("the share is of another key than the request")
	}
	return nil
}

// addReceiver makes the party that gets a share of the new epoch.
func (g reshareProtocol) addReceiver(p *reshareParty, c session.PartyConfig) error {
	if len(c.Preparams) == 0 {
		return fmt.Errorf("%w: none were given", types.ErrNoPreparams)
	}
	pre, err := decodePreparams(c.Preparams)
	if err != nil {
		return err
	}
	if err = g.options.checkInsecure(pre.Insecure, "set of pre-parameters"); err == nil {
		err = validatePreparams(&pre.Data)
	}
	if err != nil {
		wipePreparams(&pre.Data)
		return err
	}
	facts := p.facts
	facts.own = &pre.Data
	h := newSide(p.table, session.Receivers, newReshareGuard(facts))
	h.wipe = func() { wipePreparams(&pre.Data) }
	data := keygen.NewLocalPartySaveData(len(h.roster.operators))
	data.LocalPreParams = pre.Data
	h.library = resharing.NewLocalParty(p.parameters(h.roster, g.options.concurrency), data, h.out, h.end)
	p.sides = append(p.sides, h)
	p.blank = share{
		Insecure: pre.Insecure, Session: c.Context, Threshold: c.Request.Threshold, Operators: h.roster.operators,
	}
	return nil
}

// table is what all parties of a resharing know of each other. A member of both
// committees has two party ids, derived from two sessions.
type table struct {
	self      types.Operator
	signers   []types.Operator
	dealers   *roster
	receivers *roster
	// threshold of the new committee, oldThreshold of the old one.
	threshold, oldThreshold int
	facts                   reshareFacts
}

func newTable(c session.PartyConfig) (*table, error) {
	req, h := &c.Request, c.Request.Handover
	t := &table{self: c.Self, signers: c.Signers, threshold: req.Threshold, oldThreshold: h.Threshold}
	var err error
	if t.dealers, err = makeRoster(req.KeySession, c.Self, c.Dealers); err != nil {
		return nil, err
	}
	if t.receivers, err = makeRoster(c.Context, c.Self, h.Receivers); err != nil {
		return nil, err
	}
	for _, op := range c.Signers {
		if !t.has(op, session.Dealers) && !t.has(op, session.Receivers) {
			return nil, fmt.Errorf("signer %s is in neither committee", op)
		}
	}
	t.facts = reshareFacts{members: h.Receivers, threshold: req.Threshold}
	if t.facts.publicKey, err = decompressPoint(req.PublicKey); err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	t.facts.terms, err = t.dealerTerms(h)
	return t, err
}

// dealerTerms gives what each dealer's share adds to the key.
func (t *table) dealerTerms(h *types.Handover) (map[types.Operator]*crypto.ECPoint, error) {
	terms := make(map[types.Operator]*crypto.ECPoint)
	points := make([]*crypto.ECPoint, len(t.dealers.sorted))
	for i, id := range t.dealers.sorted {
		op, _ := t.dealers.operator(id)
		at := slices.Index(h.Holders, op)
		if at < 0 {
			return nil, fmt.Errorf("dealer %s held no share", op)
		}
		var err error
		if points[i], err = decompressPoint(h.PublicShares[at]); err != nil {
			return nil, fmt.Errorf("public share of %s: %w", op, err)
		}
	}
	for i, term := range termsAtZero(t.dealers.sorted.Keys(), points) {
		op, _ := t.dealers.operator(t.dealers.sorted[i])
		terms[op] = term
	}
	return terms, nil
}

// of is the roster of a committee.
func (t *table) of(role session.Role) *roster {
	if role == session.Dealers {
		return t.dealers
	}
	return t.receivers
}

// has says whether a signer is in a committee; Everybody is both.
func (t *table) has(op types.Operator, role session.Role) bool {
	return role == session.Everybody || t.of(role).ids[op] != nil
}

// parameters are what the library makes a party of a committee from.
func (t *table) parameters(r *roster, concurrency int) *tss.ReSharingParameters {
	p := tss.NewReSharingParameters(tss.S256(), tss.NewPeerContext(t.dealers.sorted), tss.NewPeerContext(t.receivers.sorted),
		r.ids[t.self], len(t.dealers.sorted), t.oldThreshold, len(t.receivers.sorted), t.threshold)
	p.SetConcurrency(concurrency)
	return p
}
