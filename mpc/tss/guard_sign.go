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
	// squares are N^2 of the peers' Paillier keys, own that of ours.
	squares map[types.Operator]*big.Int
	own     *big.Int
	// theta is the sum of everybody's theta so far.
	theta *big.Int
}

// newSignGuard takes the save data of the signers, in their order.
func newSignGuard(r *roster, data *keygen.LocalPartySaveData) *signGuard {
	g := &signGuard{squares: make(map[types.Operator]*big.Int), theta: new(big.Int)}
	for _, op := range r.operators {
		n := data.PaillierPKs[r.index(op)].N
		g.squares[op] = new(big.Int).Mul(n, n)
	}
	g.own = g.squares[r.self]
	return g
}

func (g *signGuard) message(from types.Operator, content tss.MessageContent) error {
	switch m := content.(type) {
	case *signing.SignRound1Message1:
		return checkS1M1(m, g.squares[from])
	case *signing.SignRound1Message2:
		return firstBroken(hashRule("commitment", m.Commitment))
	case *signing.SignRound2Message:
		return checkS2(m, g.own)
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
		return checkPoints(m.DeCommitment, 2)
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

// checkS1M1 checks a peer's encrypted nonce and its range proof: Z U W S S1 S2.
// The library inverts C modulo N^2 without asking whether that is possible. A
// proof with S = 1 or Z = 1 or S1 = S2 is one that nobody makes honestly.
func checkS1M1(m *signing.SignRound1Message1, square *big.Int) error {
	p := m.RangeProofAlice
	if len(p) != rangeParts {
		return fmt.Errorf("RangeProofAlice has %d parts, not %d", len(p), rangeParts)
	}
	z, s, s1, s2 := number(p[0]), number(p[3]), number(p[4]), number(p[5])
	return firstBroken(
		unitsRule("C", square, m.C),
		rule{"RangeProofAlice Z", z.Cmp(one) != 0, "different from 1"},
		rule{"RangeProofAlice S", s.Cmp(one) != 0, "different from 1"},
		rule{"RangeProofAlice S1", s1.Cmp(s2) != 0, "different from S2"},
	)
}

// checkS2 checks a peer's answers under our Paillier key. The library
// multiplies a point with S1 = ProofBobWc[6].
func checkS2(m *signing.SignRound2Message, square *big.Int) error {
	const s1 = 6
	wc := m.ProofBobWc
	if len(m.ProofBob) != bobParts || len(wc) != bobWCParts {
		return fmt.Errorf("proofs have %d and %d parts, not %d and %d", len(m.ProofBob), len(wc), bobParts, bobWCParts)
	}
	return firstBroken(
		unitsRule("C1 or C2", square, m.C1, m.C2),
		rule{"ProofBob S1", !isZeroModQ(m.ProofBob[s1]), "different from 0 modulo q"},
		rule{"ProofBobWc S1", !isZeroModQ(wc[s1]), "different from 0 modulo q"},
		pointRule("ProofBobWc U", wc[bobParts], wc[bobParts+1]),
	)
}

func isZeroModQ(b []byte) bool {
	return new(big.Int).Mod(number(b), groupOrder()).Sign() == 0
}

func checkS4(m *signing.SignRound4Message) error {
	if err := checkPoints(m.DeCommitment, 1); err != nil {
		return err
	}
	return firstBroken(
		pointRule("ProofAlpha", m.ProofAlphaX, m.ProofAlphaY),
		scalarRule("ProofT", m.ProofT),
	)
}

func checkS6(m *signing.SignRound6Message) error {
	if err := checkPoints(m.DeCommitment, 2); err != nil {
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

// checkPoints wants a decommitment of this many points behind a random number.
func checkPoints(parts [][]byte, points int) error {
	if len(parts) != 1+2*points {
		return fmt.Errorf("DeCommitment has %d parts, not %d", len(parts), 1+2*points)
	}
	rules := []rule{hashRule("DeCommitment 0", parts[0])}
	for i := 1; i < len(parts); i += 2 {
		rules = append(rules, pointRule(fmt.Sprintf("DeCommitment %d", i), parts[i], parts[i+1]))
	}
	return firstBroken(rules...)
}
