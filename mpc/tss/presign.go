package tss

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// presignProtocol is signing that stops after the rounds which do not depend on what is
// signed: with all that is expensive done, and the messages of round 4 made and kept.
// Those open the commitments to Gamma, so that nobody knows the nonce R before the
// digest is fixed; what Groth and Shoup found of presignatures (ePrint 2021/1330) needs
// R first.
//
// The library keeps the digest that it was made with by reference, and computes with it
// from round 5 on only: m is read in local_party.go by NewLocalParty, in round_1.go for
// its size, and in round_5.go, round_7.go and finalize.go.
type presignProtocol struct{ signProtocol }

var _ session.Parker = presignProtocol{}

// parkRound is the last round before the digest matters.
const parkRound = 3

// ParksAfter implements session.Parker.
func (presignProtocol) ParksAfter() uint32 { return parkRound }

// NewParty makes a party for a digest that comes later.
func (g presignProtocol) NewParty(c session.PartyConfig) (session.Party, error) {
	if c.Request.ID.Kind != types.KindPresign || c.Request.Algorithm != types.ECDSASecp256k1 {
		return nil, fmt.Errorf("%w: %s with %s", types.ErrUnsupportedAlgorithm, c.Request.ID.Kind, c.Request.Algorithm)
	}
	if err := checkSigners(c); err != nil {
		return nil, fmt.Errorf("make presigning party: %w", err)
	}
	p := &parkedParty{digest: big.NewInt(1), target: new(types.Request)}
	var err error
	if p.party, err = g.newParty(c, p.digest, p.target); err != nil {
		return nil, fmt.Errorf("make presigning party: %w", err)
	}
	return p, nil
}

// parkedParty is a signing party that is told later what it signs.
type parkedParty struct {
	*party
	// digest is the library's, and target what the result is of: placeholders until
	// they are fixed.
	digest *big.Int
	target *types.Request
	// kept are the messages of round 4.
	kept  []session.Outbound
	fixed bool
}

var _ session.ParkedParty = (*parkedParty)(nil)

var (
	errNotFixed = errors.New("the party does not know yet what is signed")
	errFixed    = errors.New("a presignature is used once")
)

// Deliver implements session.Party. After the third round it has no messages.
func (p *parkedParty) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	if round > parkRound && !p.fixed {
		return session.Step{}, p.fail(errNotFixed)
	}
	step, err := p.party.Deliver(round, in)
	if err == nil && round == parkRound {
		p.kept, step.Out = step.Out, nil
		// From round 4 on the library reads nothing of the share but its public key.
		p.wipe()
	}
	return step, err
}

// Close implements session.Party.
func (p *parkedParty) Close() {
	p.kept = nil
	p.party.Close()
}

// Fix implements session.ParkedParty. No call of the library runs meanwhile: nobody
// reads the digest while it is set.
func (p *parkedParty) Fix(r types.Request) (session.Step, error) {
	if p.fixed || p.ended {
		return session.Step{}, errFixed
	}
	p.fixed = true
	if p.round != parkRound+1 {
		return session.Step{}, p.fail(fmt.Errorf("a presignature is used in round %d, not %d", p.round, parkRound+1))
	}
	if err := types.ValidateDigest(r.Digest); err != nil {
		return session.Step{}, p.fail(err)
	}
	*p.target = r
	p.digest.SetBytes(r.Digest)
	out := p.kept
	p.kept = nil
	return session.Step{Out: out}, nil
}
