package tss_test

import (
	"crypto/rand"
	"math/big"
	"os"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	"github.com/bnb-chain/tss-lib/v2/eddsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/eddsa/resharing"
	"github.com/bnb-chain/tss-lib/v2/eddsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// bareEdDSA is a party of an EdDSA keygen of two with its peer.
func bareEdDSA(t *testing.T) (tsslib.Party, *tsslib.PartyID) {
	t.Helper()
	k := cheapKey()
	ids := rawIDs(k, k.Operators)
	params := tsslib.NewParameters(tsslib.Edwards(), tsslib.NewPeerContext(ids), ids[1], len(ids), k.Threshold)
	p := keygen.NewLocalParty(params, make(chan tsslib.Message, rawCapacity), make(chan *keygen.LocalPartySaveData, 1))
	require.Nil(t, p.Start())
	return p, ids[0]
}

// TestEdDSAKeygenChild runs in a child process only, which is not meant to
// survive: the peer's polynomial has no coefficient.
func TestEdDSAKeygenChild(t *testing.T) {
	if os.Getenv(attackVariable) == "" {
		t.Skip("runs in the child of TestEdDSAKeygen")
	}
	p, peer := bareEdDSA(t)
	none := commitments.NewHashCommitmentWithRandomness(big.NewInt(7))
	g := crypto.ScalarBaseMult(tsslib.Edwards(), big.NewInt(3))
	for _, m := range []tsslib.ParsedMessage{
		rawMessage(peer, true, &keygen.KGRound1Message{Commitment: none.C.Bytes()}),
		rawMessage(peer, false, &keygen.KGRound2Message1{Share: []byte{1}}),
		rawMessage(peer, true, &keygen.KGRound2Message2{
			DeCommitment: bytesOf(none.D), ProofAlphaX: g.X().Bytes(), ProofAlphaY: g.Y().Bytes(), ProofT: []byte{3},
		}),
	} {
		_, terr := p.Update(m)
		require.Nil(t, terr)
	}
	t.Fatal("survived")
}

// An EdDSA participant that commits to a polynomial without coefficients ends
// the process of every other. No message of theirs is ever decoded: TestEdDSA.
func TestEdDSAKeygen(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: a process of its own")
	}
	t.Parallel()
	stdout, stderr := childOf(t, "TestEdDSAKeygenChild", attackVariable+"=eddsa")
	require.NotContains(t, stdout, "survived")
	require.Contains(t, stderr, "index out of range")
	require.Contains(t, stderr, "eddsa/keygen/round_3.go:97")
}

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
	for _, m := range []tsslib.MessageContent{
		committed, opened, new(signing.SignRound3Message),
		new(keygen.KGRound1Message), new(keygen.KGRound2Message1), new(keygen.KGRound2Message2),
		new(resharing.DGRound1Message), new(resharing.DGRound2Message), new(resharing.DGRound3Message1),
		new(resharing.DGRound3Message2), new(resharing.DGRound4Message),
	} {
		name, _ := tss.TypeOf(m)
		require.Empty(t, name, "%T", m)
	}
}
