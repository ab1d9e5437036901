package tss_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/dlnproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/modproof"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// primesBelow finds this many primes downwards from 2^bits.
func primesBelow(bits uint, count int) []*big.Int {
	var out []*big.Int
	for x := plus(new(big.Int).Lsh(big.NewInt(1), bits), -1); len(out) < count; x.Sub(x, big.NewInt(2)) {
		if x.ProbablyPrime(10) {
			out = append(out, new(big.Int).Set(x))
		}
	}
	return out
}

// forgedModulus is a modulus with many factors, and a proof that it has
// two: with a W that all factors but one divide, fourth roots are needed
// modulo that one alone.
type forgedModulus struct {
	n     *big.Int
	proof *modproof.ProofMod
}

func forgeModulus(t *testing.T, session []byte, factors []*big.Int) forgedModulus {
	t.Helper()
	one := big.NewInt(1)
	p := preparamsOf(4).PaillierSK.P // 3 modulo 4, as safe primes are
	m := product(factors...)
	n, phi := product(p, m), plus(p, -1)
	for _, f := range factors {
		phi.Mul(phi, plus(f, -1))
	}
	root := new(big.Int).ModInverse(n, phi)
	require.NotNil(t, root)
	proof := &modproof.ProofMod{W: m, A: new(big.Int).Lsh(one, modproof.Iterations), B: new(big.Int).Lsh(one, modproof.Iterations)}
	quarter := new(big.Int).Rsh(plus(p, 1), 2)
	fourth := product(quarter, quarter)
	inverse := new(big.Int).ModInverse(m, p)
	var ys []*big.Int
	for i := range modproof.Iterations {
		y := common.RejectionSample(n, common.SHA512_256i_TAGGED(session, append([]*big.Int{m, n}, ys...)...))
		ys = append(ys, y)
		v := product(m, y)
		if big.Jacobi(v, p) != 1 {
			v.Neg(v)
			proof.A.SetBit(proof.A, i, 1)
		}
		proof.B.SetBit(proof.B, i, 1)
		// x is 0 modulo m and a fourth root of v modulo p.
		x := v.Exp(v.Mod(v, p), fourth, p)
		x.Mod(x.Mul(x, inverse), p)
		proof.X[i], proof.Z[i] = x.Mul(x, m), new(big.Int).Exp(y, root, n)
	}
	return forgedModulus{n, proof}
}

// Pull 323: the library believes that a modulus with sixteen factors of 64 bits
// has two, after which it would reveal shares under a key that anybody can
// break; in a resharing it believes the same of tiny factors.
func TestForgedModulus(t *testing.T) {
	ssid := []byte("session")
	of64 := primesBelow(64, 16)
	tiny := append(slices.Clone(of64[:15]), big.NewInt(65537), primesBelow(48, 1)[0])
	cases := []struct {
		name    string
		factors []*big.Int
		stage   stage
		typ     string // of the modulus
		want    string
	}{
		{"factors of 64 bits in a keygen", of64, keygenStage, "kg1", "ModProof W is not coprime"},
		{"factors of 64 bits in a resharing", of64, reshareStage, "dg2m1", "ModProof W is not coprime"},
		{"a factor of 17 bits in a resharing", tiny, reshareStage, "dg2m1", "PaillierN is not"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := forgeModulus(t, ssid, c.factors)
			require.Equal(t, 2048, f.n.BitLen())
			require.True(t, f.proof.Verify(ssid, f.n), "the library refuses it")
			bytes := f.proof.Bytes()
			a := attack{stage: c.stage, want: c.want, edits: []edit{
				{"dg2m1", on(func(m dg2m1) { m.PaillierN, m.ModProof = f.n.Bytes(), bytes[:] })},
			}}
			if c.typ == "kg1" {
				a.edits = []edit{
					{"kg1", on(func(m kg1) { m.PaillierN = f.n.Bytes() })},
					{"kg2m2", on(func(m kg2m2) { m.ModProof = bytes[:] })},
				}
			}
			// The proof that it has no factor at all is another one; the guard
			// stops the modulus before.
			requireGuarded(t, &a)
		})
	}
}

// Pull 289: a range proof for the ciphertext 1 without any randomness, Z = S = 1
// and S1 = S2, passes the library.
func TestRangeProofWithoutRandomness(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 2 seconds of CPU")
	}
	own := preparamsOf(0)
	n := paillierN(1)
	square := product(n, n)
	u := new(big.Int).Exp(plus(n, 1), order, square)
	w := product(own.H1i, own.H2i)
	w.Exp(w, order, own.NTildei)
	one := []byte{1}
	a := attack{stage: signStage, want: "RangeProofAlice Z is not different from 1", edits: []edit{
		{"s1m1", on(func(m s1m1) {
			m.C, m.RangeProofAlice = one, [][]byte{one, u.Bytes(), w.Bytes(), one, order.Bytes(), order.Bytes()}
		})},
	}}
	rounds, _ := a.struck(t)
	require.NoError(t, signStage.library(t, rounds[:1]), "the library refuses it")
	requireGuarded(t, &a)
}

// Pull 291: the library takes a polynomial with more coefficients than the
// threshold allows, and ignores the rest.
func TestLongPolynomial(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 4 seconds of CPU")
	}
	g := tsslib.S256().Params()
	content, err := tss.DecodeBody("kg2m2", fixtures.KeygenTranscript()[1][1].Body)
	require.NoError(t, err)
	opened := append(slices.Clone(content.(kg2m2).DeCommitment), g.Gx.Bytes(), g.Gy.Bytes())
	var secrets []*big.Int
	for _, b := range opened {
		secrets = append(secrets, new(big.Int).SetBytes(b))
	}
	a := attack{stage: keygenStage, want: "at most 41902 are allowed", edits: []edit{
		{"kg1", on(func(m kg1) { m.Commitment = common.SHA512_256i(secrets...).Bytes() })},
		{"kg2m2", on(func(m kg2m2) { m.DeCommitment = opened })},
	}}
	rounds, _ := a.struck(t)
	require.NoError(t, keygenStage.library(t, rounds[:2]), "the library refuses it")
	requireGuarded(t, &a)
}

// The proofs about h1 and h2 say nothing of the modulus: the library takes any
// of 2048 bits. Whoever knows the order of its group can open what is hidden
// under it in many ways, and whoever knows a small factor sees into it.
func TestUnstructuredNTilde(t *testing.T) {
	same := paillierN(1)
	cases := map[string]*big.Int{
		"prime": prime2048, "even": plus(prime2048, -1), "the Paillier modulus": same,
		"with a small factor": new(big.Int).SetBytes(multipleOf3(same.Bytes())),
	}
	for name, n := range cases {
		t.Run(name, func(t *testing.T) {
			h1, h2, one := big.NewInt(4), big.NewInt(64), big.NewInt(1)
			beyond := new(big.Int).Lsh(one, 1000)
			proof := dlnproof.NewDLNProof(h1, h2, big.NewInt(3), beyond, one, n, cheapRandom{})
			require.True(t, proof.Verify(h1, h2, n), "the library refuses it")
			requireGuarded(t, &attack{stage: keygenStage, want: "NTilde is not", edits: []edit{
				{"kg1", on(func(m kg1) { m.NTilde, m.H1, m.H2 = n.Bytes(), h1.Bytes(), h2.Bytes() })},
			}})
		})
	}
}

// The library takes coordinates modulo the field prime: one point has as many
// encodings as a sender likes, of any length.
func TestPointsInManyEncodings(t *testing.T) {
	c := tsslib.S256().Params()
	long := new(big.Int).Add(c.Gx, new(big.Int).Lsh(c.P, 8000))
	_, err := crypto.NewECPoint(tsslib.S256(), long, c.Gy)
	require.NoError(t, err, "the library refuses it")
	a := attack{stage: signStage, want: "ProofBobWc U is not", edits: []edit{
		{"s2", on(func(m s2) {
			x := new(big.Int).SetBytes(m.ProofBobWc[10])
			m.ProofBobWc[10] = x.Add(x, c.P).Bytes()
		})},
	}}
	requireGuarded(t, &a)
}

// Our h1 and h2 with their proofs, which are bound to nobody, pass for
// somebody else's. The library blames whoever of the two is later in its order.
func TestStolenParameters(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 2 seconds of CPU")
	}
	k := fixtures.Shares(2, 1)
	steal := func(p session.Party) []session.Inbound {
		step, err := p.Start()
		require.NoError(t, err)
		content, err := tss.DecodeBody("kg1", step.Out[0].Body)
		require.NoError(t, err)
		ours := content.(kg1)
		return replaced(t, fixtures.KeygenTranscript()[0], "kg1", func(m kg1) {
			m.NTilde, m.H1, m.H2, m.Dlnproof_1, m.Dlnproof_2 = ours.NTilde, ours.H1, ours.H2, ours.Dlnproof_1, ours.Dlnproof_2
		})
	}
	p := keygenVictim(t)
	_, err := p.Deliver(1, steal(p))
	requireBlame(t, err, k.Operators[1], "a modulus, h1 or h2 is our own")
}

// A message with the wrong broadcast flag fills its sender's place and is never
// accepted: the library waits for ever, without an error. With us the flag
// follows from the type.
func TestWrongFlagHangs(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 2 seconds of CPU")
	}
	k := fixtures.Shares(2, 1)
	rounds, err := signTranscript()
	require.NoError(t, err)
	ids := rawIDs(k, k.Operators)
	data, err := tss.ShareData(k.Shares[0])
	require.NoError(t, err)
	self, peer := idOf(ids, k.Operators[0]), idOf(ids, k.Operators[1])
	params := tsslib.NewParameters(tsslib.S256(), tsslib.NewPeerContext(ids), self, len(ids), k.Threshold)
	out := make(chan tsslib.Message, rawCapacity)
	p := signing.NewLocalParty(big.NewInt(1), params, data, out, make(chan *common.SignatureData, 1), 32)
	require.Nil(t, p.Start())
	for _, m := range rounds[0] {
		content, err := tss.DecodeBody(m.Type, m.Body)
		require.NoError(t, err)
		const cast = false // true of s1m1 alone
		_, terr := p.Update(rawMessage(peer, cast, content))
		require.Nil(t, terr)
	}
	require.Equal(t, []*tsslib.PartyID{peer}, p.WaitingFor(), "the library goes on")
	ours := signVictim(t)
	_, err = ours.Start()
	require.NoError(t, err)
	step, err := ours.Deliver(1, rounds[0])
	require.NoError(t, err)
	require.Equal(t, []string{"s2"}, []string{step.Out[0].Type})
}

// cheapRandom makes small numbers, so that a proof is quick to make and to
// verify.
type cheapRandom struct{}

func (cheapRandom) Read(p []byte) (int, error) {
	clear(p)
	p[len(p)-1] = 9
	return len(p), nil
}
