package abci_test

import (
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	cosmoslog "cosmossdk.io/log/v2"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// The results of a reshare go the way of all others: into a bundle, through the
// judgement of the other validators, into state.
func TestReshareByBundles(t *testing.T) {
	f := chain.New(t, 4)
	secret := f.ReadyKey("k", 1)
	f.Reshare("r", "k", 1, f.Participants[1:]...)
	f.EndBlocks(2)
	var attested mpctypes.Results
	for _, p := range f.Participants { // the first gets no share: its word is left out
		attested.Attestations = append(attested.Attestations, p.AttestReshare("r", 0, chain.Session("r"), secret.Payload(3)))
	}
	pass(t, f, attested)
	require.Equal(t, types.RESHARE_STATUS_TESTING, status(t, f))
	test, err := f.Keeper.Signature(f.Ctx, "test:r")
	require.NoError(t, err)
	pass(t, f, mpctypes.Results{Signatures: []mpctypes.SignatureResult{secret.Sign(test.Id, test.Digest)}})
	require.Equal(t, types.RESHARE_STATUS_READY, status(t, f))
}

func status(t *testing.T, f *chain.Fixture) types.ReshareStatus {
	t.Helper()
	r, err := f.Keeper.Reshare(f.Ctx, "r")
	require.NoError(t, err)
	return r.Status
}

// pass proposes results, judges the proposal and applies it.
func pass(t *testing.T, f *chain.Fixture, results mpctypes.Results) {
	t.Helper()
	h := abci.NewHandlers(f.Keeper, source(results), cosmoslog.NewNopLogger())
	proposal, err := h.PrepareProposal(func(sdk.Context, *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
		return &cmtabci.ResponsePrepareProposal{}, nil
	})(f.Ctx, &cmtabci.RequestPrepareProposal{MaxTxBytes: 1 << 20})
	require.NoError(t, err)
	require.Len(t, proposal.Txs, 1)
	verdict, err := h.ProcessProposal(func(sdk.Context, *cmtabci.RequestProcessProposal) (*cmtabci.ResponseProcessProposal, error) {
		return &cmtabci.ResponseProcessProposal{Status: cmtabci.ResponseProcessProposal_ACCEPT}, nil
	})(f.Ctx, &cmtabci.RequestProcessProposal{Txs: proposal.Txs})
	require.NoError(t, err)
	require.True(t, verdict.IsAccepted())
	_, err = h.PreBlocker(nil)(f.Ctx, &cmtabci.RequestFinalizeBlock{Txs: proposal.Txs})
	require.NoError(t, err)
}
