package tss

import (
	"fmt"
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// signGuard judges the messages of a signing session.
type signGuard struct {
	mta *mtaGuard
	// theta is the sum of everybody's theta so far.
	theta *big.Int
}

// newSignGuard takes the save data of the signers, in their order.
func newSignGuard(r *roster, data *keygen.LocalPartySaveData) *signGuard {
	return &signGuard{newMtAGuard(r, data), new(big.Int)}
}

func (g *signGuard) message(from types.Operator, content tss.MessageContent) error {
	switch m := content.(type) {
	case *signing.SignRound1Message1:
		return g.mta.nonce(from, m)
	case *signing.SignRound1Message2:
		return firstBroken(hashRule("commitment", m.Commitment))
	case *signing.SignRound2Message:
		return g.mta.answer(from, m)
	case *signing.SignRound3Message:
		g.addTheta(m)
		return firstBroken(scalarRule("theta", m.Theta))
	case *signing.SignRound4Message:
		return checkS4(m)
	case *signing.SignRound5Message:
		return firstBroken(hashRule("commitment", m.Commitment))
	case *signing.SignRound6Message:
		return checkS6(m)
	case *signing.SignRound7Message:
		return firstBroken(hashRule("commitment", m.Commitment))
	case *signing.SignRound8Message:
		return checkPoints("DeCommitment", m.DeCommitment, 2)
	case *signing.SignRound9Message:
		return firstBroken(scalarRule("s", m.S))
	}
	return errNoRule
}

// sent adds our own theta.
func (g *signGuard) sent(content tss.MessageContent) {
	if m, ok := content.(*signing.SignRound3Message); ok {
		g.addTheta(m)
	}
}

func (g *signGuard) addTheta(m *signing.SignRound3Message) {
	g.theta.Add(g.theta, number(m.Theta))
	g.theta.Mod(g.theta, groupOrder())
}

// complete wants the sum of all theta to have an inverse. Whoever sends last
// can make it zero; which of the others that was cannot be seen.
func (g *signGuard) complete(round uint32) error {
	const thetaRound = 3
	if round == thetaRound && g.theta.Sign() == 0 {
		return fmt.Errorf("%s: the sum of theta is zero", typeS3)
	}
	return nil
}

// accepted looks into what the peers encrypted for us.
func (g *signGuard) accepted(round uint32) error {
	const answerRound = 2
	if round == answerRound {
		return g.mta.plaintexts()
	}
	return nil
}

func (g *signGuard) wipe() { g.mta.decrypter.wipe() }

func checkS4(m *signing.SignRound4Message) error {
	if err := checkPoints("DeCommitment", m.DeCommitment, 1); err != nil {
		return err
	}
	return firstBroken(
		pointRule("ProofAlpha", m.ProofAlphaX, m.ProofAlphaY),
		scalarRule("ProofT", m.ProofT),
	)
}

func checkS6(m *signing.SignRound6Message) error {
	if err := checkPoints("DeCommitment", m.DeCommitment, 2); err != nil {
		return err
	}
	return firstBroken(
		pointRule("ProofAlpha", m.ProofAlphaX, m.ProofAlphaY),
		scalarRule("ProofT", m.ProofT),
		pointRule("VProofAlpha", m.VProofAlphaX, m.VProofAlphaY),
		scalarRule("VProofT", m.VProofT),
		scalarRule("VProofU", m.VProofU),
	)
}
