package tss_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// The stored keys are the golden files of the share format and of the
// parameters' hash: shares from any earlier version must open for ever.
func TestCheckShareFixtures(t *testing.T) {
	t.Parallel()
	for _, nt := range [][2]int{{2, 1}, {3, 1}, {4, 2}, {5, 2}} {
		k := fixtures.Shares(nt[0], nt[1])
		require.Len(t, k.Operators, nt[0])
		require.Equal(t, nt[1], k.Threshold)
		for _, op := range k.Operators {
			require.NoError(t, tss.CheckShare(k.Share(op), k.Payload, op, k.Operators))
		}
		require.Nil(t, k.Share("stranger"))
	}
}

func TestCheckShareAgainst(t *testing.T) {
	k, other := fixtures.Shares(3, 1), fixtures.Shares(2, 1)
	changed := k.Payload
	changed.ParametersHash[0] ^= 1
	require.ErrorContains(t, tss.CheckShare(k.Shares[0], changed, k.Operators[0], k.Operators), "another key")
	require.ErrorContains(t, tss.CheckShare(k.Shares[0], other.Payload, k.Operators[0], k.Operators), "another key")
	require.ErrorContains(t, tss.CheckShare(k.Shares[0], k.Payload, k.Operators[1], k.Operators), "another participant")
	require.ErrorContains(t, tss.CheckShare(k.Shares[0], k.Payload, k.Operators[0], k.Operators[:2]), "check share")
	require.ErrorContains(t, tss.CheckShare(k.Shares[0], k.Payload, "stranger", k.Operators), "not one of")

	k = fixtures.Shares(4, 2)
	lower, err := tss.EditShare(k.Shares[0], func(_ *types.Context, t *int, _ *keygen.LocalPartySaveData) { *t = 1 })
	require.NoError(t, err)
	require.ErrorContains(t, tss.CheckShare(lower, k.Payload, k.Operators[0], k.Operators), "do not give the public key")
}

func TestCheckShareNumbers(t *testing.T) {
	k := fixtures.Shares(3, 1)
	five := crypto.ScalarBaseMult(tsslib.S256(), big.NewInt(5))
	type data = *keygen.LocalPartySaveData
	cases := []struct {
		name string
		edit func(session *types.Context, threshold *int, d data)
		want string
	}{
		{"valid", func(*types.Context, *int, data) {}, ""},
		{"session", func(s *types.Context, _ *int, _ data) { s[0] ^= 1 }, "party key"},
		{"threshold", func(_ *types.Context, t *int, _ data) { *t = 2 }, "another key"},
		{"threshold too high", func(_ *types.Context, t *int, _ data) { *t = 3 }, "bad_threshold"},
		{"party key", func(_ *types.Context, _ *int, d data) { d.Ks[1] = big.NewInt(5) }, "party key 1"},
		{"missing party key", func(_ *types.Context, _ *int, d data) { d.Ks[1] = nil }, "missing"},
		{"too few", func(_ *types.Context, _ *int, d data) { d.H1j = d.H1j[:2] }, "2 of H1j"},
		{"too few commitments", func(_ *types.Context, _ *int, d data) { d.BigXj = d.BigXj[:2] }, "2 commitments"},
		{"missing commitment", func(_ *types.Context, _ *int, d data) { d.BigXj[0] = nil }, "missing"},
		{"secret", func(_ *types.Context, _ *int, d data) { d.Xi.Add(d.Xi, big.NewInt(1)) }, "does not match its commitment"},
		{"secret not reduced", func(_ *types.Context, _ *int, d data) { d.Xi.Add(d.Xi, order) }, "out of range"},
		{"no secret", func(_ *types.Context, _ *int, d data) { d.Xi = nil }, "out of range"},
		{"public key", func(_ *types.Context, _ *int, d data) { d.ECDSAPub = five }, "do not give the public key"},
		{"no public key", func(_ *types.Context, _ *int, d data) { d.ECDSAPub = nil }, "no point"},
		{"a peer's modulus", func(_ *types.Context, _ *int, d data) { d.NTildej[1] = big.NewInt(7) }, "2048 bits"},
		{"a peer's negative modulus", func(_ *types.Context, _ *int, d data) { d.PaillierPKs[2].N.Neg(d.PaillierPKs[2].N) }, "PaillierN is not odd and of 2048 bits"},
		{"a peer's even modulus", func(_ *types.Context, _ *int, d data) { d.PaillierPKs[2].N.SetBit(d.PaillierPKs[2].N, 0, 0) }, "PaillierN is not odd"},
		{"a peer's prime modulus", func(_ *types.Context, _ *int, d data) { d.PaillierPKs[peerOf(d)].N = prime2048 }, "PaillierN is not a composite"},
		{"a peer's modulus with a small factor", func(_ *types.Context, _ *int, d data) {
			p := peerOf(d)
			d.NTildej[p].SetBytes(multipleOf3(d.NTildej[p].Bytes()))
			d.H1j[p], d.H2j[p] = big.NewInt(4), big.NewInt(16)
		}, "NTilde is not a composite without small factors"},
		{"a peer's h1 is 1", func(_ *types.Context, _ *int, d data) { d.H1j[1] = big.NewInt(1) }, "h1 or h2 is not above 1"},
		{"a peer's h2 is NTilde", func(_ *types.Context, _ *int, d data) { d.H2j[1] = d.NTildej[1] }, "h1 or h2 is not above 1 and below NTilde"},
		{"a peer's h1 is its h2", func(_ *types.Context, _ *int, d data) { d.H1j[1] = d.H2j[1] }, "h2 is not different"},
		{"our published h1 is no unit", func(_ *types.Context, _ *int, d data) {
			d.H1j[selfOf(d)] = plus(new(big.Int).Lsh(d.P, 1), 1)
		}, "h1 or h2 is not coprime"},
		{"our published modulus is another", func(_ *types.Context, _ *int, d data) {
			d.PaillierPKs[selfOf(d)].N = paillierN(9)
		}, "own Paillier key is not the one the others know"},
		{"our published h1 is another", func(_ *types.Context, _ *int, d data) {
			d.H1j[selfOf(d)] = big.NewInt(4)
		}, "auxiliary parameters do not match those the others know"},
		{"our published h2 is another", func(_ *types.Context, _ *int, d data) {
			d.H2j[selfOf(d)] = big.NewInt(4)
		}, "auxiliary parameters do not match those the others know"},
		{"our published NTilde is another", func(_ *types.Context, _ *int, d data) {
			p := preparamsOf(9)
			self := selfOf(d)
			d.NTildej[self], d.H1j[self], d.H2j[self] = p.NTildei, p.H1i, p.H2i
		}, "auxiliary parameters do not match those the others know"},
		{"two participants with one modulus", func(_ *types.Context, _ *int, d data) { d.PaillierPKs[0] = d.PaillierPKs[1] }, "participants 0 and 1 have the same"},
		{"NTilde", func(_ *types.Context, _ *int, d data) { d.NTildei.Add(d.NTildei, big.NewInt(2)) }, "NTilde is not"},
		{"N", func(_ *types.Context, _ *int, d data) { d.PaillierSK.N.Add(d.PaillierSK.N, big.NewInt(2)) }, "N is not"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			raw, err := tss.EditShare(k.Shares[0], c.edit)
			require.NoError(t, err)
			err = tss.CheckShare(raw, k.Payload, k.Operators[0], k.Operators)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// selfOf is the place of a share's owner.
func selfOf(d *keygen.LocalPartySaveData) int {
	return slices.IndexFunc(d.Ks, func(k *big.Int) bool { return k.Cmp(d.ShareID) == 0 })
}

// peerOf is the place of a participant that is not the share's owner.
func peerOf(d *keygen.LocalPartySaveData) int {
	return slices.IndexFunc(d.Ks, func(k *big.Int) bool { return k.Cmp(d.ShareID) != 0 })
}

// Encodings that are not exactly what a keygen wrote are refused, and the
// errors do not repeat what is inside.
// A share says whose it is.
func TestShareOwner(t *testing.T) {
	k, other := fixtures.Shares(3, 1), fixtures.Shares(2, 1)
	for i, op := range k.Operators {
		owner, err := tss.ShareOwner(k.Shares[i], k.Operators)
		require.NoError(t, err)
		require.Equal(t, op, owner)
	}
	_, err := tss.ShareOwner(k.Shares[2], k.Operators[:2])
	require.ErrorContains(t, err, "none of the 2")
	_, err = tss.ShareOwner(k.Shares[0], nil)
	require.Error(t, err)
	_, err = tss.ShareOwner(other.Shares[0][1:], other.Operators)
	require.Error(t, err)
}

func TestShareEncoding(t *testing.T) {
	k := fixtures.Shares(2, 1)
	raw := k.Shares[0]
	data, err := tss.ShareData(raw)
	require.NoError(t, err)
	secret := data.Xi.String()
	require.Contains(t, string(raw), secret)
	require.Contains(t, string(raw), `"insecure":true`)
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, raw, "", " "))
	replace := func(old, with string) []byte {
		require.Contains(t, string(raw), old)
		return bytes.Replace(raw, []byte(old), []byte(with), 1)
	}
	for name, bad := range map[string][]byte{
		"empty":          nil,
		"truncated":      raw[:len(raw)/2],
		"trailing":       append(bytes.Clone(raw), '{'),
		"trailing space": append(bytes.Clone(raw), ' '),
		"indented":       indented.Bytes(),
		"version":        replace(`"version":1`, `"version":2`),
		"kind":           replace("ecdsa-secp256k1-share", "eddsa-ed25519-share"),
		"unknown field":  replace(`"version":1`, `"version":1,"x":2`),
		"session":        replace(`"session":"`, `"session":"00`),
		"secret as text": replace(secret, `"`+secret+`x"`),
		"curve":          replace(`"Curve":"secp256k1"`, `"Curve":"ed25519"`),
		"too long":       append(bytes.Clone(raw), make([]byte, tss.MaxShareBytes)...),
	} {
		t.Run(name, func(t *testing.T) {
			err := tss.CheckShare(bad, k.Payload, k.Operators[0], k.Operators)
			require.Error(t, err)
			require.NotContains(t, err.Error(), secret[:20])
		})
	}
}

func FuzzShare(f *testing.F) {
	k := fixtures.Shares(2, 1)
	f.Add(k.Shares[0])
	f.Add([]byte(`{"version":1,"kind":"ecdsa-secp256k1-share"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := tss.CheckShare(raw, k.Payload, k.Operators[0], k.Operators); err == nil {
			require.Equal(t, k.Shares[0], raw, "two encodings of one share")
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	for _, in := range slices.Concat(fixtures.KeygenTranscript(), signStage.transcript(), reshareTranscript(f)) {
		for _, m := range in {
			f.Add(m.Type, m.Body)
		}
	}
	f.Fuzz(func(t *testing.T, typ string, body []byte) {
		content, err := tss.DecodeBody(typ, body)
		if err != nil {
			return
		}
		again, err := tss.EncodeBody(content)
		require.NoError(t, err)
		_, err = tss.DecodeBody(typ, again)
		require.NoError(t, err)
	})
}
