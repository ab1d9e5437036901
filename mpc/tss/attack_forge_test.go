package tss_test

import (
	"crypto/elliptic"
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/dlnproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/facproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/modproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/paillier"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

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

// forgedModulus is a modulus with many factors and a proof that it has two: with
// a W that all factors but one divide, fourth roots are needed modulo that one
// alone (pull #323).
type forgedModulus struct {
	n, p, m, phi *big.Int
	proof        *modproof.ProofMod
}

// forgeModulus makes a proof for a session and a prover's place in it.
func forgeModulus(t testing.TB, context []byte, factors []*big.Int) forgedModulus {
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
		y := common.RejectionSample(n, common.SHA512_256i_TAGGED(context, append([]*big.Int{m, n}, ys...)...))
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
	return forgedModulus{n, p, m, phi, proof}
}

// key is enough of a private key to prove that n has no common factor with phi,
// and that it has two large factors: it has, only no primes.
func (f forgedModulus) key() *paillier.PrivateKey {
	return &paillier.PrivateKey{PublicKey: paillier.PublicKey{N: f.n}, PhiN: f.phi, P: f.p, Q: f.m}
}

// fac proves the latter to a victim.
func (f forgedModulus) fac(context []byte, victim keygen.LocalPreParams) [][]byte {
	parts := facProof(context, f.key(), victim, big.NewInt(11)).Bytes()
	return parts[:]
}

// Factors of a forged modulus of 2048 bits, beside one of 1024.
func factorsOf64() []*big.Int { return primesBelow(64, 16) }

// largestSmall is the largest prime below 2^21.
var largestSmall = big.NewInt(2097143)

func aSmallFactor() []*big.Int {
	return append(primesBelow(64, 15), largestSmall, primesBelow(43, 1)[0])
}

// numbers that a message carries of NTilde: itself, h1 and h2, and that h1 and
// h2 generate each other.
type generators struct {
	nTilde, h1, h2 []byte
	proofs         [2][][]byte
}

// generatorsOf proves it for h2 = 1/h1 modulo any n, knowing nothing of n.
func generatorsOf(n, h1, h2 *big.Int) generators {
	// An exponent of -1 modulo this is as good as -1, the others being small.
	beyond := new(big.Int).Lsh(big.NewInt(1), 1000)
	prove := func(a, b *big.Int) [][]byte {
		parts, err := dlnproof.NewDLNProof(a, b, plus(beyond, -1), beyond, big.NewInt(1), n, constant(9)).Serialize()
		if err != nil {
			panic(err)
		}
		return parts
	}
	return generators{n.Bytes(), h1.Bytes(), h2.Bytes(), [2][][]byte{prove(h1, h2), prove(h2, h1)}}
}

// inverses are a prime that is coprime to n and its inverse.
func inverses(n *big.Int) generators {
	h1 := big.NewInt(65537)
	return generatorsOf(n, h1, new(big.Int).ModInverse(h1, n))
}

func (g generators) kg1() forge {
	return change(func(m kg1) {
		m.NTilde, m.H1, m.H2, m.Dlnproof_1, m.Dlnproof_2 = g.nTilde, g.h1, g.h2, g.proofs[0], g.proofs[1]
	})
}

func (g generators) dg2m1() forge {
	return change(func(m dg2m1) {
		m.NTilde, m.H1, m.H2, m.Dlnproof_1, m.Dlnproof_2 = g.nTilde, g.h1, g.h2, g.proofs[0], g.proofs[1]
	})
}

// beyond adds a multiple of the order of the squares modulo NTilde, which
// changes nothing where a square is raised to it, to make a number this long.
func beyond(x []byte, pre keygen.LocalPreParams, bits int) []byte {
	n := product(pre.P, pre.Q)
	n.Lsh(n, uint(bits-n.BitLen()))
	return n.Add(n, new(big.Int).SetBytes(x)).Bytes()
}

// Lengths in bits that are beyond every bound of this kind, but not of a message.
const (
	beyondNTilde = 2056
	beyondBlind  = 1 + 3*256 + 2048 + 8   // 2 q^3 NTilde
	beyondSigma  = 256 + 2*2048 + 8       // q N NTilde
	beyondV      = 1 + 3*256 + 2*2048 + 8 // 2 q^3 N NTilde
)

// tooMuch is longer in bits than these messages may be, and the library's bound
// is further away still: there is none.
const tooMuch = 1 << 16

// facProof is the library's NewProof for a Sigma of the prover's choice, with
// small numbers for the random ones.
func facProof(context []byte, sk *paillier.PrivateKey, pre keygen.LocalPreParams, sigma *big.Int) *facproof.ProofFac {
	m, s, t := pre.NTildei, pre.H1i, pre.H2i
	com := func(x, r *big.Int) *big.Int {
		c := product(new(big.Int).Exp(s, x, m), new(big.Int).Exp(t, r, m))
		return c.Mod(c, m)
	}
	alpha, beta, mu, nu, r, x, y := big.NewInt(3), big.NewInt(5), big.NewInt(7), big.NewInt(9), product(order, order, m, m), big.NewInt(15), big.NewInt(17)
	pf := &facproof.ProofFac{P: com(sk.P, mu), Q: com(sk.Q, nu), A: com(alpha, x), B: com(beta, y), Sigma: sigma}
	pf.T = product(new(big.Int).Exp(pf.Q, alpha, m), new(big.Int).Exp(t, r, m))
	pf.T.Mod(pf.T, m)
	e := common.RejectionSample(order, common.SHA512_256i_TAGGED(context, sk.N, m, s, t, pf.P, pf.Q, pf.A, pf.B, pf.T, sigma))
	plusE := func(x, blind *big.Int) *big.Int { return new(big.Int).Add(product(e, x), blind) }
	pf.Z1, pf.Z2, pf.W1, pf.W2 = plusE(sk.P, alpha), plusE(sk.Q, beta), plusE(mu, x), plusE(nu, y)
	pf.V = plusE(new(big.Int).Sub(sigma, product(nu, sk.P)), r)
	return pf
}

// contextOf is what binds a proof to its prover's place.
func contextOf(ssid []byte, place int) []byte {
	return slices.Concat(ssid, big.NewInt(int64(place)).Bytes())
}

// keygenSSID is the library's session id of the cheap key's keygen.
func keygenSSID() []byte {
	k, c := cheapKey(), tsslib.S256().Params()
	const round, nonce = 1, 0
	list := slices.Concat([]*big.Int{c.P, c.N, c.Gx, c.Gy}, rawIDs(k, k.Operators).Keys(), []*big.Int{big.NewInt(round), big.NewInt(nonce)})
	return common.SHA512_256i(list...).Bytes()
}

// signSSID is the library's session id of the key's signing sessions.
func signSSID(t testing.TB, data keygen.LocalPartySaveData) []byte {
	t.Helper()
	points, err := crypto.FlattenECPoints(data.BigXj)
	require.NoError(t, err)
	c := tsslib.S256().Params()
	const round, nonce = 1, 0
	list := slices.Concat([]*big.Int{c.P, c.N, c.B, c.Gx, c.Gy}, data.Ks, points, data.NTildej, data.H1j, data.H2j,
		[]*big.Int{big.NewInt(round), big.NewInt(nonce)})
	return common.SHA512_256i(list...).Bytes()
}

// manyEncodings is the curve with points of which x is beyond the field prime.
// The library takes coordinates modulo the prime: a point has as many encodings
// as a sender likes.
type manyEncodings struct{ elliptic.Curve }

func (c manyEncodings) ScalarBaseMult(k []byte) (*big.Int, *big.Int) {
	x, y := c.Curve.ScalarBaseMult(k)
	return x.Add(x, c.Params().P), y
}

// plusPrime is another encoding of a coordinate.
func plusPrime(x []byte) []byte {
	n := new(big.Int).SetBytes(x)
	return n.Add(n, tsslib.S256().Params().P).Bytes()
}

// commitmentTo is the hash that a decommitment opens.
func commitmentTo(parts [][]byte) []byte {
	var secrets []*big.Int
	for _, b := range parts {
		secrets = append(secrets, new(big.Int).SetBytes(b))
	}
	return common.SHA512_256i(secrets...).Bytes()
}

func bytesOf(numbers []*big.Int) [][]byte {
	out := make([][]byte, len(numbers))
	for i, x := range numbers {
		out[i] = x.Bytes()
	}
	return out
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

// cheapRandom makes small numbers, so that a proof is quick to make and to
// verify.
type cheapRandom struct{}

func (cheapRandom) Read(p []byte) (int, error) { return constant(9).Read(p) }
