package keeper_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// nearlyAll is a hook that uses up nearly all that it may.
const nearlyAll = keeper.HookGasLimit - 100_000

func burning(ctx context.Context, _, _ string) error {
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(nearlyAll, "burning")
	return nil
}

// withResults is a module's key with so many open signatures, and their results.
func withResults(t *testing.T, n int) (*chain.Fixture, *recorder, []mpctypes.SignatureResult) {
	t.Helper()
	f, r, api := withModule(t)
	secret := moduleKey(t, f, api, "k")
	results := make([]mpctypes.SignatureResult, n)
	for i := range results {
		s, err := api.KeySign(f.Ctx, fmt.Sprintf("s-%03d", i), "k", chain.Payload("text"))
		require.NoError(t, err)
		results[i] = secret.Sign(s.Id, s.Digest)
	}
	r.heard = nil
	return f, r, results
}

func applyBundle(t *testing.T, f *chain.Fixture, results []mpctypes.SignatureResult) {
	t.Helper()
	ctx := f.Keeper.ForBundle(f.Ctx)
	for i := range results {
		require.NoError(t, f.Keeper.ApplySignature(ctx, &results[i]))
	}
}

// Hooks count for the work of a bundle. Beyond its gas all results count all the same,
// and their hooks are called at the end of this block and the next ones, each once.
func TestWorkOfABundleIsBounded(t *testing.T) {
	const (
		signatures = 150
		most       = int(keeper.BundleGas/nearlyAll) + 1
	)
	require.Greater(t, signatures, 3*most)
	f, r, results := withResults(t, signatures)
	r.do = burning
	applyBundle(t, f, results)
	require.LessOrEqual(t, len(r.heard), most)
	require.Greater(t, len(r.heard), most/2)
	require.Equal(t, signatures, f.Events(&types.EventSignatureReady{}), "no result waits")
	require.Equal(t, signatures-len(r.heard), f.Entries(types.QueuedHooksPrefix))

	for len(r.heard) < signatures {
		before := len(r.heard)
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
		called := len(r.heard) - before
		require.LessOrEqual(t, called, most)
		require.Equal(t, signatures-len(r.heard), f.Entries(types.QueuedHooksPrefix))
		if len(r.heard) < signatures {
			require.Greater(t, called, most/2)
		}
	}
	seen := make(map[string]bool)
	for _, h := range r.heard {
		require.False(t, seen[h], "each once")
		seen[h] = true
	}
	require.Zero(t, f.Events(&types.EventHookFailed{}))
}

// No answer is pruned while its module waits to hear of it, however short answers stay.
func TestNothingIsPrunedUnheard(t *testing.T) {
	const signatures = 150
	f, r, results := withResults(t, signatures)
	retain(t, f, 1)
	r.do = burning
	applyBundle(t, f, results)
	require.NotZero(t, f.Entries(types.QueuedHooksPrefix))
	for f.Entries(types.QueuedHooksPrefix) > 0 {
		require.Less(t, f.Ctx.BlockHeight(), int64(20), "they come to an end")
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
	}
	require.Len(t, r.heard, signatures, "each once")
	f.EndBlocks(f.Ctx.BlockHeight() + 2)
	requireUnsigned(t, f, results[signatures-1].RequestID, types.ErrPruned)
}

// What queued hooks cost is not there for expiries of the same block, but for a few: all
// queues together are bounded, and none waits for another one to be empty.
func TestQueuesShareTheWorkOfABlockEnd(t *testing.T) {
	const (
		late = 50
		few  = int(keeper.QueueGas/nearlyAll) + 1
	)
	require.Greater(t, late, 2*few)
	f, r, results := withResults(t, 150+late)
	r.do = burning
	f.EndBlocks(301)
	applyBundle(t, f, results[:150])
	require.Greater(t, f.Entries(types.QueuedHooksPrefix), 2*int(keeper.EndBlockGas/nearlyAll), "more than a block's work")
	f.Events(&types.EventSignFailed{})
	for height := int64(302); height < 304; height++ {
		f.EndBlocks(height)
		failed := f.Events(&types.EventSignFailed{})
		require.Positive(t, failed)
		require.LessOrEqual(t, failed, few)
	}
	for height := int64(304); f.Entries(types.QueuedHooksPrefix) > 0 || f.Entries(types.RequestExpiryPrefix) > 0; height++ {
		require.Less(t, height, int64(320), "they come to an end")
		f.EndBlocks(height)
	}
	require.Len(t, r.heard, 150+late, "each once")
	require.Zero(t, f.Events(&types.EventHookFailed{}))
}

// Cheap hooks are called at once, a full bundle of them.
func TestCheapHooksDoNotWait(t *testing.T) {
	f, r, results := withResults(t, 150)
	applyBundle(t, f, results)
	require.Len(t, r.heard, 150)
	require.Zero(t, f.Entries(types.QueuedHooksPrefix))
}

// spent is the context of a bundle whose gas is used up.
func spent(f *chain.Fixture) sdk.Context {
	ctx := f.Keeper.ForBundle(f.Ctx)
	ctx.GasMeter().ConsumeGas(keeper.BundleGas, "burning")
	return ctx
}

// All hooks of results wait; what nobody is told of does not. The key is as it is when
// its hook is called, and a chain that starts anew calls what waited.
func TestQueuedHooks(t *testing.T) {
	f := chain.New(t, 3)
	r, j := listen(f)
	api := f.Keeper.ForModule("vault")
	f.KeyGen("accounts", 1)
	_, err := api.KeyGen(f.Ctx, "vault:1", types.ALGORITHM_ECDSA_SECP256K1, 1, nil, keeper.AllowRaw())
	require.NoError(t, err)
	for _, id := range []string{"accounts", "vault:1"} {
		request := mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: id}
		require.NoError(t, f.Keeper.ApplyEvidence(spent(f), f.Participants[0].Contradict(request)))
		for _, p := range f.Participants {
			a := p.Attest(id, 0, chain.Session(id), chain.NewSecret(id).Payload(3))
			require.NoError(t, f.Keeper.ApplyAttestation(spent(f), &a))
		}
	}
	open := mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "open"}
	f.KeyGen("open", 1)
	accusation := f.Participants[0].Accuse(open, f.Participants[1].Operator)
	require.NoError(t, f.Keeper.ApplyAccusation(spent(f), &accusation))
	require.Empty(t, r.heard)
	require.Empty(t, j.heard)
	require.Equal(t, 4, f.Entries(types.QueuedHooksPrefix))
	_, err = api.KeyDelete(f.Ctx, "vault:1")
	require.NoError(t, err)
	var status types.KeyStatus
	r.do = func(ctx context.Context, _, id string) error {
		key, err := api.Key(ctx, id)
		status = key.Status
		return err
	}
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.Len(t, gs.QueuedHooks, 4)
	require.NoError(t, gs.Validate())

	f.EndBlocks(2)
	require.Equal(t, []string{"ready vault:1"}, r.heard)
	require.Equal(t, types.KEY_STATUS_DELETING, status)
	require.Len(t, j.heard, 3)
	require.Zero(t, f.Entries(types.QueuedHooksPrefix))
	f.EndBlocks(5)
	require.Len(t, r.heard, 1)

	anew := chain.NewEmpty(t)
	heard, judges := listen(anew)
	require.NoError(t, anew.Keeper.InitGenesis(anew.Ctx, *gs))
	anew.Ctx = anew.Ctx.WithBlockHeight(1)
	require.Equal(t, 4, anew.Entries(types.QueuedHooksPrefix))
	anew.EndBlocks(2)
	require.Equal(t, []string{"ready vault:1"}, heard.heard)
	require.Len(t, judges.heard, 3)
}

// listen adds a module that asks, vault, and one that is told of faults.
func listen(f *chain.Fixture) (*recorder, *judges) {
	r, j := &recorder{}, &judges{}
	f.Keeper.AddHooks("vault", r).AddFaultHooks("slasher", j)
	return r, j
}

// A queued hook whose key cannot be read has its turn again, one whose accusation is
// gone has none.
func TestSpoiledQueuedHooks(t *testing.T) {
	f := chain.New(t, 3)
	r, j := listen(f)
	_, err := f.Keeper.ForModule("vault").KeyGen(f.Ctx, "k", types.ALGORITHM_ECDSA_SECP256K1, 1, nil, keeper.AllowRaw())
	require.NoError(t, err)
	setParams(t, f, func(p *types.Params) { p.FaultBlocks = 1 })
	accusation := f.Participants[0].Accuse(keygenK, f.Participants[1].Operator)
	require.NoError(t, f.Keeper.ApplyAccusation(spent(f), &accusation))
	for _, p := range f.Participants {
		a := p.Attest("k", 0, chain.Session("k"), chain.NewSecret("k").Payload(3))
		require.NoError(t, f.Keeper.ApplyAttestation(spent(f), &a))
	}
	spoil(f, types.QueuedHooksPrefix, "", failures["error"])
	f.EndBlocks(3)
	require.Zero(t, f.Entries(types.FaultsPrefix), "it lapsed")
	spoil(f, types.KeysPrefix, "k", failures["panic"])
	f.EndBlocks(4)
	require.Empty(t, r.heard)
	require.Empty(t, j.heard)
	require.Equal(t, 1, f.Entries(types.QueuedHooksPrefix), "the key's")
	f.Spoiled = nil
	f.EndBlocks(4 + keeper.RetryBlocks)
	require.Equal(t, []string{"ready k"}, r.heard)
	require.Zero(t, f.Entries(types.QueuedHooksPrefix))
}
