package chain

import (
	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Accuse signs a participant's word against another.
func (p *Participant) Accuse(request mpctypes.RequestID, accused string) mpctypes.Accusation {
	a := mpctypes.Accusation{
		Request: request, Session: Session(request.ID), Accused: mpctypes.Operator(accused), Reason: mpctypes.ErrStalled,
		Operator: mpctypes.Operator(p.Operator), IdentityVersion: p.Version,
	}
	a.Sign(ChainID, p.Identity)
	return a
}

// Contradict is proof that a participant told two members different things.
func (p *Participant) Contradict(request mpctypes.RequestID) mpctypes.Evidence {
	return p.ContradictIn(request, Session(request.ID))
}

// ContradictIn is such proof in this session.
func (p *Participant) ContradictIn(request mpctypes.RequestID, session mpctypes.Context) mpctypes.Evidence {
	say := func(body string) *wire.Envelope {
		return mpctypes.SignEnvelope(&wire.Header{
			ChainId: ChainID, Context: session[:], Kind: wire.KIND_ROUND, Round: 1, Type: "kg1", From: p.Operator,
			IdentityVersion: p.Version, RequestKind: uint32(request.Kind), RequestId: request.ID,
		}, []byte(body), p.Identity)
	}
	return mpctypes.NewEvidence(say("one thing"), say("another"))
}
