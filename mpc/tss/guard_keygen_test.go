package tss_test

import (
	"bytes"
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// edited decodes a body, changes it and encodes it again.
func edited[T any](t testing.TB, m session.Inbound, edit func(T)) session.Inbound {
	t.Helper()
	content, err := tss.DecodeBody(m.Type, m.Body)
	require.NoError(t, err)
	edit(content.(T))
	m.Body, err = tss.EncodeBody(content)
	require.NoError(t, err)
	return m
}

// replaced copies a round with the message of one type changed.
func replaced[T any](t testing.TB, in []session.Inbound, typ string, edit func(T)) []session.Inbound {
	t.Helper()
	out := append([]session.Inbound{}, in...)
	for i, m := range out {
		if m.Type == typ {
			out[i] = edited(t, m, edit)
			return out
		}
	}
	t.Fatalf("no message %s", typ)
	return nil
}

// order is that of the group.
var order, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

type kg1 = *keygen.KGRound1Message

type kg2m1 = *keygen.KGRound2Message1

type kg2m2 = *keygen.KGRound2Message2

type kg3 = *keygen.KGRound3Message

// even makes a number of 2048 bits even.
func even(b []byte) []byte {
	return append(bytes.Clone(b[:len(b)-1]), b[len(b)-1]&^1)
}

// multipleOf3 finds an odd number of 2048 bits near b that 3 divides.
func multipleOf3(b []byte) []byte {
	n := new(big.Int).SetBytes(b)
	n.Sub(n, new(big.Int).Mod(n, big.NewInt(6)))
	return n.Add(n, big.NewInt(3)).Bytes()
}

// largestSmall is the largest prime below 2^21.
var largestSmall = big.NewInt(2097143)

// oneSmallFactor is a modulus of 2048 bits whose other factors are large.
func oneSmallFactor(t *testing.T) []byte {
	t.Helper()
	large, err := rand.Prime(rand.Reader, 1003)
	require.NoError(t, err)
	n := product(largestSmall, preparamsOf(4).PaillierSK.P, large)
	require.Equal(t, 2048, n.BitLen())
	return n.Bytes()
}

// prime2048 is a prime of 2048 bits: the modulus of group 14 of RFC 3526.
var prime2048, _ = new(big.Int).SetString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF", 16)

func TestGuardKeygenRound1(t *testing.T) {
	negative := append([]byte{0x80}, make([]byte, 7)...)
	modulus, aux := "PaillierN is not", "NTilde is not"
	units := "h1 or h2 is not"
	factor := new(big.Int).Add(new(big.Int).Lsh(preparamsOf(1).P, 1), big.NewInt(1)).Bytes()
	own, small := preparamsOf(0), oneSmallFactor(t)
	cases := []struct {
		name string
		edit func(kg1)
		want string
		alone
	}{
		{"valid", func(kg1) {}, "", ""},
		{"long commitment", func(m kg1) { m.Commitment = append(m.Commitment, m.Commitment...)[:33] }, "commitment is not", refuses},
		{"even modulus", func(m kg1) { m.PaillierN = even(m.PaillierN) }, modulus, dies},
		{"modulus with a small factor", func(m kg1) { m.PaillierN = multipleOf3(m.PaillierN) }, modulus, accepts},
		{"modulus with a factor just below 2^21", func(m kg1) { m.PaillierN = small }, modulus, accepts},
		{"prime modulus", func(m kg1) { m.PaillierN = prime2048.Bytes() }, modulus, refuses},
		{"short modulus", func(m kg1) { m.PaillierN = m.PaillierN[1:] }, modulus, refuses},
		{"long modulus", func(m kg1) { m.PaillierN = append([]byte{1}, m.PaillierN...) }, modulus, refuses},
		{"leading zeros", func(m kg1) { m.H1 = append([]byte{0}, m.H1...) }, "", ""},
		{"even auxiliary modulus", func(m kg1) { m.NTilde = even(m.NTilde) }, aux, accepts},
		{"prime auxiliary modulus", func(m kg1) { m.NTilde = prime2048.Bytes() }, aux, accepts},
		{"one modulus for both", func(m kg1) { m.NTilde = m.PaillierN }, aux, accepts},
		{"h1 is 1", func(m kg1) { m.H1 = []byte{1} }, units, refuses},
		{"h2 is 1", func(m kg1) { m.H2 = []byte{1} }, units, refuses},
		{"h1 is 0", func(m kg1) { m.H1 = []byte{0} }, units, refuses},
		{"h1 is NTilde", func(m kg1) { m.H1 = m.NTilde }, units, refuses},
		{"h2 above NTilde", func(m kg1) { m.H2 = bytes.Repeat([]byte{0xff}, 256) }, units, unharmed},
		{"h1 is h2", func(m kg1) { m.H2 = m.H1 }, "h2 is not different", refuses},
		{"proof 1: negative length", func(m kg1) { m.Dlnproof_1[0] = negative }, "Dlnproof_1", dies},
		{"proof 1: negative second length", func(m kg1) { m.Dlnproof_1[129] = negative }, "Dlnproof_1", dies},
		{"proof 2: negative length", func(m kg1) { m.Dlnproof_2[0] = negative }, "Dlnproof_2", dies},
		{"proof 2: other split", func(m kg1) { m.Dlnproof_2[0] = []byte{127} }, "Dlnproof_2", dies},
		{"proof 1: too short", func(m kg1) { m.Dlnproof_1 = m.Dlnproof_1[:257] }, "lacks a field", refuses},
		{"proof 1: alpha is 0", func(m kg1) { m.Dlnproof_1[1] = []byte{0} }, "Dlnproof_1 alpha is not", refuses},
		{"proof 1: alpha is 1", func(m kg1) { m.Dlnproof_1[1] = []byte{1} }, "Dlnproof_1 alpha is not", refuses},
		{"proof 1: alpha is NTilde", func(m kg1) { m.Dlnproof_1[128] = m.NTilde }, "Dlnproof_1 alpha is not", refuses},
		{"proof 1: alpha shares a factor with NTilde", func(m kg1) { m.Dlnproof_1[2] = factor }, "Dlnproof_1 alpha is not", refuses},
		{"proof 2: T is 0", func(m kg1) { m.Dlnproof_2[130] = []byte{0} }, "Dlnproof_2 T is not", refuses},
		{"proof 2: T is 1", func(m kg1) { m.Dlnproof_2[257] = []byte{1} }, "Dlnproof_2 T is not", refuses},
		{"proof 2: T is NTilde", func(m kg1) { m.Dlnproof_2[130] = m.NTilde }, "Dlnproof_2 T is not", refuses},
		{"our Paillier modulus", func(m kg1) { m.PaillierN = own.PaillierSK.N.Bytes() }, "is our own", unharmed},
		{"our auxiliary modulus as Paillier modulus", func(m kg1) { m.PaillierN = own.NTildei.Bytes() }, "is our own", unharmed},
		{"our h1", func(m kg1) { m.H1 = own.H1i.Bytes() }, "is our own", misnames},
		{"our h1 as h2", func(m kg1) { m.H2 = own.H1i.Bytes() }, "is our own", misnames},
	}
	k, rounds := fixtures.Shares(2, 1), fixtures.KeygenTranscript()
	p, err := protocol(t, types.KindKeygen).NewParty(keygenConfig(k, 0))
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := tss.Judge(p, 1, replaced(t, rounds[0], "kg1", c.edit))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			requireBlame(t, err, k.Operators[1], c.want)
		})
	}
}

func TestGuardKeygenRound2(t *testing.T) {
	cases := []struct {
		name string
		edit func([]session.Inbound) []session.Inbound
		want string
		alone
	}{
		{"valid", func(in []session.Inbound) []session.Inbound { return in }, "", ""},
		{"share is 0", onKG2M1(t, func(m kg2m1) { m.Share = []byte{0} }), "share is not", dies},
		{"share is q", onKG2M1(t, func(m kg2m1) { m.Share = order.Bytes() }), "share is not", dies},
		{"share above 32 bytes", onKG2M1(t, func(m kg2m1) { m.Share = append([]byte{0}, make([]byte, 32)...) }), "share is not", dies},
		{"no proof", onKG2M1(t, func(m kg2m1) { m.FacProof = nil }), "FacProof has", refuses},
		{"short proof", onKG2M1(t, func(m kg2m1) { m.FacProof = m.FacProof[:10] }), "FacProof has", refuses},
		{"polynomial too short", onKG2M2(t, func(m kg2m2) { m.DeCommitment = m.DeCommitment[:3] }), "DeCommitment has 3 parts", dies},
		{"polynomial too long", onKG2M2(t, func(m kg2m2) {
			m.DeCommitment = append(m.DeCommitment[:3], []byte{1}, []byte{2}, []byte{3}, []byte{4})
		}), "DeCommitment has 7 parts", accepts},
		{"point off the curve", onKG2M2(t, func(m kg2m2) { m.DeCommitment[2] = m.DeCommitment[1] }), "DeCommitment 1 is not", refuses},
		{"point with junk behind it", onKG2M2(t, func(m kg2m2) {
			m.DeCommitment[3] = append(bytes.Clone(m.DeCommitment[3]), 7)
		}), "DeCommitment 3 is not", accepts},
		{"long random number", onKG2M2(t, func(m kg2m2) { m.DeCommitment[0] = make([]byte, 33) }), "DeCommitment 0 is not", unharmed},
		{"no modulus proof", onKG2M2(t, func(m kg2m2) { m.ModProof = nil }), "ModProof has 0 parts", refuses},
		{"W is 0", onKG2M2(t, func(m kg2m2) { m.ModProof[0] = []byte{0} }), "ModProof W is not", refuses},
		{"W has Jacobi symbol 1", onKG2M2(t, func(m kg2m2) { m.ModProof[0] = []byte{4} }), "ModProof W is not", refuses},
		{"W is N", onKG2M2(t, func(m kg2m2) { m.ModProof[0] = peerModulus(t) }), "ModProof W is not", refuses},
		{"W shares a factor with N", onKG2M2(t, func(m kg2m2) { m.ModProof[0] = preparamsOf(1).PaillierSK.P.Bytes() }), "ModProof W is not", accepts},
		{"X is 0", onKG2M2(t, func(m kg2m2) { m.ModProof[7] = []byte{0} }), "ModProof X is not", refuses},
		{"Z is N", onKG2M2(t, func(m kg2m2) { m.ModProof[162] = peerModulus(t) }), "ModProof Z is not", refuses},
		{"A too short", onKG2M2(t, func(m kg2m2) { m.ModProof[81] = m.ModProof[81][1:] }), "ModProof A or B", refuses},
		{"B too long", onKG2M2(t, func(m kg2m2) { m.ModProof[82] = append([]byte{2}, m.ModProof[82][1:]...) }), "ModProof A or B", refuses},
	}
	k, rounds := fixtures.Shares(2, 1), fixtures.KeygenTranscript()
	p, err := protocol(t, types.KindKeygen).NewParty(keygenConfig(k, 0))
	require.NoError(t, err)
	requireBlame(t, tss.Judge(p, 2, rounds[1]), k.Operators[1], "parameters of this peer are missing")
	require.NoError(t, tss.Judge(p, 1, rounds[0]))
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := tss.Judge(p, 2, c.edit(rounds[1]))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			requireBlame(t, err, k.Operators[1], c.want)
		})
	}
}

func onKG2M1(t *testing.T, edit func(kg2m1)) func([]session.Inbound) []session.Inbound {
	return func(in []session.Inbound) []session.Inbound { return replaced(t, in, "kg2m1", edit) }
}

func onKG2M2(t *testing.T, edit func(kg2m2)) func([]session.Inbound) []session.Inbound {
	return func(in []session.Inbound) []session.Inbound { return replaced(t, in, "kg2m2", edit) }
}

// peerModulus is the Paillier modulus of the transcript's sender.
func peerModulus(t *testing.T) []byte {
	content, err := tss.DecodeBody("kg1", fixtures.KeygenTranscript()[0][0].Body)
	require.NoError(t, err)
	return content.(kg1).PaillierN
}

func TestGuardKeygenRound3(t *testing.T) {
	k, rounds := fixtures.Shares(2, 1), fixtures.KeygenTranscript()
	p, err := protocol(t, types.KindKeygen).NewParty(keygenConfig(k, 0))
	require.NoError(t, err)
	requireBlame(t, tss.Judge(p, 3, rounds[2]), k.Operators[1], "parameters of this peer are missing")
	require.NoError(t, tss.Judge(p, 1, rounds[0]))
	require.NoError(t, tss.Judge(p, 3, rounds[2]))
	for name, edit := range map[string]func(kg3){
		"zero":    func(m kg3) { m.PaillierProof[5] = []byte{0} },
		"modulus": func(m kg3) { m.PaillierProof[12] = peerModulus(t) },
	} {
		t.Run(name, func(t *testing.T) {
			requireBlame(t, tss.Judge(p, 3, replaced(t, rounds[2], "kg3", edit)), k.Operators[1], "PaillierProof is not")
		})
	}
}
