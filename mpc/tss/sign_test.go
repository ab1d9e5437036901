package tss_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// signParties makes one party for each of these participants of a key.
func signParties(t testing.TB, k fixtures.KeySet, digest []byte, signers []types.Operator) map[types.Operator]session.Party {
	t.Helper()
	protocol, err := tss.New(tss.AllowInsecureFixtures()).Protocol(types.KindSign, types.ECDSASecp256k1)
	require.NoError(t, err)
	parties := make(map[types.Operator]session.Party)
	for _, op := range signers {
		parties[op], err = protocol.NewParty(session.PartyConfig{
			Request: k.SignRequest("signature", digest), Context: types.Context{1}, Self: op, Signers: signers, Share: k.Share(op),
		})
		require.NoError(t, err)
	}
	return parties
}

func TestSmoke(t *testing.T) {
	k := fixtures.Shares(4, 2)
	digest := sha256.Sum256([]byte("x"))
	l := fixtures.Lockstep{Parties: signParties(t, k, digest[:], k.Operators[:3])}
	out := l.Run()
	require.NoError(t, out.Err())
	require.Len(t, out.Results, 3)
}
