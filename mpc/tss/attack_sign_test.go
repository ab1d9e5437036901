package tss_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	"github.com/bnb-chain/tss-lib/v2/crypto/mta"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

type (
	s1m1 = *signing.SignRound1Message1
	s1m2 = *signing.SignRound1Message2
	s2   = *signing.SignRound2Message
	s3   = *signing.SignRound3Message
	s4   = *signing.SignRound4Message
	s5   = *signing.SignRound5Message
	s6   = *signing.SignRound6Message
	s7   = *signing.SignRound7Message
	s8   = *signing.SignRound8Message
	s9   = *signing.SignRound9Message
)

// signAttacks are made on the first participant of the key of two.
func signAttacks() []attack {
	return signStage.on(slices.Concat(nonceAttacks(), answerAttacks(), unitAttacks(), plaintextAttacks(), openingAttacks(), lastAttacks()))
}

// How many rounds the library receives where the forger goes on otherwise.
const roundOne, roundTwo, roundFour = 1, 2, 4

func nonceAttacks() []attack {
	const c, blind = "s1m1 C: a unit modulo N^2", "s1m1 RangeProofAlice: S != 1, Z != 1, S1 != S2"
	const s1, s2 = "s1m1 S1: q to q^3", "s1m1 S2: q to 2 q^3 Ñ"
	const inverse = "nil pointer dereference; mta.(*RangeProofAlice).Verify"
	to := func(b func() []byte) forge { return change(func(m s1m1) { m.C = b() }) }
	proof := func(part int, x *big.Int) forge {
		return change(func(m s1m1) { m.RangeProofAlice[part] = x.Bytes() })
	}
	long := func(bits int) forge {
		return change(func(m s1m1) { m.RangeProofAlice[5] = beyond(m.RangeProofAlice[5], preparamsOf(0), bits) })
	}
	x := func(n int64) *big.Int { return big.NewInt(n) }
	twice := new(big.Int).Lsh(order, 1)
	return []attack{
		{rule: c, name: "0", forge: to(func() []byte { return []byte{0} }), alone: dies, text: inverse, want: "C is not"},
		{rule: c, name: "N", forge: to(func() []byte { return paillierN(1).Bytes() }), alone: dies, text: inverse, want: "C is not"},
		{rule: c, name: "above N^2", forge: to(func() []byte { return bytes.Repeat([]byte{0xff}, 512) }), alone: refuses, want: "C is not"},
		{rule: blind, name: "Z is 1", forge: nonce{m: x(0), r: x(7), rho: x(0), alpha: order, beta: x(9), gamma: twice}.forge,
			alone: accepts, want: "RangeProofAlice Z", through: roundOne},
		{rule: blind, name: "S is 1", forge: nonce{m: x(5), r: x(1), rho: x(6), alpha: order, beta: x(1), gamma: twice}.forge,
			alone: accepts, want: "RangeProofAlice S ", through: roundOne},
		{rule: blind, name: "S1 is S2", forge: nonce{m: x(5), r: x(7), rho: x(5), alpha: order, beta: x(9), gamma: order}.forge,
			alone: accepts, want: "RangeProofAlice S1", through: roundOne},
		{rule: blind, name: "no randomness at all", forge: nonce{m: x(0), r: x(1), rho: x(0), alpha: order, beta: x(1), gamma: order}.forge,
			alone: accepts, want: "RangeProofAlice Z", through: roundOne},
		{rule: blind, name: "5 parts", forge: change(func(m s1m1) { m.RangeProofAlice = m.RangeProofAlice[:5] }), alone: refuses, want: "lacks a field"},
		{rule: s1, name: "below q", forge: proof(4, plus(order, -1)), alone: refuses, want: "RangeProofAlice S1 is not"},
		{rule: s1, name: "above q^3", forge: proof(4, plus(qTo(3), 1)), alone: refuses, want: "RangeProofAlice S1 is not"},
		{rule: s2, name: "below q", forge: proof(5, plus(order, -1)), alone: refuses, want: "RangeProofAlice S2 is not"},
		{rule: s2, name: "beyond 2 q^3 NTilde", forge: long(beyondBlind), alone: works, want: "RangeProofAlice S2 is not"},
		{rule: "all body: at most the longest honest encoding", name: "a long S2", forge: long(tooMuch), alone: works, want: "are allowed"},
		{rule: "s1m2 commitment: at most 32 bytes", name: "33 bytes", forge: change(func(m s1m2) { m.Commitment = make([]byte, 33) }),
			alone: refuses, text: "commitment verify failed", want: "commitment is not"},
	}
}

// nonce is a range proof with random numbers of the peer's choice.
type nonce struct{ m, r, rho, alpha, beta, gamma *big.Int }

// forge is the library's ProveRangeAlice.
func (f nonce) forge(t testing.TB) []edit {
	data, err := tss.ShareData(fixtures.Shares(2, 1).Shares[0])
	require.NoError(t, err)
	aux, n := data.NTildei, paillierN(1)
	require.Zero(t, n.Cmp(data.PaillierPKs[signVictimAndPeer(t).peer].N))
	square := product(n, n)
	mod := func(m *big.Int, a, x, b, y *big.Int) *big.Int {
		z := product(new(big.Int).Exp(a, x, m), new(big.Int).Exp(b, y, m))
		return z.Mod(z, m)
	}
	g := plus(n, 1)
	c := mod(square, g, f.m, f.r, n)
	z, w := mod(aux, data.H1i, f.m, data.H2i, f.rho), mod(aux, data.H1i, f.alpha, data.H2i, f.gamma)
	u := mod(square, g, f.alpha, f.beta, n)
	e := common.RejectionSample(order, common.SHA512_256i(n, g, c, z, u, w))
	s := mod(n, f.r, e, f.beta, big.NewInt(1))
	s1, s2 := new(big.Int).Add(product(e, f.m), f.alpha), new(big.Int).Add(product(e, f.rho), f.gamma)
	return change(func(m s1m1) {
		m.C, m.RangeProofAlice = c.Bytes(), bytesOf([]*big.Int{z, u, w, s, s1, s2})
	})(t)
}

// places are where the library has the victim and its peer.
type signPlaces struct{ victim, peer int }

func signVictimAndPeer(t testing.TB) signPlaces {
	t.Helper()
	k := fixtures.Shares(2, 1)
	ids := rawIDs(k, k.Operators)
	return signPlaces{idOf(ids, k.Operators[0]).Index, idOf(ids, k.Operators[1]).Index}
}

func answerAttacks() []attack {
	const c, s1, both, s2r = "s2 C1, C2, V: units modulo our N^2", "s2 S1 of ProofBobWc: not 0 modulo q", "s2 S1, T1: q to q^3, q to q^7", "s2 S2, T2: q to 2 q^3 Ñ"
	const encoding = "s2 U: coordinates below the field prime"
	own := func() *big.Int { return paillierN(0) }
	bob := func(part int, x *big.Int) forge {
		return change(func(m s2) { m.ProofBob[part] = atLeastOne(x.Bytes()) })
	}
	check := func(part int, x *big.Int) forge {
		return change(func(m s2) { m.ProofBobWc[part] = atLeastOne(x.Bytes()) })
	}
	longBob := func(part, bits int) forge {
		return change(func(m s2) { m.ProofBob[part] = beyond(m.ProofBob[part], preparamsOf(0), bits) })
	}
	longCheck := func(part, bits int) forge {
		return change(func(m s2) { m.ProofBobWc[part] = beyond(m.ProofBobWc[part], preparamsOf(0), bits) })
	}
	return []attack{
		{rule: c, name: "C1 is N", forge: change(func(m s2) { m.C1 = own().Bytes() }), alone: refuses, want: "C1 or C2"},
		{rule: c, name: "C2 is N^2", forge: change(func(m s2) { m.C2 = product(own(), own()).Bytes() }), alone: refuses, want: "C1 or C2"},
		{rule: s1, name: "0", forge: check(6, new(big.Int)), alone: refuses, want: "ProofBobWc S1"},
		{rule: s1, name: "2q", forge: check(6, new(big.Int).Lsh(order, 1)), alone: dies,
			text: "scalar mult to an ecpoint; mta.(*ProofBobWC).Verify", want: "ProofBobWc S1"},
		{rule: s1, name: "q, without a point", forge: bob(6, order), alone: refuses, want: "ProofBob S1"},
		{rule: both, name: "S1 above q^3", forge: bob(6, plus(qTo(3), 1)), alone: refuses, want: "ProofBob S1 is not"},
		{rule: both, name: "T1 above q^7", forge: bob(8, plus(qTo(7), 1)), alone: refuses, want: "ProofBob T1 is not"},
		{rule: both, name: "T1 below q", forge: check(8, plus(order, -1)), alone: refuses, want: "ProofBobWc T1 is not"},
		{rule: s2r, name: "S2 below q", forge: bob(7, plus(order, -1)), alone: refuses, want: "ProofBob S2 is not"},
		{rule: s2r, name: "S2 of ProofBob", forge: longBob(7, beyondBlind), alone: works, want: "ProofBob S2 is not", through: roundTwo},
		{rule: s2r, name: "T2 of ProofBob", forge: longBob(9, beyondBlind), alone: works, want: "ProofBob T2 is not", through: roundTwo},
		{rule: s2r, name: "S2 of ProofBobWc", forge: longCheck(7, beyondBlind), alone: works, want: "ProofBobWc S2 is not", through: roundTwo},
		{rule: s2r, name: "T2 of ProofBobWc", forge: longCheck(9, beyondBlind), alone: works, want: "ProofBobWc T2 is not", through: roundTwo},
		{rule: "all body: at most the longest honest encoding", name: "a long T2", forge: longBob(9, tooMuch), alone: works, want: "are allowed", through: roundTwo},
		{rule: encoding, name: "off the curve", forge: check(11, big.NewInt(1)), alone: refuses, want: "ProofBobWc U"},
		{rule: encoding, name: "a point where none belongs", forge: change(func(m s2) {
			m.ProofBob = append(m.ProofBob[:8], []byte{1}, []byte{1}, []byte{1}, []byte{1})
		}), alone: refuses, want: "lacks a field"},
		{rule: encoding, name: "x plus the prime", forge: answer{curve: manyEncodings{tsslib.S256()}, withCheck: true, hides: qTo(5)}.forge,
			alone: accepts, want: "ProofBobWc U is not", through: roundTwo},
	}
}

// unitAttacks: what should be a unit is zero, the modulus, too large, or shares a
// factor with the modulus.
func unitAttacks() []attack {
	type bad struct {
		name   string
		number func() *big.Int
	}
	zero := bad{"0", func() *big.Int { return new(big.Int) }}
	aux := []bad{zero, {"NTilde", func() *big.Int { return preparamsOf(0).NTildei }}, {"a factor of NTilde", func() *big.Int {
		return plus(new(big.Int).Lsh(preparamsOf(0).P, 1), 1)
	}}}
	key := func(set int) []bad {
		return []bad{zero, {"N", func() *big.Int { return paillierN(set) }}, {"a factor of N", func() *big.Int { return preparamsOf(set).PaillierSK.P }}}
	}
	square := func(set int) []bad {
		return append(key(set), bad{"above N^2", func() *big.Int { return plus(new(big.Int).Lsh(big.NewInt(1), 4096), -1) }})
	}
	const nonce, answer = "s1m1 Z, W, U, S: units modulo Ñ, Ñ, N^2, N", "s2 Z, Z', T, W, S: units modulo Ñ, S modulo our N"
	const v = "s2 C1, C2, V: units modulo our N^2"
	kinds := []struct {
		rule, field string
		set         func(int, []byte) forge
		part        int
		bad         []bad
		want        string
	}{
		{nonce, "Z", onRange, 0, aux, "Z or W"},
		{nonce, "U", onRange, 1, square(1), "U"},
		{nonce, "W", onRange, 2, aux, "Z or W"},
		{nonce, "S", onRange, 3, key(1), "S"},
		{answer, "Z", onBob, 0, aux, "Z, Z', T or W"},
		{answer, "Z'", onBob, 1, aux, "Z, Z', T or W"},
		{answer, "T", onBob, 2, aux, "Z, Z', T or W"},
		{v, "V", onBob, 3, square(0), "V"},
		{answer, "W", onBob, 4, aux, "Z, Z', T or W"},
		{answer, "S", onBob, 5, key(0), "S"},
		{answer, "Z' with a point", onBobWC, 1, aux, "Z, Z', T or W"},
		{v, "V with a point", onBobWC, 3, square(0), "V"},
		{answer, "S with a point", onBobWC, 5, key(0), "S"},
	}
	var all []attack
	for _, k := range kinds {
		for _, b := range k.bad {
			all = append(all, attack{rule: k.rule, name: k.field + " is " + b.name, forge: func(t testing.TB) []edit {
				return k.set(k.part, b.number().Bytes())(t)
			}, alone: refuses, want: " " + k.want + " is not"})
		}
	}
	return all
}

func atLeastOne(b []byte) []byte {
	if len(b) == 0 {
		return []byte{0}
	}
	return b
}

func onRange(part int, b []byte) forge {
	return change(func(m s1m1) { m.RangeProofAlice[part] = atLeastOne(b) })
}

func onBob(part int, b []byte) forge {
	return change(func(m s2) { m.ProofBob[part] = atLeastOne(b) })
}

func onBobWC(part int, b []byte) forge {
	return change(func(m s2) { m.ProofBobWc[part] = atLeastOne(b) })
}

// The proofs say that beta is not large, not that it is not negative, nor that
// it is as small as it should be. The bound of the plaintext is tried on both
// sides, and where it wraps around.
func plaintextAttacks() []attack {
	const rule = "s2 C1, C2 decrypted: below q^6"
	const want = "C1 or C2 hides a number that is not below q^6"
	q6 := qTo(6)
	cases := []struct {
		name  string
		hides *big.Int
		want  string
	}{
		{"0", new(big.Int), ""},
		{"q^6-1", plus(q6, -1), ""},
		{"q^6", q6, want},
		{"-1", big.NewInt(-1), want},
		{"-q^5", new(big.Int).Neg(qTo(5)), want},
		{"-q^6", new(big.Int).Neg(q6), want},
	}
	var all []attack
	for _, c := range cases {
		for name, withCheck := range map[string]bool{"C1": false, "C2": true} {
			all = append(all, attack{rule: rule, name: name + " hides " + c.name, forge: answer{tsslib.S256(), withCheck, c.hides}.forge,
				alone: accepts, want: c.want, through: roundTwo})
		}
	}
	return all
}

// answer is a peer's answer to the victim's nonce k that hides a number, k b +
// beta, of the forger's choice. (A peer cannot choose it so exactly, as it does
// not know k.)
type answer struct {
	curve     elliptic.Curve
	withCheck bool
	hides     *big.Int
}

func (a answer) forge(t testing.TB) []edit {
	k := fixtures.Shares(2, 1)
	victim := bareSign(0)
	require.Nil(t, victim.Start())
	first := (<-victim.out).(tsslib.ParsedMessage).Content().(s1m1)
	d := duel{k, k.Operators[1], k.Operators[0]}
	c := new(big.Int).SetBytes(first.C)
	nonce := tss.Decrypt(preparamsOf(0).PaillierSK, c)
	f := d.forgeAnswer(t, a.curve, c, a.withCheck, func(b *big.Int) *big.Int {
		return new(big.Int).Sub(a.hides, product(nonce, b))
	})
	return f.edit(t)
}

// edit puts an answer into s2.
func (f forgedAnswer) edit(t testing.TB) []edit {
	return change(func(m s2) { f.into(m) })(t)
}

func (f forgedAnswer) into(m s2) {
	if f.withCheck {
		proof := f.proof.Bytes()
		m.C2, m.ProofBobWc = f.c.Bytes(), proof[:]
	} else {
		proof := f.proof.ProofBob.Bytes()
		m.C1, m.ProofBob = f.c.Bytes(), proof[:]
	}
}

type forgedAnswer struct {
	withCheck bool
	c         *big.Int
	proof     *mta.ProofBobWC
}

// forgeAnswer is BobMid and BobMidWC of the library with a beta that depends on
// what it is added to, and may be negative.
func (d duel) forgeAnswer(t testing.TB, curve elliptic.Curve, c *big.Int, withCheck bool, betaFor func(b *big.Int) *big.Int) forgedAnswer {
	t.Helper()
	ids := rawIDs(d.key, d.key.Operators)
	data, err := tss.ShareData(d.key.Share(d.cheat))
	require.NoError(t, err)
	victim, cheat := idOf(ids, d.victim).Index, idOf(ids, d.cheat).Index
	b, x := big.NewInt(5), (*crypto.ECPoint)(nil)
	if withCheck {
		w, bigWs := signing.PrepareForSigning(tsslib.S256(), cheat, len(ids), data.Xi, data.Ks, data.BigXj)
		b, x = w, bigWs[cheat]
	}
	pk, beta := data.PaillierPKs[victim], betaFor(b)
	hidden, r, err := pk.EncryptAndReturnRandomness(rand.Reader, new(big.Int).Mod(beta, pk.N))
	require.NoError(t, err)
	product, err := pk.HomoMult(b, c)
	require.NoError(t, err)
	answer, err := pk.HomoAdd(product, hidden)
	require.NoError(t, err)
	context := contextOf(signSSID(t, data), cheat)
	aux, h1, h2 := data.NTildej[victim], data.H1j[victim], data.H2j[victim]
	for {
		proof, err := mta.ProveBobWC(context, curve, pk, aux, h1, h2, c, answer, b, beta, r, x, rand.Reader)
		require.NoError(t, err)
		// T1 = e beta + gamma exceeds its bound now and then if beta is as large.
		if proof.Verify(context, tsslib.S256(), pk, aux, h1, h2, c, answer, x) {
			return forgedAnswer{withCheck, answer, proof}
		}
	}
}

func openingAttacks() []attack {
	const scalar, encoding = "s4, s6 ProofT, VProofT, VProofU: 1 to q-1", "s4, s6 points: coordinates below the field prime"
	const zero = "scalar mult to an ecpoint"
	x := func(b []byte) func() []byte { return func() []byte { return b } }
	t4 := func(b func() []byte) forge { return change(func(m s4) { m.ProofT = b() }) }
	one, q := []byte{1}, order.Bytes()
	return []attack{
		{rule: "s3 theta: 1 to q-1", name: "0", forge: change(func(m s3) { m.Theta = []byte{0} }), alone: refuses, text: "vverify for Vj failed", want: "theta is not"},
		{rule: "s3 theta: 1 to q-1", name: "q", forge: change(func(m s3) { m.Theta = q }), alone: refuses, text: "vverify for Vj failed", want: "theta is not"},
		{rule: scalar, name: "T of s4 is 0", forge: t4(x([]byte{0})), alone: panics, text: zero, want: "ProofT is not"},
		{rule: scalar, name: "T of s4 is q", forge: t4(x(q)), alone: panics, text: zero, want: "ProofT is not"},
		{rule: scalar, name: "T of A is 0", forge: change(func(m s6) { m.ProofT = []byte{0} }), alone: panics, text: zero, want: "ProofT is not"},
		{rule: scalar, name: "T of V is 0", forge: change(func(m s6) { m.VProofT = []byte{0} }), alone: panics, text: zero, want: "VProofT is not"},
		{rule: scalar, name: "U of V is 0", forge: change(func(m s6) { m.VProofU = []byte{0} }), alone: panics, text: zero, want: "VProofU is not"},
		{rule: encoding, name: "gamma plus the prime", forge: otherGamma, alone: accepts, want: "DeCommitment 1 is not", through: roundFour},
		{rule: encoding, name: "gamma off the curve", forge: change(func(m s4) { m.DeCommitment[2] = one }), alone: refuses, want: "DeCommitment 1 is not"},
		{rule: encoding, name: "alpha with a byte behind it", forge: change(func(m s4) {
			m.ProofAlphaX = append(bytes.Clone(m.ProofAlphaX), 1)
		}), alone: refuses, want: "ProofAlpha is not"},
		{rule: encoding, name: "alpha of A off the curve", forge: change(func(m s6) { m.ProofAlphaY = one }), alone: refuses, want: "ProofAlpha is not"},
		{rule: encoding, name: "alpha of V off the curve", forge: change(func(m s6) { m.VProofAlphaY = one }), alone: refuses, want: "VProofAlpha is not"},
		{rule: encoding, name: "A off the curve", forge: change(func(m s6) { m.DeCommitment[4] = one }), alone: refuses, want: "DeCommitment 3 is not"},
	}
}

// otherGamma commits to another gamma, of which the library takes x modulo the
// prime, and proves to know its logarithm.
func otherGamma(t testing.TB) []edit {
	c := tsslib.S256().Params()
	gamma, a := big.NewInt(7), big.NewInt(11)
	point, alpha := crypto.ScalarBaseMult(tsslib.S256(), gamma), crypto.ScalarBaseMult(tsslib.S256(), a)
	data, err := tss.ShareData(fixtures.Shares(2, 1).Shares[1])
	require.NoError(t, err)
	x := new(big.Int).Add(point.X(), c.P)
	opened := commitments.NewHashCommitmentWithRandomness(big.NewInt(3), x, point.Y())
	context := contextOf(signSSID(t, data), signVictimAndPeer(t).peer)
	e := common.RejectionSample(order, common.SHA512_256i_TAGGED(context, x, point.Y(), c.Gx, c.Gy, alpha.X(), alpha.Y()))
	s := new(big.Int).Add(a, product(e, gamma))
	return change(func(m s1m2) { m.Commitment = opened.C.Bytes() }).also(change(func(m s4) {
		m.DeCommitment = bytesOf(opened.D)
		m.ProofAlphaX, m.ProofAlphaY, m.ProofT = alpha.X().Bytes(), alpha.Y().Bytes(), s.Mod(s, order).Bytes()
	}))(t)
}

func lastAttacks() []attack {
	const commitment, curve, s = "s1m2 commitment: at most 32 bytes", "s8 points: on the curve", "s9 s: 1 to q-1"
	one := big.NewInt(1)
	long := make([]byte, 33)
	sum := func(b []byte) forge { return change(func(m s9) { m.S = b }) }
	return []attack{
		{rule: commitment, name: "33 bytes in s5", forge: change(func(m s5) { m.Commitment = long }), alone: refuses, want: "commitment is not"},
		{rule: commitment, name: "33 bytes in s7", forge: change(func(m s7) { m.Commitment = long }), alone: refuses, want: "commitment is not"},
		{rule: curve, name: "off the curve", forge: lastOpening(func() []*big.Int { return []*big.Int{one, one, one, one} }),
			alone: misnames, text: "U doesn't equal T", want: "DeCommitment 1 is not a point of the curve"},
		{rule: curve, name: "U plus the prime", forge: lastOpening(func() []*big.Int {
			var opened []*big.Int
			for _, b := range signStage.of("s8").(s8).DeCommitment[1:] {
				opened = append(opened, new(big.Int).SetBytes(b))
			}
			opened[0].SetBytes(plusPrime(opened[0].Bytes()))
			return opened
		}), alone: accepts, want: "DeCommitment 1 is not"},
		{rule: curve, name: "T missing", forge: change(func(m s8) { m.DeCommitment = m.DeCommitment[:3] }), alone: refuses, want: "lacks a field"},
		{rule: s, name: "0", forge: sum([]byte{0}), alone: misnames, text: "signature verification failed", want: "s is not"},
		{rule: s, name: "q", forge: sum(order.Bytes()), alone: misnames, text: "signature verification failed", want: "s is not"},
	}
}

// lastOpening commits to points in s7 and opens them in s8.
func lastOpening(points func() []*big.Int) forge {
	return func(t testing.TB) []edit {
		made := commitments.NewHashCommitmentWithRandomness(big.NewInt(1), points()...)
		return change(func(m s7) { m.Commitment = made.C.Bytes() }).also(
			change(func(m s8) { m.DeCommitment = bytesOf(made.D) }))(t)
	}
}

// A sum of theta that is zero has no inverse; nobody can tell who chose it.
func TestGuardThetaSum(t *testing.T) {
	k := fixtures.Shares(4, 2)
	signers := k.Operators[:3]
	theta := func(from int, x *big.Int) session.Inbound {
		body, err := tss.EncodeBody(&signing.SignRound3Message{Theta: x.Bytes()})
		require.NoError(t, err)
		return session.Inbound{From: signers[from], Type: "s3", Body: body}
	}
	five := big.NewInt(5)
	for sum, want := range map[int64]bool{0: true, 1: false} {
		p := signParties(t, k, digestOf("x"), signers)[signers[0]]
		minus := new(big.Int).Sub(order, big.NewInt(5-sum))
		err := tss.Judge(p, 3, []session.Inbound{theta(1, five), theta(2, minus)})
		if want {
			requireNoBlame(t, err, "sum of theta is zero")
		} else {
			require.NoError(t, err)
		}
	}
}
