package tss_test

import (
	"crypto/rand"
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	"github.com/bnb-chain/tss-lib/v2/crypto/dlnproof"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/resharing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

type (
	dg1   = *resharing.DGRound1Message
	dg2m1 = *resharing.DGRound2Message1
	dg3m1 = *resharing.DGRound3Message1
	dg3m2 = *resharing.DGRound3Message2
	dg4m1 = *resharing.DGRound4Message1
)

// deadlyAttacks end the process.
func deadlyAttacks() []attack {
	negative := append([]byte{0x80}, make([]byte, 7)...)
	const bounds = "slice bounds out of range"
	const parse = "commitments.ParseSecrets"
	return []attack{
		{"kg1: DLN proof with a list of negative length", keygenStage, []edit{
			{"kg1", on(func(m kg1) { m.Dlnproof_1[0] = negative })},
		}, bounds, parse, "Dlnproof_1 is not"},
		{"kg1: DLN proof with a second list of negative length", keygenStage, []edit{
			{"kg1", on(func(m kg1) { m.Dlnproof_2[129] = negative })},
		}, bounds, parse, "Dlnproof_2 is not"},
		{"kg1: even Paillier modulus", keygenStage, []edit{
			{"kg1", on(func(m kg1) { m.PaillierN = even(m.PaillierN) })},
		}, "invalid 2nd argument to Int.Jacobi", "modproof.(*ProofMod).Verify", "PaillierN is not"},
		{"kg2m2: polynomial too short", keygenStage, []edit{
			{"kg1", on(func(m kg1) { m.Commitment = shortPolynomial().C.Bytes() })},
			{"kg2m2", on(func(m kg2m2) { m.DeCommitment = bytesOf(shortPolynomial().D) })},
		}, "index out of range", "vss.(*Share).Verify", "DeCommitment has 3 parts, not 5"},
		{"kg2m1: share is zero", keygenStage, []edit{
			{"kg2m1", on(func(m kg2m1) { m.Share = []byte{0} })},
		}, "scalar mult to an ecpoint", "vss.(*Share).Verify", "share is not"},
		{"kg2m1: share is q", keygenStage, []edit{
			{"kg2m1", on(func(m kg2m1) { m.Share = order.Bytes() })},
		}, "scalar mult to an ecpoint", "vss.(*Share).Verify", "share is not"},
		{"s1m1: C has no inverse", signStage, []edit{
			{"s1m1", on(func(m s1m1) { m.C = paillierN(1).Bytes() })},
		}, "nil pointer dereference", "mta.(*RangeProofAlice).Verify", "C is not"},
		{"s2: S1 is zero modulo q", signStage, []edit{
			{"s2", on(func(m s2) { m.ProofBobWc[6] = new(big.Int).Lsh(order, 1).Bytes() })},
		}, "scalar mult to an ecpoint", "mta.(*ProofBobWC).Verify", "ProofBobWc S1 is not"},
		{"dg2m1: even Paillier modulus", reshareStage, []edit{
			{"dg2m1", on(func(m dg2m1) { m.PaillierN = even(m.PaillierN) })},
		}, "invalid 2nd argument to Int.Jacobi", "modproof.(*ProofMod).Verify", "PaillierN is not"},
		{"dg2m1: Paillier modulus is zero", reshareStage, []edit{
			{"dg2m1", on(func(m dg2m1) { m.PaillierN = []byte{0} })},
		}, "invalid 2nd argument to Int.Jacobi", "modproof.(*ProofMod).Verify", "PaillierN is not"},
		{"dg2m1: DLN proof with a list of negative length", reshareStage, []edit{
			{"dg2m1", on(func(m dg2m1) { m.Dlnproof_1[0] = negative })},
		}, bounds, parse, "Dlnproof_1 is not"},
	}
}

// panicAttacks panic where they can be recovered from.
func panicAttacks() []attack {
	return []attack{
		{"dg3m1: share is zero", reshareStage, []edit{
			{"dg3m1", on(func(m dg3m1) { m.Share = []byte{0} })},
		}, "scalar mult to an ecpoint", "", "share is not"},
		{"dg2m1: NTilde too long", reshareStage, []edit{
			{"dg2m1", on(hugeNTilde)},
		}, "MustGetRandomInt", "", "at most 175387 are allowed"},
	}
}

// preparamsOf decodes a stored set of pre-parameters.
func preparamsOf(set int) keygen.LocalPreParams {
	data, err := tss.PreparamsData(fixtures.Preparams(set))
	if err != nil {
		panic(err)
	}
	return data
}

// paillierN is the Paillier modulus of a set of pre-parameters.
func paillierN(set int) *big.Int { return preparamsOf(set).PaillierSK.N }

// shortPolynomial commits to a polynomial of degree 0.
func shortPolynomial() *commitments.HashCommitDecommit {
	g := tsslib.S256().Params()
	return commitments.NewHashCommitmentWithRandomness(big.NewInt(7), g.Gx, g.Gy)
}

func bytesOf(numbers []*big.Int) [][]byte {
	out := make([][]byte, len(numbers))
	for i, x := range numbers {
		out[i] = x.Bytes()
	}
	return out
}

// hugeNTilde puts a modulus of 2208 bits into a message, with valid proofs: a
// stored one times a prime.
func hugeNTilde(m dg2m1) {
	pre := preparamsOf(5)
	r, err := rand.Prime(rand.Reader, 160)
	if err != nil {
		panic(err)
	}
	n := new(big.Int).Mul(pre.NTildei, r)
	// The order of a square divides pq (r-1).
	pq, rm := new(big.Int).Mul(pre.P, pre.Q), new(big.Int).Sub(r, big.NewInt(1))
	group := new(big.Int).Mul(pq, rm)
	x := big.NewInt(5)
	for new(big.Int).GCD(nil, nil, x, group).Cmp(big.NewInt(1)) != 0 {
		x.Add(x, big.NewInt(2))
	}
	h1 := big.NewInt(4)
	h2 := new(big.Int).Exp(h1, x, n)
	inverse := new(big.Int).ModInverse(x, group)
	m.NTilde, m.H1, m.H2 = n.Bytes(), h1.Bytes(), h2.Bytes()
	proof1 := dlnproof.NewDLNProof(h1, h2, x, pq, rm, n, rand.Reader)
	proof2 := dlnproof.NewDLNProof(h2, h1, inverse, pq, rm, n, rand.Reader)
	if m.Dlnproof_1, err = proof1.Serialize(); err != nil {
		panic(err)
	}
	if m.Dlnproof_2, err = proof2.Serialize(); err != nil {
		panic(err)
	}
}
