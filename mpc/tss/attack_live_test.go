package tss_test

import (
	"crypto/rand"
	"math/big"
	"slices"
	"testing"

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
func (d duel) run(t *testing.T, change tamper) (error, session.Party) {
	t.Helper()
	l := fixtures.Lockstep{Parties: signParties(t, d.key, digestOf("duel"), d.key.Operators)}
	victim := l.Parties[d.victim]
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

// Whoever sends theta last can make the sum of all zero, which has no inverse:
// Update panics. Which of several that was nobody sees, so nobody is named.
func TestOppositeTheta(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 2 seconds of CPU")
	}
	t.Parallel()
	victim := bareSign(0)
	require.Nil(t, victim.Start())
	rounds := signStage.transcript()
	for _, m := range slices.Concat(rounds[0], rounds[1]) {
		require.Nil(t, victim.receive(m))
	}
	var heard []session.Inbound
	for len(victim.out) > 0 {
		content := (<-victim.out).(tsslib.ParsedMessage).Content()
		body, err := tss.EncodeBody(content)
		require.NoError(t, err)
		typ, _ := tss.TypeOf(content)
		heard = append(heard, session.Inbound{Type: typ, Body: body})
	}
	require.Nil(t, victim.receive(oppositeTheta(t, 3, rounds[2], heard)[0]))
	const text = "runtime error: invalid memory address or nil pointer dereference"
	require.PanicsWithError(t, text, func() { victim.receive(rounds[3][0]) })

	err, _ := newDuel().run(t, oppositeTheta)
	requireNoBlame(t, err, "the sum of theta is zero")
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

// negativeAnswer answers the victim's nonce with ciphertexts of k b - q^5, with
// proofs that the library's verifier accepts: one for C1, or one for C2.
func negativeAnswer(d duel, withCheck bool) tamper {
	return func(t *testing.T, round uint32, in, heard []session.Inbound) []session.Inbound {
		if round != 2 {
			return in
		}
		c := new(big.Int).SetBytes(heardOf[s1m1](t, heard, "s1m1").C)
		beta := new(big.Int).Neg(qTo(5))
		forged := d.forgeAnswer(t, tsslib.S256(), c, withCheck, func(*big.Int) *big.Int { return beta })
		return replaced(t, in, "s2", forged.into)
	}
}

// With the library alone, whether a signature comes of a negative beta tells
// k b >= |beta|. The guard decrypts what the library accepted, and names the
// sender; signAttacks has the bound itself.
func TestNegativeAnswer(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 4 seconds of CPU")
	}
	d := newDuel()
	for name, withCheck := range map[string]bool{"C1": false, "C2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err, victim := d.run(t, negativeAnswer(d, withCheck))
			requireBlame(t, err, d.cheat, "C1 or C2 hides a number that is not below q^6")
			require.True(t, tss.Ended(victim))
		})
	}
}

// What a peer did not prove is not decrypted: the answer to a wrong proof does
// not depend on what the ciphertext hides.
func TestNoDecryptionOracle(t *testing.T) {
	t.Parallel()
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
		err, _ = d.run(t, func(t *testing.T, round uint32, in, _ []session.Inbound) []session.Inbound {
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
