package tss

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// keygenGuard judges the messages of a keygen.
type keygenGuard struct {
	threshold int
	// moduli are the Paillier moduli of round 1, which the proofs of round 2
	// are about.
	moduli map[types.Operator]*big.Int
}

func newKeygenGuard(threshold int) *keygenGuard {
	return &keygenGuard{threshold: threshold, moduli: make(map[types.Operator]*big.Int)}
}

func (g *keygenGuard) message(from types.Operator, content tss.MessageContent) error {
	switch m := content.(type) {
	case *keygen.KGRound1Message:
		return g.round1(from, m)
	case *keygen.KGRound2Message1:
		return checkKG2M1(m)
	case *keygen.KGRound2Message2:
		return g.decommitment(from, m)
	case *keygen.KGRound3Message:
		return checkKG3(m, g.moduli[from])
	}
	return errNoRule
}

func (*keygenGuard) complete(uint32) error { return nil }

func (*keygenGuard) sent(tss.MessageContent) {}

// round1 checks commitment, moduli and the shape of the DLN proofs.
func (g *keygenGuard) round1(from types.Operator, m *keygen.KGRound1Message) error {
	if len(m.PaillierN) > modulusBytes || len(m.NTilde) > modulusBytes {
		return fmt.Errorf("a modulus has more than %d bytes", modulusBytes)
	}
	n, nTilde := number(m.PaillierN), number(m.NTilde)
	h1, h2 := number(m.H1), number(m.H2)
	err := firstBroken(
		hashRule("commitment", m.Commitment),
		modulusRule("PaillierN", n),
		modulusRule("NTilde", nTilde),
		rule{"NTilde", n.Cmp(nTilde) != 0, "another modulus than PaillierN"},
		unitsRule("h1 or h2", nTilde, m.H1, m.H2),
		rule{"h1 or h2", inside(h1, nTilde) && inside(h2, nTilde), "above 1"},
		rule{"h2", h1.Cmp(h2) != 0, "different from h1"},
		dlnRule("Dlnproof_1", m.Dlnproof_1),
		dlnRule("Dlnproof_2", m.Dlnproof_2),
	)
	if err == nil {
		g.moduli[from] = n
	}
	return err
}

// dlnRule wants two lists of 128 numbers, each behind its length. The library
// takes the length as a signed 64-bit number and slices with it.
func dlnRule(field string, parts [][]byte) rule {
	length := []byte{dlnIterations}
	ok := len(parts) == dlnParts && bytes.Equal(parts[0], length) && bytes.Equal(parts[1+dlnIterations], length)
	return rule{field, ok, "two lists of 128"}
}

// checkKG2M1 checks the share and that there is a proof: without one the
// library's own check depends on a setting.
func checkKG2M1(m *keygen.KGRound2Message1) error {
	return firstBroken(
		scalarRule("share", m.Share),
		rule{"FacProof", len(m.FacProof) == facParts, "11 numbers"},
	)
}

// decommitment checks the commitments to the polynomial and the shape of the
// modulus proof, with what the library's verifier lacks: without the Jacobi
// symbol and the units a modulus with small factors passes.
func (g *keygenGuard) decommitment(from types.Operator, m *keygen.KGRound2Message2) error {
	if len(m.DeCommitment) != 1+2*(g.threshold+1) {
		return fmt.Errorf("DeCommitment has %d parts, not %d", len(m.DeCommitment), 1+2*(g.threshold+1))
	}
	if len(m.ModProof) != modParts {
		return fmt.Errorf("ModProof has %d parts, not %d", len(m.ModProof), modParts)
	}
	rules := []rule{hashRule("DeCommitment 0", m.DeCommitment[0])}
	for i := 1; i < len(m.DeCommitment); i += 2 {
		rules = append(rules, pointRule(fmt.Sprintf("DeCommitment %d", i), m.DeCommitment[i], m.DeCommitment[i+1]))
	}
	if err := firstBroken(rules...); err != nil {
		return err
	}
	return checkModProof(m.ModProof, g.moduli[from])
}

func checkModProof(parts [][]byte, n *big.Int) error {
	if n == nil {
		return fmt.Errorf("round 1 of this peer is missing")
	}
	w := parts[0]
	x, z := parts[1:1+modIterations], parts[3+modIterations:]
	a, b := parts[1+modIterations], parts[2+modIterations]
	return firstBroken(
		unitsRule("ModProof W", n, w),
		unitsRule("ModProof X", n, x...),
		unitsRule("ModProof Z", n, z...),
		rule{"ModProof W", big.Jacobi(number(w), n) == -1, "a non-residue with Jacobi symbol -1"},
		rule{"ModProof A or B", isChallenge(a) && isChallenge(b), "81 bits long"},
	)
}

func isChallenge(b []byte) bool {
	return len(b) == challengeBytes && number(b).BitLen() == modIterations+1
}

func checkKG3(m *keygen.KGRound3Message, n *big.Int) error {
	if n == nil {
		return fmt.Errorf("round 1 of this peer is missing")
	}
	if len(m.PaillierProof) != paillierProofParts {
		return fmt.Errorf("PaillierProof has %d parts, not %d", len(m.PaillierProof), paillierProofParts)
	}
	return firstBroken(unitsRule("PaillierProof", n, m.PaillierProof...))
}
