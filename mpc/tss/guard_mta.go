package tss

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// mtaGuard judges how two signers multiply their secrets into sums: one
// encrypts a nonce under its own Paillier key (s1m1), the other answers with a
// ciphertext of k b + beta (s2).
type mtaGuard struct {
	// peers and own are Paillier moduli.
	peers map[types.Operator]modulus
	own   modulus
	// nTilde is our auxiliary modulus, blind is 2 q^3 NTilde.
	nTilde, blind *big.Int
	decrypter     *decrypter
	// answers are the peers' ciphertexts under our key.
	answers map[types.Operator][2]*big.Int
}

// modulus is a Paillier modulus with its square.
type modulus struct{ n, square *big.Int }

// newMtAGuard takes the save data of the signers, in their order.
func newMtAGuard(r *roster, data *keygen.LocalPartySaveData) *mtaGuard {
	g := &mtaGuard{
		peers:  make(map[types.Operator]modulus),
		nTilde: data.NTildei, blind: blindBound(data.NTildei),
		decrypter: newDecrypter(data.PaillierSK),
		answers:   make(map[types.Operator][2]*big.Int),
	}
	for _, op := range r.operators {
		n := data.PaillierPKs[r.index(op)].N
		g.peers[op] = modulus{n, new(big.Int).Mul(n, n)}
	}
	g.own = g.peers[r.self]
	return g
}

// nonce judges a peer's encrypted nonce k and its range proof: Z U W S S1 S2.
// The library inverts C modulo N^2 without asking whether that is possible.
// Honest numbers, with a challenge e < q:
//
//	S1 = e k + alpha       alpha < q^3; the library refuses what exceeds q^3
//	S2 = e rho + gamma     rho < q Ñ, gamma < q^3 Ñ: below (q^2+q^3) Ñ
//
// and below q with probability 2^-512. S, Z = 1 and S1 = S2 (pull #289) are
// what a proof without any randomness has.
func (g *mtaGuard) nonce(from types.Operator, m *signing.SignRound1Message1) error {
	p, key := m.RangeProofAlice, g.peers[from]
	if err := checkCount("RangeProofAlice", p, rangeParts); err != nil {
		return err
	}
	z, u, w, s, s1, s2 := p[0], p[1], p[2], p[3], p[4], p[5]
	return firstBroken(
		coprimeRule("C", key.n, key.square, m.C),
		coprimeRule("RangeProofAlice U", key.n, key.square, u),
		unitsRule("RangeProofAlice S", key.n, s),
		unitsRule("RangeProofAlice Z or W", g.nTilde, z, w),
		rule{"RangeProofAlice Z", number(z).Cmp(one) != 0, "different from 1"},
		rule{"RangeProofAlice S", number(s).Cmp(one) != 0, "different from 1"},
		fromToRule("RangeProofAlice S1", s1, power(1), power(3), "from q to q^3"),
		rule{"RangeProofAlice S1", number(s1).Cmp(number(s2)) != 0, "different from S2"},
		g.blindRule("RangeProofAlice S2", s2),
	)
}

// answer judges a peer's ciphertexts and their proofs. What they hide is judged
// by plaintexts, later.
func (g *mtaGuard) answer(from types.Operator, m *signing.SignRound2Message) error {
	if err := checkCount("ProofBob", m.ProofBob, bobParts); err != nil {
		return err
	}
	if err := checkCount("ProofBobWc", m.ProofBobWc, bobWCParts); err != nil {
		return err
	}
	if err := firstBroken(coprimeRule("C1 or C2", g.own.n, g.own.square, m.C1, m.C2)); err != nil {
		return err
	}
	if err := g.bob("ProofBob", m.ProofBob); err != nil {
		return err
	}
	if err := g.bob("ProofBobWc", m.ProofBobWc); err != nil {
		return err
	}
	if err := firstBroken(pointRule("ProofBobWc U", m.ProofBobWc[bobParts], m.ProofBobWc[bobParts+1])); err != nil {
		return err
	}
	g.answers[from] = [2]*big.Int{number(m.C1), number(m.C2)}
	return nil
}

// bob judges the numbers of a proof: Z ZPrm T V W S S1 S2 T1 T2. The library
// multiplies a point with S1. Honest numbers, with a challenge e < q:
//
//	S1     = e x + alpha      x < q, alpha < q^3; the library refuses what exceeds q^3
//	T1     = e y + gamma      y < q^5, gamma < q^7; the library refuses what exceeds q^7
//	S2, T2 = e rho + rho'     rho < q Ñ, rho' < q^3 Ñ: below (q^2+q^3) Ñ
//
// and below q, or S1 zero modulo q, with probability about 1/q.
func (g *mtaGuard) bob(field string, p [][]byte) error {
	z, zPrm, t, v, w, s, s1, s2, t1, t2 := p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9]
	return firstBroken(
		unitsRule(field+" Z, Z', T or W", g.nTilde, z, zPrm, t, w),
		coprimeRule(field+" V", g.own.n, g.own.square, v),
		unitsRule(field+" S", g.own.n, s),
		fromToRule(field+" S1", s1, power(1), power(3), "from q to q^3"),
		rule{field + " S1", !isZeroModQ(s1), "different from 0 modulo q"},
		fromToRule(field+" T1", t1, power(1), power(7), "from q to q^7"),
		g.blindRule(field+" S2", s2),
		g.blindRule(field+" T2", t2),
	)
}

// blindRule wants q <= x < 2 q^3 NTilde.
func (g *mtaGuard) blindRule(field string, b []byte) rule {
	x := number(b)
	return rule{field, x.Cmp(power(1)) >= 0 && x.Cmp(g.blind) < 0, "from q to 2 q^3 NTilde"}
}

func isZeroModQ(b []byte) bool {
	return new(big.Int).Mod(number(b), groupOrder()).Sign() == 0
}

// plaintexts wants every answer to hide less than q^6: an honest one is
// k b + beta < q^2 + q^5. The proofs let a negative beta pass. Then the answer
// is right exactly if k b is not below |beta|, and from whether a signature
// comes a peer learns a bit of the nonce, or of our part of the key.
//
// It is called after the library has verified the proofs. Before, a peer could
// let us say of any ciphertext, one that hides the nonce of an older signature
// for instance, whether its plaintext is small.
func (g *mtaGuard) plaintexts() error {
	var culprits []types.Operator
	for _, op := range slices.Sorted(maps.Keys(g.answers)) {
		if !g.small(g.answers[op][0]) || !g.small(g.answers[op][1]) {
			culprits = append(culprits, op)
		}
	}
	if culprits != nil {
		return blame(fmt.Errorf("%s: C1 or C2 hides a number that is not below q^6", typeS2), culprits...)
	}
	return nil
}

// small reports whether a ciphertext under our key hides less than q^6.
func (g *mtaGuard) small(c *big.Int) bool {
	m := g.decrypter.decrypt(c)
	defer wipeInt(m)
	return m.Cmp(power(6)) < 0
}
