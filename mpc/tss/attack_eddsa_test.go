package tss_test

import (
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	"github.com/bnb-chain/tss-lib/v2/eddsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/eddsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// An EdDSA signer that opens a point off the curve makes Update panic. There
// are no EdDSA sessions yet, and no message of theirs is ever decoded.
func TestEdDSA(t *testing.T) {
	k := fixtures.Shares(2, 1)
	ids := rawIDs(k, k.Operators)
	curve := tsslib.Edwards()
	data := keygen.NewLocalPartySaveData(len(ids))
	for i, id := range ids {
		x, err := rand.Int(rand.Reader, curve.Params().N)
		require.NoError(t, err)
		data.Ks[i], data.BigXj[i] = id.KeyInt(), crypto.ScalarBaseMult(curve, x)
		data.Xi, data.EDDSAPub = x, data.BigXj[i]
	}
	self, peer := ids[1], ids[0]
	data.ShareID = self.KeyInt()
	params := tsslib.NewParameters(curve, tsslib.NewPeerContext(ids), self, len(ids), k.Threshold)
	p := signing.NewLocalParty(big.NewInt(1), params, data, make(chan tsslib.Message, rawCapacity), make(chan *common.SignatureData, 1))
	require.Nil(t, p.Start())

	off := commitments.NewHashCommitmentWithRandomness(big.NewInt(7), big.NewInt(1), big.NewInt(2))
	committed := &signing.SignRound1Message{Commitment: off.C.Bytes()}
	opened := &signing.SignRound2Message{
		DeCommitment: bytesOf(off.D), ProofAlphaX: []byte{1}, ProofAlphaY: []byte{2}, ProofT: []byte{3},
	}
	_, terr := p.Update(rawMessage(peer, true, committed))
	require.Nil(t, terr)
	require.Panics(t, func() { p.Update(rawMessage(peer, true, opened)) })

	const eddsa types.Algorithm = 2
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindReshare} {
		_, err := fixtureProtocols.Protocol(kind, eddsa)
		require.ErrorIs(t, err, types.ErrUnsupportedAlgorithm)
	}
	for _, m := range []tsslib.MessageContent{committed, opened, new(signing.SignRound3Message), new(keygen.KGRound1Message), new(keygen.KGRound2Message1), new(keygen.KGRound2Message2)} {
		name, _ := tss.TypeOf(m)
		require.Empty(t, name)
	}
}
