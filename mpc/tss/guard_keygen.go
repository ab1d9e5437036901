package tss

import (
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// keygenGuard judges the messages of a keygen.
type keygenGuard struct {
	threshold int
	// directory is filled by round 1; the proofs of round 2 are about it.
	directory *directory
}

// newKeygenGuard takes our own pre-parameters.
func newKeygenGuard(threshold int, own *keygen.LocalPreParams) *keygenGuard {
	return &keygenGuard{threshold, newDirectory(ownAuxiliary(own))}
}

func ownAuxiliary(p *keygen.LocalPreParams) auxiliary {
	return auxiliary{p.PaillierSK.N, p.NTildei, p.H1i, p.H2i}
}

func (g *keygenGuard) message(from types.Operator, content tss.MessageContent) error {
	if m, ok := content.(*keygen.KGRound1Message); ok {
		return g.round1(from, m)
	}
	peer, err := g.directory.of(from)
	if err != nil {
		return err
	}
	switch m := content.(type) {
	case *keygen.KGRound2Message1:
		return g.share(m, peer.n)
	case *keygen.KGRound2Message2:
		return g.decommitment(m, peer.n)
	case *keygen.KGRound3Message:
		return checkPaillierProof(m.PaillierProof, peer.n)
	}
	return errNoRule
}

func (g *keygenGuard) complete(round uint32) error {
	if round == 1 {
		return g.directory.distinct()
	}
	return nil
}

func (*keygenGuard) accepted(uint32) error { return nil }

func (*keygenGuard) sent(tss.MessageContent) {}

// round1 checks commitment and auxiliary parameters.
func (g *keygenGuard) round1(from types.Operator, m *keygen.KGRound1Message) error {
	if err := firstBroken(hashRule("commitment", m.Commitment)); err != nil {
		return err
	}
	return g.directory.add(from, m)
}

// share checks a share and the proof about the sender's modulus n. Without a
// proof the library's own check depends on a setting.
func (g *keygenGuard) share(m *keygen.KGRound2Message1, n *big.Int) error {
	if err := firstBroken(scalarRule("share", m.Share)); err != nil {
		return err
	}
	return checkFac(m.FacProof, n, g.directory.own.nTilde)
}

// decommitment checks the commitments to a polynomial of degree t, and the
// proof about the sender's modulus n.
func (g *keygenGuard) decommitment(m *keygen.KGRound2Message2, n *big.Int) error {
	if err := checkPoints("DeCommitment", m.DeCommitment, g.threshold+1); err != nil {
		return err
	}
	return checkModProof(m.ModProof, n)
}

// checkPaillierProof judges roots modulo n.
func checkPaillierProof(parts [][]byte, n *big.Int) error {
	if err := checkCount("PaillierProof", parts, paillierProofParts); err != nil {
		return err
	}
	return firstBroken(unitsRule("PaillierProof", n, parts...))
}
