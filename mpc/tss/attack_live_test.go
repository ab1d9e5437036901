package tss_test

import (
	"crypto/rand"
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	"github.com/bnb-chain/tss-lib/v2/crypto/mta"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// duel is a signing session of two, one of whom cheats: the second participant
// is the victim, so that what the cheat sends may depend on what it received.
type duel struct {
	key           fixtures.KeySet
	cheat, victim types.Operator
}

func newDuel() duel {
	k := fixtures.Shares(2, 1)
	return duel{k, k.Operators[0], k.Operators[1]}
}

// tamper changes what the victim receives in a round; heard is what the cheat
// received in this round and all before.
type tamper func(t *testing.T, round uint32, in, heard []session.Inbound) []session.Inbound

// run gives what became of the victim.
func (d duel) run(t *testing.T, guarded bool, change tamper) (error, session.Party) {
	t.Helper()
	l := fixtures.Lockstep{Parties: signParties(t, d.key, digestOf("duel"), d.key.Operators)}
	victim := l.Parties[d.victim]
	if !guarded {
		tss.RemoveGuard(victim)
	}
	var heard []session.Inbound
	l.Tamper = func(to types.Operator, round uint32, in []session.Inbound) []session.Inbound {
		if to == d.cheat {
			heard = append(heard, in...)
			return in
		}
		return change(t, round, in, heard)
	}
	return l.Run().Errors[d.victim], victim
}

// zeroIn sets a number of a message to zero.
func zeroIn[T any](round uint32, typ string, field func(T) *[]byte) tamper {
	return func(t *testing.T, r uint32, in, _ []session.Inbound) []session.Inbound {
		if r != round {
			return in
		}
		return replaced(t, in, typ, func(m T) { *field(m) = []byte{0} })
	}
}

// A number that is zero where the library multiplies a point with it, and
// thetas without an inverse, make Update panic. The panic is survived, but the
// session is lost and nobody is named for it; with the guard somebody is, where
// that is possible.
func TestSigningPanics(t *testing.T) {
	cases := []struct {
		name   string
		change tamper
		panics string
		want   string
		blamed bool
	}{
		{"s4: T", zeroIn(4, "s4", func(m s4) *[]byte { return &m.ProofT }), "scalar mult", "ProofT is not", true},
		{"s6: T of A", zeroIn(6, "s6", func(m s6) *[]byte { return &m.ProofT }), "scalar mult", "ProofT is not", true},
		{"s6: T of V", zeroIn(6, "s6", func(m s6) *[]byte { return &m.VProofT }), "scalar mult", "VProofT is not", true},
		{"s6: U of V", zeroIn(6, "s6", func(m s6) *[]byte { return &m.VProofU }), "scalar mult", "VProofU is not", true},
		// Whoever sends last chooses the sum; which of several that was nobody sees.
		{"s3: sum of theta", oppositeTheta, "nil pointer", "the sum of theta is zero", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() || raceEnabled {
				t.Skip("heavy: 2 seconds of CPU")
			}
			t.Parallel()
			d := newDuel()
			err, victim := d.run(t, false, c.change)
			requireNoBlame(t, err, "the library panicked")
			require.ErrorContains(t, err, c.panics)
			require.True(t, tss.Ended(victim))
			err, _ = d.run(t, true, c.change)
			if c.blamed {
				requireBlame(t, err, d.cheat, c.want)
			} else {
				requireNoBlame(t, err, c.want)
			}
		})
	}
}

// The library adds up what s8 opens without asking whether it is on the curve,
// and blames the victim for the sum.
func TestPointsOffTheCurve(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 2 seconds of CPU")
	}
	d := newDuel()
	one := big.NewInt(1)
	off := commitments.NewHashCommitmentWithRandomness(one, one, one, one, one)
	change := func(t *testing.T, round uint32, in, _ []session.Inbound) []session.Inbound {
		switch round {
		case 7:
			return replaced(t, in, "s7", func(m s7) { m.Commitment = off.C.Bytes() })
		case 8:
			return replaced(t, in, "s8", func(m s8) { m.DeCommitment = bytesOf(off.D) })
		}
		return in
	}
	err, _ := d.run(t, false, change)
	requireNoBlame(t, err, "U doesn't equal T")
	err, _ = d.run(t, true, change)
	requireBlame(t, err, d.cheat, "DeCommitment 1 is not a point of the curve")
}

// oppositeTheta answers the victim's theta with its negative.
func oppositeTheta(t *testing.T, round uint32, in, heard []session.Inbound) []session.Inbound {
	if round != 3 {
		return in
	}
	theta := heardOf[s3](t, heard, "s3").Theta
	return replaced(t, in, "s3", func(m s3) {
		m.Theta = new(big.Int).Sub(order, new(big.Int).SetBytes(theta)).Bytes()
	})
}

func heardOf[T any](t *testing.T, heard []session.Inbound, typ string) T {
	t.Helper()
	i := slices.IndexFunc(heard, func(m session.Inbound) bool { return m.Type == typ })
	content, err := tss.DecodeBody(typ, heard[i].Body)
	require.NoError(t, err)
	return content.(T)
}

// negativeAnswers answers the victim's nonce with ciphertexts of k b - offset,
// with proofs that the library's verifier accepts: one for C1, or one for C2.
func negativeAnswers(d duel, withCheck bool, offset *big.Int) tamper {
	return func(t *testing.T, round uint32, in, heard []session.Inbound) []session.Inbound {
		if round != 2 {
			return in
		}
		c := new(big.Int).SetBytes(heardOf[s1m1](t, heard, "s1m1").C)
		forged := d.forgeAnswer(t, c, withCheck, offset)
		return replaced(t, in, "s2", func(m s2) {
			if withCheck {
				proof := forged.proof.Bytes()
				m.C2, m.ProofBobWc = forged.c.Bytes(), proof[:]
			} else {
				proof := forged.proof.ProofBob.Bytes()
				m.C1, m.ProofBob = forged.c.Bytes(), proof[:]
			}
		})
	}
}

type forgedAnswer struct {
	c     *big.Int
	proof *mta.ProofBobWC
}

// forgeAnswer is BobMid and BobMidWC of the library with a negative beta.
func (d duel) forgeAnswer(t *testing.T, c *big.Int, withCheck bool, offset *big.Int) forgedAnswer {
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
	pk := data.PaillierPKs[victim]
	opposite := new(big.Int).Sub(pk.N, offset)
	hidden, r, err := pk.EncryptAndReturnRandomness(rand.Reader, opposite)
	require.NoError(t, err)
	product, err := pk.HomoMult(b, c)
	require.NoError(t, err)
	answer, err := pk.HomoAdd(product, hidden)
	require.NoError(t, err)
	ssid := append(signSSID(t, data), new(big.Int).SetInt64(int64(cheat)).Bytes()...)
	proof, err := mta.ProveBobWC(ssid, tsslib.S256(), pk, data.NTildej[victim], data.H1j[victim], data.H2j[victim],
		c, answer, b, new(big.Int).Neg(offset), r, x, rand.Reader)
	require.NoError(t, err)
	return forgedAnswer{answer, proof}
}

// signSSID is the library's session id of the key's signing sessions.
func signSSID(t *testing.T, data keygen.LocalPartySaveData) []byte {
	t.Helper()
	points, err := crypto.FlattenECPoints(data.BigXj)
	require.NoError(t, err)
	c := tsslib.S256().Params()
	const round, nonce = 1, 0
	list := slices.Concat([]*big.Int{c.P, c.N, c.B, c.Gx, c.Gy}, data.Ks, points, data.NTildej, data.H1j, data.H2j,
		[]*big.Int{big.NewInt(round), big.NewInt(nonce)})
	return common.SHA512_256i(list...).Bytes()
}

// The proofs say that beta is not large, not that it is not negative. With the
// library alone, whether a signature comes of it tells k b >= |beta|. The guard
// decrypts what the library accepted, and names the sender.
func TestNegativeAnswer(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 4 seconds of CPU")
	}
	d := newDuel()
	q5 := new(big.Int).Exp(order, big.NewInt(5), nil)
	for name, withCheck := range map[string]bool{"C1": false, "C2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The library goes on until the signature turns out wrong.
			err, _ := d.run(t, false, negativeAnswers(d, withCheck, q5))
			requireNoBlame(t, err, "U doesn't equal T")
			err, victim := d.run(t, true, negativeAnswers(d, withCheck, q5))
			requireBlame(t, err, d.cheat, "C1 or C2 hides a number that is not below q^6")
			require.True(t, tss.Ended(victim))
		})
	}
}

// What a peer did not prove is not decrypted: the answer to a wrong proof does
// not depend on what the ciphertext hides.
func TestNoDecryptionOracle(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 2 seconds of CPU")
	}
	d := newDuel()
	data, err := tss.ShareData(d.key.Share(d.victim))
	require.NoError(t, err)
	answers := make(map[string]bool)
	for _, plain := range []*big.Int{big.NewInt(1), new(big.Int).Sub(data.PaillierSK.N, big.NewInt(1))} {
		c, err := data.PaillierSK.Encrypt(rand.Reader, plain)
		require.NoError(t, err)
		err, _ = d.run(t, true, func(t *testing.T, round uint32, in, _ []session.Inbound) []session.Inbound {
			if round != 2 {
				return in
			}
			return replaced(t, in, "s2", func(m s2) { m.C1 = c.Bytes() })
		})
		requireBlame(t, err, d.cheat, "Alice_end")
		answers[err.Error()] = true
	}
	require.Len(t, answers, 1)
}

// Our decryption agrees with the library's.
func TestDecrypt(t *testing.T) {
	sk := preparamsOf(0).PaillierSK
	n := sk.N
	for _, m := range []*big.Int{
		new(big.Int), big.NewInt(1), new(big.Int).Sub(n, big.NewInt(1)), new(big.Int).Rsh(n, 1),
		sk.P, sk.Q, new(big.Int).Exp(order, big.NewInt(6), nil),
	} {
		c, err := sk.Encrypt(rand.Reader, m)
		require.NoError(t, err)
		require.Zero(t, m.Cmp(tss.Decrypt(sk, c)), "%v", m)
		slow, err := sk.Decrypt(c)
		require.NoError(t, err)
		require.Zero(t, m.Cmp(slow))
	}
}
