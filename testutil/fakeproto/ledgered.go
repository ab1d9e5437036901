package fakeproto

import (
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Over notes what the parties of any protocols are made for. They hear nothing of it.
func (l *Ledger) Over(p session.Protocols) session.Protocols { return ledgered{p, l} }

type ledgered struct {
	session.Protocols
	ledger *Ledger
}

// Protocol implements session.Protocols.
func (p ledgered) Protocol(kind types.RequestKind, a types.Algorithm) (session.Protocol, error) {
	inner, err := p.Protocols.Protocol(kind, a)
	if err != nil {
		return nil, err
	}
	noted := notedProtocol{inner, p.ledger}
	if parks, ok := inner.(session.Parker); ok {
		return notedParker{noted, parks}, nil
	}
	return noted, nil
}

type notedProtocol struct {
	session.Protocol
	ledger *Ledger
}

// NewParty implements session.Protocol.
func (p notedProtocol) NewParty(cfg session.PartyConfig) (session.Party, error) {
	p.ledger.note(cfg)
	return p.Protocol.NewParty(cfg)
}

type notedParker struct {
	notedProtocol
	parks session.Parker
}

// ParksAfter implements session.Parker.
func (p notedParker) ParksAfter() uint32 { return p.parks.ParksAfter() }

// NewParty implements session.Protocol.
func (p notedParker) NewParty(cfg session.PartyConfig) (session.Party, error) {
	party, err := p.notedProtocol.NewParty(cfg)
	if err != nil {
		return nil, err
	}
	return &notedParty{party, p, cfg}, nil
}

// notedParty is one that can be told what it signs.
type notedParty struct {
	session.Party
	protocol notedParker
	cfg      session.PartyConfig
}

// Deliver implements session.Party.
func (p *notedParty) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	if round > p.protocol.ParksAfter() {
		p.protocol.ledger.computed(p.cfg)
	}
	return p.Party.Deliver(round, in)
}

// Fix implements session.ParkedParty.
func (p *notedParty) Fix(r types.Request) (session.Step, error) {
	p.protocol.ledger.fix(p.cfg, &r)
	return p.Party.(session.ParkedParty).Fix(r)
}
