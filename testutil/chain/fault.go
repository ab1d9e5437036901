package chain

import (
	"slices"

	"github.com/stretchr/testify/require"

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

// Refuse signs a participant's word that it will not sign what an open request asks for.
func (p *Participant) Refuse(signatureID string, reason mpctypes.Reason) mpctypes.Accusation {
	p.chain.t.Helper()
	open, err := p.chain.Keeper.EngineRequests(p.chain.Ctx)
	require.NoError(p.chain.t, err)
	i := slices.IndexFunc(open, func(r mpctypes.Request) bool {
		return r.ID == mpctypes.RequestID{Kind: mpctypes.KindSign, ID: signatureID}
	})
	require.GreaterOrEqual(p.chain.t, i, 0, "%s is not open", signatureID)
	m := mpctypes.Member{Operator: mpctypes.Operator(p.Operator), IdentityVersion: p.Version}
	a := open[i].Refusal(ChainID, m, reason)
	a.Sign(ChainID, p.Identity)
	return a
}
