package fakeproto

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Protocols implements session.Protocols.
type Protocols struct {
	// Watch, if set, looks at what becomes of parties and secrets.
	Watch *Watch
	// Ledger, if set, notes what parties are made for.
	Ledger *Ledger
	// Shape, if set, gives the rounds of keygens and signatures in place of a few: those
	// of a real protocol, with fake content.
	Shape func(types.RequestKind) []session.Round
}

// Protocol implements session.Protocols.
func (p Protocols) Protocol(kind types.RequestKind, _ types.Algorithm) (session.Protocol, error) {
	switch kind {
	case types.KindKeygen, types.KindSign, types.KindReshare:
		return p.Watch.Over(protocol{kind, p.Ledger, p.Shape}), nil
	case types.KindPresign:
		return parker{p.Watch.Over(protocol{kind, p.Ledger, p.Shape})}, nil
	}
	return nil, fmt.Errorf("%w: no fake %s", types.ErrUnsupportedAlgorithm, kind)
}

type protocol struct {
	kind   types.RequestKind
	ledger *Ledger
	shape  func(types.RequestKind) []session.Round
}

// maxBytes bounds every fake message: a hash.
const maxBytes = sha256.Size

// Rounds implements session.Protocol.
func (p protocol) Rounds(int, int) []session.Round {
	b := func(t string) session.MessageSpec {
		return session.MessageSpec{Type: t, Broadcast: true, MaxBytes: maxBytes}
	}
	p2p := func(t string) session.MessageSpec { return session.MessageSpec{Type: t, MaxBytes: maxBytes} }
	by := func(from, to session.Role, m session.MessageSpec) session.MessageSpec {
		m.From, m.To = from, to
		return m
	}
	const dealers, receivers = session.Dealers, session.Receivers
	if p.shape != nil && p.kind != types.KindReshare {
		return p.shape(p.kind)
	}
	switch p.kind {
	case types.KindKeygen:
		return []session.Round{{b("k1")}, {p2p("k2p"), b("k2b")}, {b("k3")}}
	case types.KindReshare:
		return []session.Round{
			{by(dealers, receivers, b("r1"))},
			{by(receivers, receivers, b("r2"))},
			{by(dealers, receivers, p2p(dealtType)), by(dealers, receivers, b("r3b"))},
			{by(receivers, receivers, p2p("r4p")), by(receivers, session.Everybody, b("r4b"))},
		}
	}
	return []session.Round{{p2p("s1p"), b("s1b")}, {p2p("s2")}, {b("s3")}, {b("s4")}}
}

// dealtType is the message with which a dealer gives the whole fake key away.
const dealtType = "r3p"

// share is the secret of a fake key.
type share struct {
	Private  []byte
	Operator types.Operator
	Context  types.Context
}

// Share encodes an operator's share of a key that a session made.
func Share(private []byte, op types.Operator, context types.Context) []byte {
	bz, err := json.Marshal(share{Private: private, Operator: op, Context: context})
	if err != nil {
		panic(err) // bytes and strings always encode
	}
	return bz
}

// NewParty implements session.Protocol.
func (p protocol) NewParty(cfg session.PartyConfig) (session.Party, error) {
	p.ledger.note(cfg)
	pa := &party{cfg: cfg, kind: p.kind, rounds: p.Rounds(0, 0), target: &cfg.Request, ledger: p.ledger}
	if pa.makesShare() && len(cfg.Preparams) == 0 {
		return nil, fmt.Errorf("%w: %s without pre-parameters", types.ErrNoPreparams, p.kind)
	}
	if p.kind == types.KindKeygen || p.kind == types.KindReshare && !pa.has(cfg.Self, session.Dealers) {
		return pa, nil
	}
	if err := json.Unmarshal(cfg.Share, &pa.share); err != nil {
		return nil, fmt.Errorf("decode a fake share: %w", err)
	}
	if pa.share.Operator != cfg.Self || pa.share.Context != cfg.Request.KeySession {
		return nil, fmt.Errorf("fake share of %s and session %s used by %s for %s",
			pa.share.Operator, pa.share.Context.Short(), cfg.Self, cfg.Request.KeySession.Short())
	}
	return pa, nil
}

type party struct {
	cfg    session.PartyConfig
	kind   types.RequestKind
	rounds []session.Round
	share  share
	// target is what is signed; a presignature's is given late.
	target *types.Request
	ledger *Ledger
}

// makesShare: the session gives this member a share.
func (p *party) makesShare() bool {
	return p.kind == types.KindKeygen || p.kind == types.KindReshare && p.has(p.cfg.Self, session.Receivers)
}

func (p *party) has(op types.Operator, role session.Role) bool {
	switch role {
	case session.Dealers:
		return slices.Contains(p.cfg.Dealers, op)
	case session.Receivers:
		return p.cfg.Request.Handover.Receives(op)
	}
	return true
}

// content is what a message of the fake protocol must say.
func (p *party) content(round uint32, typ string, from, to types.Operator) []byte {
	if typ == dealtType {
		return bytes.Clone(p.share.Private)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s|%d|%s|%s|%s|%x", p.cfg.Context, round, typ, from, to, p.target.Digest)
	return h.Sum(nil)
}

// Close implements session.Party.
func (p *party) Close() { types.Wipe(p.share.Private) }

// Start implements session.Party.
func (p *party) Start() (session.Step, error) { return p.send(1), nil }

func (p *party) send(round uint32) session.Step {
	var step session.Step
	for _, spec := range p.rounds[round-1] {
		if !p.has(p.cfg.Self, spec.From) {
			continue
		}
		if spec.Broadcast {
			step.Out = append(step.Out, session.Outbound{Type: spec.Type, Body: p.content(round, spec.Type, p.cfg.Self, "")})
			continue
		}
		for _, to := range p.cfg.Signers {
			if to != p.cfg.Self && p.has(to, spec.To) {
				step.Out = append(step.Out, session.Outbound{
					Type: spec.Type, To: to, Body: p.content(round, spec.Type, p.cfg.Self, to),
				})
			}
		}
	}
	return step
}

// Deliver implements session.Party.
func (p *party) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	if want := p.expects(round); len(in) != want {
		return session.Step{}, fmt.Errorf("round %d was handed %d messages, not %d", round, len(in), want)
	}
	for _, m := range in {
		spec := p.rounds[round-1][slices.IndexFunc(p.rounds[round-1], func(s session.MessageSpec) bool { return s.Type == m.Type })]
		to := p.cfg.Self
		if spec.Broadcast {
			to = ""
		}
		if m.Type == dealtType && p.share.Private == nil {
			p.share.Private = bytes.Clone(m.Body)
		}
		if !bytes.Equal(m.Body, p.content(round, m.Type, m.From, to)) {
			return session.Step{}, &session.Fault{
				Culprits: []types.Operator{m.From}, Err: fmt.Errorf("%s of round %d is wrong", m.Type, round),
			}
		}
	}
	if p.kind == types.KindPresign && round == parkRound {
		return session.Step{}, nil
	}
	if p.kind == types.KindPresign && round > parkRound {
		p.ledger.computed(p.cfg)
	}
	if int(round) < len(p.rounds) {
		return p.send(round + 1), nil
	}
	switch {
	case p.kind == types.KindSign, p.kind == types.KindPresign:
		return p.sign()
	case p.makesShare():
		return p.key()
	}
	return session.Step{Result: &session.Result{}}, nil
}

// expects is how many messages of a round are for this member.
func (p *party) expects(round uint32) (n int) {
	for _, spec := range p.rounds[round-1] {
		for _, from := range p.cfg.Signers {
			if from != p.cfg.Self && p.has(from, spec.From) && (spec.Broadcast || p.has(p.cfg.Self, spec.To)) {
				n++
			}
		}
	}
	return n
}

// key derives the same private key at every member, or hands on the one that was
// dealt.
func (p *party) key() (session.Step, error) {
	private, members := Private(p.cfg.Context), p.cfg.Signers
	if p.kind == types.KindReshare {
		private, members = p.share.Private, p.cfg.Request.Handover.Receivers
	}
	bz := Share(private, p.cfg.Self, p.cfg.Context)
	return session.Step{Result: &session.Result{Share: bz, Payload: Payload(private, p.cfg.Context, members)}}, nil
}

// Private is the fake key that a keygen's session makes.
func Private(context types.Context) []byte {
	seed := sha256.Sum256(fmt.Appendf(nil, "fake key|%s", context))
	return secp256k1.PrivKeyFromBytes(seed[:]).Serialize()
}

// Payload is what the members of a session attest of a fake key.
func Payload(private []byte, context types.Context, members []types.Operator) types.KeygenPayload {
	payload := types.KeygenPayload{
		PublicKey:      secp256k1.PrivKeyFromBytes(private).PubKey().SerializeCompressed(),
		ParametersHash: sha256.Sum256(context[:]),
	}
	for _, op := range members {
		sub := sha256.Sum256(fmt.Appendf(nil, "fake share|%s|%s", context, op))
		payload.PublicShares = append(payload.PublicShares, secp256k1.PrivKeyFromBytes(sub[:]).PubKey().SerializeCompressed())
	}
	return payload
}

func (p *party) sign() (session.Step, error) {
	compact := ecdsa.SignCompact(secp256k1.PrivKeyFromBytes(p.share.Private), p.target.Digest, true)
	return session.Step{Result: &session.Result{Signature: &types.SignatureResult{
		RequestID: p.target.ID.ID, R: compact[1:33], S: compact[33:], V: uint32(compact[0] - 31),
	}}}, nil
}
