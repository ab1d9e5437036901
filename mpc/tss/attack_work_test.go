package tss_test

import (
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	"github.com/bnb-chain/tss-lib/v2/crypto/dlnproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/facproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/mta"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
)

// excess is how many bits longer the numbers of these attacks are than they
// need be. Nothing in the library depends on its being this small: a message of
// a megabyte works likewise, and raising to a number of a megabyte takes
// seconds.
const excess = 8000

// stretched adds a multiple of the order of the squares modulo NTilde, which
// changes nothing where a square is raised to it.
func stretched(x *big.Int, pre keygen.LocalPreParams) *big.Int {
	return new(big.Int).Add(x, new(big.Int).Lsh(product(pre.P, pre.Q), excess))
}

// What the library puts no upper bound on: it accepts each of these, having
// done the work. The guard refuses them before.
func TestUnboundedWork(t *testing.T) {
	one := func(typ string, apply func(tsslib.MessageContent)) []edit { return []edit{{typ, apply}} }
	cases := []struct {
		name    string
		accepts func(*testing.T) ([]byte, bool) // the number, and whether the library takes it
		stage   stage
		edits   func(number []byte) []edit
	}{
		{"DLN T", longT, keygenStage, func(b []byte) []edit {
			return one("kg1", on(func(m kg1) { m.Dlnproof_1[130] = b }))
		}},
		{"Fac Sigma", longFac(5), keygenStage, facPart(5)},
		{"Fac W1", longFac(8), keygenStage, facPart(8)},
		{"Fac W2", longFac(9), keygenStage, facPart(9)},
		{"Fac V", longFac(10), keygenStage, facPart(10)},
		{"Fac V in a resharing", longFac(10), reshareStage, func(b []byte) []edit {
			return one("dg4m1", on(func(m dg4m1) { m.FacProof[10] = b }))
		}},
		{"Range S2", longRangeS2, signStage, func(b []byte) []edit {
			return one("s1m1", on(func(m s1m1) { m.RangeProofAlice[5] = b }))
		}},
		{"Bob S2", longBob(7), signStage, func(b []byte) []edit {
			return one("s2", on(func(m s2) { m.ProofBob[7] = b }))
		}},
		{"Bob T2", longBob(9), signStage, func(b []byte) []edit {
			return one("s2", on(func(m s2) { m.ProofBobWc[9] = b }))
		}},
		{"NTilde of a resharing", longNTilde, reshareStage, func(b []byte) []edit {
			return one("dg2m1", on(func(m dg2m1) { m.NTilde = b }))
		}},
		{"PaillierN of a resharing", longPaillierN, reshareStage, func(b []byte) []edit {
			return one("dg2m1", on(func(m dg2m1) { m.PaillierN = b }))
		}},
		{"decommitment", longDecommitment, reshareStage, func(b []byte) []edit {
			return one("dg3m2", on(func(m dg3m2) {
				for range 1000 {
					m.VDecommitment = append(m.VDecommitment, b)
				}
			}))
		}},
		{"Ssid", longSSID, reshareStage, func(b []byte) []edit {
			return one("dg1", on(func(m dg1) { m.Ssid = b }))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			number, ok := c.accepts(t)
			require.True(t, ok, "the library refuses it")
			requireGuarded(t, &attack{stage: c.stage, edits: c.edits(number), want: "are allowed"})
		})
	}
}

func longT(*testing.T) ([]byte, bool) {
	pre := preparamsOf(1)
	x := big.NewInt(3)
	h2 := new(big.Int).Exp(pre.H1i, x, pre.NTildei)
	proof := dlnproof.NewDLNProof(pre.H1i, h2, x, pre.P, pre.Q, pre.NTildei, cheapRandom{})
	proof.T[0] = stretched(proof.T[0], pre)
	return proof.T[0].Bytes(), proof.Verify(pre.H1i, h2, pre.NTildei)
}

func facPart(part int) func([]byte) []edit {
	return func(b []byte) []edit {
		return []edit{{"kg2m1", on(func(m kg2m1) { m.FacProof[part] = b })}}
	}
}

// longFac is a proof about the modulus of set 1 for the NTilde of set 0 with
// one number longer than it should be. Only Sigma is part of the challenge.
func longFac(part int) func(*testing.T) ([]byte, bool) {
	return func(*testing.T) ([]byte, bool) {
		sk, pre := preparamsOf(1).PaillierSK, preparamsOf(0)
		sigma := big.NewInt(11)
		if part == 5 {
			sigma.Lsh(sigma, 2048+excess)
		}
		proof := facProof(sk.N, sk.P, sk.Q, pre, sigma)
		number := map[int]**big.Int{5: &proof.Sigma, 8: &proof.W1, 9: &proof.W2, 10: &proof.V}[part]
		if part != 5 {
			*number = stretched(*number, pre)
		}
		return (*number).Bytes(), proof.Verify([]byte("session"), tsslib.S256(), sk.N, pre.NTildei, pre.H1i, pre.H2i)
	}
}

// facProof is the library's NewProof for a Sigma of the prover's choice, with
// small numbers for the random ones.
func facProof(n0, p, q *big.Int, pre keygen.LocalPreParams, sigma *big.Int) *facproof.ProofFac {
	m, s, t := pre.NTildei, pre.H1i, pre.H2i
	com := func(x, r *big.Int) *big.Int {
		c := product(new(big.Int).Exp(s, x, m), new(big.Int).Exp(t, r, m))
		return c.Mod(c, m)
	}
	alpha, beta, mu, nu, r, x, y := big.NewInt(3), big.NewInt(5), big.NewInt(7), big.NewInt(9), product(order, order, m, m), big.NewInt(15), big.NewInt(17)
	pf := &facproof.ProofFac{P: com(p, mu), Q: com(q, nu), A: com(alpha, x), B: com(beta, y), Sigma: sigma}
	pf.T = product(new(big.Int).Exp(pf.Q, alpha, m), new(big.Int).Exp(t, r, m))
	pf.T.Mod(pf.T, m)
	e := common.RejectionSample(order, common.SHA512_256i_TAGGED([]byte("session"), n0, m, s, t, pf.P, pf.Q, pf.A, pf.B, pf.T, sigma))
	plusE := func(x, blind *big.Int) *big.Int { return new(big.Int).Add(product(e, x), blind) }
	pf.Z1, pf.Z2, pf.W1, pf.W2 = plusE(p, alpha), plusE(q, beta), plusE(mu, x), plusE(nu, y)
	pf.V = plusE(new(big.Int).Sub(sigma, product(nu, p)), r)
	return pf
}

func longRangeS2(t *testing.T) ([]byte, bool) {
	pk, pre := &preparamsOf(1).PaillierSK.PublicKey, preparamsOf(0)
	k := big.NewInt(5)
	c, r, err := pk.EncryptAndReturnRandomness(rand.Reader, k)
	require.NoError(t, err)
	proof, err := mta.ProveRangeAlice(tsslib.S256(), pk, c, pre.NTildei, pre.H1i, pre.H2i, k, r, rand.Reader)
	require.NoError(t, err)
	proof.S2 = stretched(proof.S2, pre)
	return proof.S2.Bytes(), proof.Verify(tsslib.S256(), pk, pre.NTildei, pre.H1i, pre.H2i, c)
}

func longBob(part int) func(*testing.T) ([]byte, bool) {
	return func(t *testing.T) ([]byte, bool) {
		pre := preparamsOf(0)
		pk := &pre.PaillierSK.PublicKey
		b, beta := big.NewInt(5), big.NewInt(7)
		c1, err := pk.Encrypt(rand.Reader, big.NewInt(3))
		require.NoError(t, err)
		hidden, r, err := pk.EncryptAndReturnRandomness(rand.Reader, beta)
		require.NoError(t, err)
		c2, err := pk.HomoMult(b, c1)
		require.NoError(t, err)
		c2, err = pk.HomoAdd(c2, hidden)
		require.NoError(t, err)
		ssid := []byte("session")
		proof, err := mta.ProveBob(ssid, tsslib.S256(), pk, pre.NTildei, pre.H1i, pre.H2i, c1, c2, b, beta, r, rand.Reader)
		require.NoError(t, err)
		number := map[int]**big.Int{7: &proof.S2, 9: &proof.T2}[part]
		*number = stretched(*number, pre)
		return (*number).Bytes(), proof.Verify(ssid, tsslib.S256(), pk, pre.NTildei, pre.H1i, pre.H2i, c1, c2)
	}
}

// longNTilde has no structure at all; its bases and exponents are small.
func longNTilde(*testing.T) ([]byte, bool) {
	n := plus(new(big.Int).Lsh(big.NewInt(1), 2048+excess), 1)
	h1, h2, one := big.NewInt(4), big.NewInt(64), big.NewInt(1)
	beyond := new(big.Int).Lsh(one, 1000)
	proof := dlnproof.NewDLNProof(h1, h2, big.NewInt(3), beyond, one, n, cheapRandom{})
	return n.Bytes(), proof.Verify(h1, h2, n)
}

// longPaillierN is not longer than it needs to be to show that there is no
// bound: each of 80 roots costs the cube of its length.
func longPaillierN(t *testing.T) ([]byte, bool) {
	f := forgeModulus(t, []byte("session"), primesBelow(64, 24))
	return f.n.Bytes(), f.n.BitLen() > 2500 && f.proof.Verify([]byte("session"), f.n)
}

func longDecommitment(*testing.T) ([]byte, bool) {
	c := tsslib.S256().Params()
	var flat []*big.Int
	for range 5000 {
		flat = append(flat, c.Gx, c.Gy)
	}
	made := commitments.NewHashCommitmentWithRandomness(big.NewInt(7), flat...)
	ok, opened := (&commitments.HashCommitDecommit{C: made.C, D: made.D}).DeCommit()
	points, err := crypto.UnFlattenECPoints(tsslib.S256(), opened)
	return c.Gx.Bytes(), ok && err == nil && len(points) == 5000
}

// longSSID is kept by a new member, which compares it with others as long.
func longSSID(t *testing.T) ([]byte, bool) {
	c := reshareCommittees()
	victim := c.newMember(t, 1)
	require.Nil(t, victim.Start())
	long := make([]byte, 1<<20)
	m := edited(t, reshareTranscript(t)[0][0], func(m dg1) { m.Ssid = long })
	content, err := tss.DecodeAny(m.Type, m.Body)
	require.NoError(t, err)
	ok, terr := victim.Update(rawMessage(idOf(c.oldIDs(), m.From), true, content))
	return long, terr == nil && ok
}
