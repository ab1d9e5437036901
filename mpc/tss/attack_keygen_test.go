package tss_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
)

type (
	kg1   = *keygen.KGRound1Message
	kg2m1 = *keygen.KGRound2Message1
	kg2m2 = *keygen.KGRound2Message2
	kg3   = *keygen.KGRound3Message
)

// keygenAttacks are made on the first participant of the cheap key, who is the
// last one for the library; its peer has set 1 of the pre-parameters.
func keygenAttacks() []attack {
	return keygenStage.on(slices.Concat(modulusAttacks(), generatorAttacks(), dlnAttacks(), shareAttacks(), polynomialAttacks(), modProofAttacks()))
}

// negative is a length that the library takes for a negative one.
var negative = append([]byte{0x80}, make([]byte, 7)...)

// Where the library panics.
const (
	inParse  = "slice bounds out of range; commitments.ParseSecrets"
	inJacobi = "invalid 2nd argument to Int.Jacobi; modproof.(*ProofMod).Verify"
	inVSS    = "scalar mult to an ecpoint; vss.(*Share).Verify"
)

func modulusAttacks() []attack {
	const odd, size, factors, ours = "kg1 PaillierN: odd", "kg1 PaillierN: exactly 2048 bits, composite",
		"kg1 PaillierN: no factor below 2^21", "kg1 N, NTilde, h1, h2: not ours; no two peers' the same"
	const want = "PaillierN is not"
	set := func(with func([]byte) []byte) forge {
		return change(func(m kg1) { m.PaillierN = with(m.PaillierN) })
	}
	to := func(n func() *big.Int) forge {
		return set(func([]byte) []byte { return n().Bytes() })
	}
	return []attack{
		{rule: odd, name: "even", forge: set(even), alone: dies, text: inJacobi, want: want},
		{rule: size, name: "prime", forge: to(func() *big.Int { return prime2048 }), alone: refuses, want: want},
		{rule: size, name: "short", forge: set(func(b []byte) []byte { return b[1:] }), alone: refuses, text: "insufficient bits", want: want},
		{rule: size, name: "long", forge: set(func(b []byte) []byte { return append([]byte{1}, b...) }), alone: refuses, text: "insufficient bits", want: want},
		{rule: factors, name: "divisible by 3", forge: set(multipleOf3), alone: refuses, want: want},
		{rule: factors, name: "a factor just below 2^21, proved to be none", forge: keygenModulus(aSmallFactor), alone: accepts, want: want},
		{rule: ours, name: "our Paillier modulus", forge: to(func() *big.Int { return paillierN(0) }), alone: refuses, want: "is our own"},
		{rule: ours, name: "our NTilde for PaillierN", forge: to(func() *big.Int { return preparamsOf(0).NTildei }), alone: refuses, want: "is our own"},
	}
}

// keygenModulus is a keygen with a forged modulus and all proofs about it.
func keygenModulus(factors func() []*big.Int) forge {
	return func(t testing.TB) []edit {
		k := cheapKey()
		peer := idOf(rawIDs(k, k.Operators), k.Operators[1])
		context := contextOf(keygenSSID(), peer.Index)
		f := forgeModulus(t, context, factors())
		require.Equal(t, 2048, f.n.BitLen())
		mod, fac := f.proof.Bytes(), f.fac(context, cheapPreparams(0))
		proof := f.key().Proof(peer.KeyInt(), cheapPublicKey(t))
		return change(func(m kg1) { m.PaillierN = f.n.Bytes() }).also(
			change(func(m kg2m1) { m.FacProof = fac }),
			change(func(m kg2m2) { m.ModProof = mod[:] }),
			change(func(m kg3) { m.PaillierProof = bytesOf(proof[:]) }))(t)
	}
}

// cheapPublicKey is the sum of what the victim and its peer commit to.
func cheapPublicKey(t testing.TB) *crypto.ECPoint {
	t.Helper()
	parts := keygenStage.of("kg2m2").(kg2m2).DeCommitment
	theirs, err := crypto.NewECPoint(tsslib.S256(), new(big.Int).SetBytes(parts[1]), new(big.Int).SetBytes(parts[2]))
	require.NoError(t, err)
	ours := crypto.ScalarBaseMult(tsslib.S256(), big.NewInt(int64(constantFor(paillierN(0)))))
	key, err := ours.Add(theirs)
	require.NoError(t, err)
	return key
}

func generatorAttacks() []attack {
	const nTilde = "kg1 NTilde: odd, composite, exactly 2048 bits, no factor below 2^21, not PaillierN"
	const units, ours = "kg1 h1, h2: units above 1, different", "kg1 N, NTilde, h1, h2: not ours; no two peers' the same"
	const aux, want = "NTilde is not", "h1 or h2 is not"
	// Lazily, because every child process makes the table anew.
	modulo := func(n func() *big.Int) forge {
		return func(t testing.TB) []edit { return inverses(n()).kg1()(t) }
	}
	own, one := func() []byte { return preparamsOf(0).H1i.Bytes() }, []byte{1}
	return []attack{
		{rule: nTilde, name: "even", forge: modulo(func() *big.Int { return plus(prime2048, -1) }), alone: accepts, want: aux},
		{rule: nTilde, name: "prime", forge: modulo(func() *big.Int { return prime2048 }), alone: accepts, want: aux},
		{rule: nTilde, name: "divisible by 3", forge: modulo(func() *big.Int {
			return new(big.Int).SetBytes(multipleOf3(prime2048.Bytes()))
		}), alone: accepts, want: aux},
		{rule: nTilde, name: "PaillierN", forge: modulo(func() *big.Int { return paillierN(1) }), alone: accepts, want: aux},
		{rule: nTilde, name: "short", forge: modulo(func() *big.Int { return new(big.Int).Rsh(prime2048, 8) }), alone: refuses, text: "insufficient bits", want: aux},
		{rule: units, name: "h1 is 1", forge: change(func(m kg1) { m.H1 = one }), alone: refuses, want: want},
		{rule: units, name: "h2 is 1", forge: change(func(m kg1) { m.H2 = one }), alone: refuses, want: want},
		{rule: units, name: "h1 is 0", forge: change(func(m kg1) { m.H1 = []byte{0} }), alone: refuses, want: want},
		{rule: units, name: "h1 is NTilde", forge: change(func(m kg1) { m.H1 = m.NTilde }), alone: refuses, want: want},
		{rule: units, name: "h1 is h2", forge: change(func(m kg1) { m.H2 = m.H1 }), alone: refuses, text: "were equal", want: "h2 is not different"},
		{rule: units, name: "h2 above NTilde", forge: func(t testing.TB) []edit {
			pre := cheapPreparams(1)
			return generatorsOf(pre.NTildei, pre.H1i, new(big.Int).Add(pre.H2i, pre.NTildei)).kg1()(t)
		}, alone: harmless, want: want},
		{rule: ours, name: "our h1", forge: change(func(m kg1) { m.H1 = own() }), alone: misnames, text: "already used by another party", want: "is our own"},
		{rule: ours, name: "our h1 for h2", forge: change(func(m kg1) { m.H2 = own() }), alone: misnames, text: "already used by another party", want: "is our own"},
		{rule: ours, name: "our NTilde, h1, h2 and their proofs", forge: func(t testing.TB) []edit {
			pre := cheapPreparams(0)
			return generatorsOf(pre.NTildei, pre.H1i, pre.H2i).kg1()(t)
		}, alone: misnames, text: "already used by another party", want: "is our own"},
		{rule: units, name: "leading zeros", forge: change(func(m kg1) { m.H1 = append([]byte{0}, m.H1...) }), alone: harmless},
	}
}

func dlnAttacks() []attack {
	const lists, alpha, exponent = "kg1 Dlnproof_1, _2: two lists of 128", "kg1 Dlnproof alpha: units above 1", "kg1 Dlnproof T: 1 < T < Ñ"
	first := func(part int, b []byte) forge { return change(func(m kg1) { m.Dlnproof_1[part] = b }) }
	second := func(part int, b []byte) forge { return change(func(m kg1) { m.Dlnproof_2[part] = b }) }
	length := func(bits int) forge {
		return change(func(m kg1) { m.Dlnproof_1[130] = beyond(m.Dlnproof_1[130], preparamsOf(1), bits) })
	}
	const ofAlpha, ofT = "Dlnproof_1 alpha is not", "Dlnproof_2 T is not"
	return []attack{
		{rule: lists, name: "1: negative length", forge: first(0, negative), alone: dies, text: inParse, want: "Dlnproof_1 is not"},
		{rule: lists, name: "1: negative second length", forge: first(129, negative), alone: dies, text: inParse, want: "Dlnproof_1 is not"},
		{rule: lists, name: "2: negative length", forge: second(0, negative), alone: dies, text: inParse, want: "Dlnproof_2 is not"},
		{rule: lists, name: "2: negative second length", forge: second(129, negative), alone: dies, text: inParse, want: "Dlnproof_2 is not"},
		{rule: lists, name: "other split", forge: second(0, []byte{127}), alone: refuses, want: "Dlnproof_2 is not"},
		{rule: lists, name: "too short", forge: change(func(m kg1) { m.Dlnproof_1 = m.Dlnproof_1[:257] }), alone: refuses, want: "lacks a field"},
		{rule: alpha, name: "0", forge: first(1, []byte{0}), alone: refuses, want: ofAlpha},
		{rule: alpha, name: "1", forge: first(1, []byte{1}), alone: refuses, want: ofAlpha},
		{rule: alpha, name: "NTilde", forge: change(func(m kg1) { m.Dlnproof_1[128] = m.NTilde }), alone: refuses, want: ofAlpha},
		{rule: alpha, name: "shares a factor with NTilde", forge: change(func(m kg1) {
			m.Dlnproof_1[2] = plus(new(big.Int).Lsh(preparamsOf(1).P, 1), 1).Bytes()
		}), alone: refuses, want: ofAlpha},
		{rule: exponent, name: "0", forge: second(130, []byte{0}), alone: refuses, want: ofT},
		{rule: exponent, name: "1", forge: second(257, []byte{1}), alone: refuses, want: ofT},
		{rule: exponent, name: "NTilde", forge: change(func(m kg1) { m.Dlnproof_2[130] = m.NTilde }), alone: refuses, want: ofT},
		{rule: exponent, name: "beyond NTilde", forge: length(beyondNTilde), alone: works, want: "Dlnproof_1 T is not"},
		{rule: "kg1 commitment: at most 32 bytes", name: "33 bytes", forge: change(func(m kg1) {
			m.Commitment = append(m.Commitment, m.Commitment...)[:33]
		}), alone: refuses, text: "de-commitment verify failed", want: "commitment is not"},
	}
}

func shareAttacks() []attack {
	const share, parts = "kg2m1 share: 1 to q-1", "kg2m1 FacProof: 11 parts; P Q A B T units modulo Ñ"
	const z, w, sigma = "kg2m1 FacProof Z1, Z2: below q^3 sqrt(N)", "kg2m1 FacProof W1, W2: below 2 q^3 Ñ", "kg2m1 FacProof Sigma, V: below q N Ñ, below 2 q^3 N Ñ"
	secret := func(b []byte) forge { return change(func(m kg2m1) { m.Share = b }) }
	fac := func(part int, b []byte) forge { return change(func(m kg2m1) { m.FacProof[part] = b }) }
	long := func(part, bits int) forge {
		return change(func(m kg2m1) { m.FacProof[part] = beyond(m.FacProof[part], preparamsOf(0), bits) })
	}
	aux := func() *big.Int { return preparamsOf(0).NTildei }
	root := new(big.Int).Sqrt(new(big.Int).SetBytes(keygenStage.of("kg1").(kg1).PaillierN))
	bound := product(qTo(3), root).Bytes()
	const units = "FacProof P, Q, A, B or T is not"
	all := []attack{
		{rule: share, name: "0", forge: secret([]byte{0}), alone: dies, text: inVSS, want: "share is not"},
		{rule: share, name: "q", forge: secret(order.Bytes()), alone: dies, text: inVSS, want: "share is not"},
		{rule: share, name: "33 zeros", forge: secret(make([]byte, 33)), alone: dies, text: inVSS, want: "share is not"},
		{rule: parts, name: "none", forge: change(func(m kg2m1) { m.FacProof = nil }), alone: refuses, text: "facProof", want: "FacProof has"},
		{rule: parts, name: "10 parts", forge: change(func(m kg2m1) { m.FacProof = m.FacProof[:10] }), alone: refuses, text: "facProof", want: "FacProof has"},
		{rule: z, name: "Z1", forge: fac(6, bound), alone: refuses, text: "facProof", want: "FacProof Z1 is not"},
		{rule: z, name: "Z2", forge: fac(7, bound), alone: refuses, text: "facProof", want: "FacProof Z2 is not"},
		{rule: w, name: "W1", forge: long(8, beyondBlind), alone: works, want: "FacProof W1 is not"},
		{rule: w, name: "W2", forge: long(9, beyondBlind), alone: works, want: "FacProof W2 is not"},
		{rule: sigma, name: "V", forge: long(10, beyondV), alone: works, want: "FacProof V is not"},
		{rule: sigma, name: "Sigma", forge: longSigma, alone: works, want: "FacProof Sigma is not"},
		{rule: "all body: at most the longest honest encoding", name: "a long V", forge: long(10, tooMuch), alone: works, want: "are allowed"},
	}
	for part, name := range []string{"P", "Q", "A", "B", "T"} {
		all = append(all, attack{rule: parts, name: name + " is NTilde", forge: func(t testing.TB) []edit {
			return fac(part, aux().Bytes())(t)
		}, alone: refuses, text: "facProof", want: units})
	}
	return all
}

func longSigma(t testing.TB) []edit {
	k := cheapKey()
	context := contextOf(keygenSSID(), idOf(rawIDs(k, k.Operators), k.Operators[1]).Index)
	sigma := new(big.Int).Lsh(big.NewInt(11), beyondSigma)
	parts := facProof(context, preparamsOf(1).PaillierSK, cheapPreparams(0), sigma).Bytes()
	return change(func(m kg2m1) { m.FacProof = parts[:] })(t)
}

// polynomial commits to another one, which kg2m2 opens.
func polynomial(opening func([][]byte) [][]byte) forge {
	return func(t testing.TB) []edit {
		opened := opening(slices.Clone(keygenStage.of("kg2m2").(kg2m2).DeCommitment))
		return change(func(m kg1) { m.Commitment = commitmentTo(opened) }).also(
			change(func(m kg2m2) { m.DeCommitment = opened }))(t)
	}
}

func polynomialAttacks() []attack {
	const parts, field, curve = "kg2m2 DeCommitment: 1+2(t+1) parts", "kg2m2 DeCommitment: coordinates below the field prime", "kg2m2 DeCommitment: points of the curve"
	g := tsslib.S256().Params()
	return []attack{
		{rule: parts, name: "a constant", forge: polynomial(func(p [][]byte) [][]byte { return p[:3] }), alone: dies,
			text: "index out of range; vss.(*Share).Verify; feldman_vss.go:106", want: "DeCommitment has 3 parts, not 5"},
		{rule: parts, name: "no points", forge: polynomial(func(p [][]byte) [][]byte { return p[:1] }), alone: dies,
			text: "index out of range; vss.(*Share).Verify; feldman_vss.go:101", want: "DeCommitment has 1 parts, not 5"},
		{rule: parts, name: "one coefficient more", forge: polynomial(func(p [][]byte) [][]byte {
			return append(p, g.Gx.Bytes(), g.Gy.Bytes())
		}), alone: accepts, want: "DeCommitment has 7 parts, not 5"},
		{rule: field, name: "x plus the prime", forge: polynomial(func(p [][]byte) [][]byte {
			p[3] = plusPrime(p[3])
			return p
		}), alone: accepts, want: "DeCommitment 3 is not"},
		{rule: curve, name: "off the curve", forge: polynomial(func(p [][]byte) [][]byte {
			p[2] = p[1]
			return p
		}), alone: refuses, text: "not on the elliptic curve", want: "DeCommitment 1 is not"},
		{rule: curve, name: "x with a byte behind it", forge: polynomial(func(p [][]byte) [][]byte {
			p[3] = append(bytes.Clone(p[3]), 7)
			return p
		}), alone: refuses, want: "DeCommitment 3 is not"},
		{rule: parts, name: "a random number of 33 bytes", forge: polynomial(func(p [][]byte) [][]byte {
			p[0] = bytes.Repeat([]byte{1}, 33)
			return p
		}), alone: harmless, want: "DeCommitment 0 is not"},
	}
}

func modProofAttacks() []attack {
	const parts, w, paillier = "kg2m2 ModProof: 163 parts; X, Z units; A, B 81 bits", "kg2m2 ModProof W: a unit, Jacobi symbol -1", "kg3 PaillierProof: 13 units modulo N"
	n := func() []byte { return paillierN(1).Bytes() }
	set := func(part int, b func() []byte) forge { return change(func(m kg2m2) { m.ModProof[part] = b() }) }
	is := func(b ...byte) func() []byte { return func() []byte { return b } }
	root := func(part int, b func() []byte) forge { return change(func(m kg3) { m.PaillierProof[part] = b() }) }
	const text, wanted = "modProof verify failed", "ModProof W is not"
	return []attack{
		{rule: parts, name: "none", forge: change(func(m kg2m2) { m.ModProof = nil }), alone: refuses, text: text, want: "ModProof has 0 parts", strict: true},
		{rule: parts, name: "X is 0", forge: set(7, is(0)), alone: refuses, text: text, want: "ModProof X is not"},
		{rule: parts, name: "Z is N", forge: set(162, n), alone: refuses, text: text, want: "ModProof Z is not"},
		{rule: parts, name: "A too short", forge: change(func(m kg2m2) { m.ModProof[81] = m.ModProof[81][1:] }), alone: refuses, text: text, want: "ModProof A or B"},
		{rule: parts, name: "B too long", forge: change(func(m kg2m2) {
			m.ModProof[82] = append([]byte{2}, m.ModProof[82][1:]...)
		}), alone: refuses, text: text, want: "ModProof A or B"},
		{rule: w, name: "0", forge: set(0, is(0)), alone: refuses, text: text, want: wanted},
		{rule: w, name: "4", forge: set(0, is(4)), alone: refuses, text: text, want: wanted},
		{rule: w, name: "N", forge: set(0, n), alone: refuses, text: text, want: wanted},
		{rule: w, name: "all factors but one", forge: keygenModulus(factorsOf64), alone: accepts, want: wanted},
		{rule: paillier, name: "0", forge: root(5, is(0)), alone: refuses, text: "paillier verify failed", want: "PaillierProof is not"},
		{rule: paillier, name: "N", forge: root(12, n), alone: refuses, text: "paillier verify failed", want: "PaillierProof is not"},
		{rule: paillier, name: "12 parts", forge: change(func(m kg3) { m.PaillierProof = m.PaillierProof[:12] }), alone: refuses, want: "lacks a field"},
	}
}

// Messages of later rounds are about the modulus of round 1.
func TestGuardKeygenOrder(t *testing.T) {
	p, rounds := keygenVictim(t), keygenStage.transcript()
	const want = "parameters of this peer are missing"
	requireBlame(t, tss.Judge(p, 2, rounds[1]), rounds[1][0].From, want)
	requireBlame(t, tss.Judge(p, 3, rounds[2]), rounds[2][0].From, want)
	for round := range 3 {
		require.NoError(t, tss.Judge(p, uint32(round+1), rounds[round]))
	}
}
