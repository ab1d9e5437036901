package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// The seed by which new shares prove themselves is the app hash of the block that lets them:
// what the application said at the end of the block before.
func TestTestSeedIsTheAppHash(t *testing.T) {
	s := newSignatory(t, func(*mpctypes.GenesisState) {})
	asked := s.send(&mpctypes.MsgKeyReshare{Requester: s.address.String(), ReshareId: "r", KeyId: keyID, Threshold: 1})
	require.Zero(t, asked.Code, asked.Log)
	reshare, hash := s.request(), s.app.LastCommitID().Hash
	s.attest(reshare)
	test := s.request()
	require.Equal(t, types.RequestID{Kind: types.KindSign, ID: "test:r"}, test.ID)
	require.Equal(t, hash, test.TestSeed)
	require.NotEqual(t, hash, s.app.LastCommitID().Hash)
}
