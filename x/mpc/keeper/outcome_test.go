package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
)

// Metrics learn how a request ended and when; nothing of one that did not, or that nobody
// asked.
func TestEngineOutcome(t *testing.T) {
	f := chain.New(t, 3)
	outcome := func(kind mpctypes.RequestKind, id string) (mpctypes.Outcome, bool) {
		o, known, err := f.Keeper.EngineOutcome(f.Ctx, mpctypes.RequestID{Kind: kind, ID: id})
		require.NoError(t, err)
		return o, known
	}
	requireOutcome := func(kind mpctypes.RequestKind, id string, height int64, reason mpctypes.Reason) {
		t.Helper()
		o, known := outcome(kind, id)
		require.True(t, known)
		require.Equal(t, mpctypes.Outcome{Height: height, Reason: reason}, o)
	}
	for _, kind := range []mpctypes.RequestKind{mpctypes.KindKeygen, mpctypes.KindSign, mpctypes.KindReshare, mpctypes.KindPresign} {
		_, known := outcome(kind, "unknown")
		require.False(t, known, kind)
	}
	f.EndBlocks(20)
	f.KeyGen("slow", 1)
	requireOutcome(mpctypes.KindKeygen, "slow", 0, "")
	secret := f.ReadyKey("k", 1)
	requireOutcome(mpctypes.KindKeygen, "k", f.Ctx.BlockHeight(), "")

	f.EndBlocks(30)
	signed := f.KeySign("signed", "k", "text")
	requireOutcome(mpctypes.KindSign, "signed", 0, "")
	result := secret.Sign("signed", signed.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	requireOutcome(mpctypes.KindSign, "signed", f.Ctx.BlockHeight(), "")

	f.Reshare("r", "k", 1)
	f.Stage("r", secret)
	requireOutcome(mpctypes.KindReshare, "r", 0, "")
	f.PassTest("r", secret)
	requireOutcome(mpctypes.KindReshare, "r", f.Ctx.BlockHeight(), "")

	request, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	require.Len(t, request, 1)
	f.EndBlocks(request[0].ExpiryHeight + 1)
	o, known := outcome(mpctypes.KindKeygen, "slow")
	require.True(t, known)
	require.Equal(t, mpctypes.ErrExpired, o.Reason)
	require.Positive(t, o.Height)
}

// Of the signatures that were decided last those that failed are listed, the newest first, and
// no more are looked at than asked for.
func TestEngineFailedSigns(t *testing.T) {
	f := chain.New(t, 3)
	failed := func(looks int) []string {
		t.Helper()
		ids, err := f.Keeper.EngineFailedSigns(f.Ctx, looks)
		require.NoError(t, err)
		return ids
	}
	secret := f.ReadyKey("k", 1)
	require.Empty(t, failed(10))
	expire := func(id string) {
		f.KeySign(id, "k", "text of "+id)
		requests, err := f.Keeper.EngineRequests(f.Ctx)
		require.NoError(t, err)
		require.Len(t, requests, 1)
		f.EndBlocks(requests[0].ExpiryHeight + 1)
	}
	expire("z")
	expire("a")
	s := f.KeySign("signed", "k", "text")
	result := secret.Sign("signed", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	f.KeySign("open", "k", "another text")
	require.Equal(t, []string{"a", "z"}, failed(10))
	require.Equal(t, []string{"a"}, failed(2))
	require.Empty(t, failed(1), "it is the one that was signed")
	require.Empty(t, failed(0))
}
