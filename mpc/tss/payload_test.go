package tss_test

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/paillier"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// smallShare has the numbers that a payload is made of, small ones, in the
// library's order, and the session and operators that they belong to.
func smallShare(t *testing.T) (types.Context, []types.Operator, keygen.LocalPartySaveData) {
	t.Helper()
	session := types.Context{1}
	operators := []types.Operator{"a", "b", "c"}
	point := func(x int64) *crypto.ECPoint { return crypto.ScalarBaseMult(tsslib.S256(), big.NewInt(x)) }
	data := keygen.NewLocalPartySaveData(len(operators))
	data.ECDSAPub = point(99)
	for i, op := range operators {
		at, err := tss.IndexOf(session, op, operators)
		require.NoError(t, err)
		x := int64(256 * (i + 1))
		data.Ks[at] = big.NewInt(x)
		data.BigXj[at] = point(x + 1)
		data.NTildej[at], data.H1j[at], data.H2j[at] = big.NewInt(x+2), big.NewInt(x+3), big.NewInt(x+4)
		data.PaillierPKs[at] = &paillier.PublicKey{N: big.NewInt(x + 5)}
	}
	return session, operators, data
}

// The hash that participants attest beside public key and public shares is
// golden, and is exactly what its documentation says.
func TestParametersHash(t *testing.T) {
	session, operators, data := smallShare(t)
	payload, err := tss.PayloadOf(session, 2, operators, data)
	require.NoError(t, err)

	var buf []byte
	field := func(b []byte) {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(b)))
		buf = append(buf, b...)
	}
	field([]byte("sequencer/mpc/v1/parameters"))
	field([]byte{0, 0, 0, 0, 0, 0, 0, 2})
	field([]byte{0, 0, 0, 0, 0, 0, 0, 3})
	for i, share := range payload.PublicShares {
		high := byte(i + 1)
		field([]byte{high, 0})
		field(share)
		field([]byte{high, 2})
		field([]byte{high, 3})
		field([]byte{high, 4})
		field([]byte{high, 5})
	}
	require.Equal(t, types.Hash(sha256.Sum256(buf)), payload.ParametersHash)
	require.Equal(t, "33d850442c5702499c15e9566b534880b0445d489016de52fe72d76690e83cd8", payload.ParametersHash.String())
}

// Participants that differ in any of what they must agree on attest different
// payloads.
func TestPayloadCoversEverything(t *testing.T) {
	session, operators, data := smallShare(t)
	first, err := tss.PayloadOf(session, 2, operators, data)
	require.NoError(t, err)
	other := crypto.ScalarBaseMult(tsslib.S256(), big.NewInt(7))
	for name, edit := range map[string]func(*keygen.LocalPartySaveData, *int){
		"public key":       func(d *keygen.LocalPartySaveData, _ *int) { d.ECDSAPub = other },
		"threshold":        func(_ *keygen.LocalPartySaveData, t *int) { *t = 1 },
		"party key":        func(d *keygen.LocalPartySaveData, _ *int) { d.Ks[1] = big.NewInt(7) },
		"share commitment": func(d *keygen.LocalPartySaveData, _ *int) { d.BigXj[2] = other },
		"NTilde":           func(d *keygen.LocalPartySaveData, _ *int) { d.NTildej[0] = big.NewInt(7) },
		"h1":               func(d *keygen.LocalPartySaveData, _ *int) { d.H1j[1] = big.NewInt(7) },
		"h2":               func(d *keygen.LocalPartySaveData, _ *int) { d.H2j[2] = big.NewInt(7) },
		"Paillier modulus": func(d *keygen.LocalPartySaveData, _ *int) { d.PaillierPKs[0] = &paillier.PublicKey{N: big.NewInt(7)} },
	} {
		t.Run(name, func(t *testing.T) {
			_, _, data := smallShare(t)
			threshold := 2
			edit(&data, &threshold)
			second, err := tss.PayloadOf(session, threshold, operators, data)
			require.NoError(t, err)
			require.NotEqual(t, first.Encode(), second.Encode())
		})
	}
}
