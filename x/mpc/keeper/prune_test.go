package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func retain(t *testing.T, f *chain.Fixture, blocks uint32) {
	t.Helper()
	setParams(t, f, func(p *types.Params) { p.RetentionBlocks = blocks })
}

func requireUnsigned(t *testing.T, f *chain.Fixture, id string, want error) {
	t.Helper()
	_, err := f.Keeper.Signature(f.Ctx, id)
	require.ErrorIs(t, err, want)
}

// pruning is a chain that keeps signatures for 50 blocks: at height 10, done is READY and
// failed is PENDING, and will be ERROR at 310.
func pruning(t *testing.T) (*chain.Fixture, chain.Secret) {
	t.Helper()
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	retain(t, f, 50)
	f.EndBlocks(10)
	f.KeySign("done", "k", "a")
	finishSign(t, f, "done", secret)
	f.KeySign("failed", "k", "b")
	return f, secret
}

func TestPrune(t *testing.T) {
	f, _ := pruning(t)
	done := requireSignature(t, f, "done", types.SIGNATURE_STATUS_READY, "")
	f.EndBlocks(60)
	requireSignature(t, f, "done", types.SIGNATURE_STATUS_READY, "")
	f.EndBlocks(61)
	requireUnsigned(t, f, "done", types.ErrPruned)
	requireUnsigned(t, f, "never", types.ErrUnknownSignature)
	requireSignature(t, f, "failed", types.SIGNATURE_STATUS_PENDING, "")
	f.EndBlocks(360)
	requireSignature(t, f, "failed", types.SIGNATURE_STATUS_ERROR, "expired")
	f.EndBlocks(361)
	requireUnsigned(t, f, "failed", types.ErrPruned)
	require.Zero(t, f.Entries(types.SignaturesPrefix))
	require.Zero(t, f.Entries(types.SignaturesByKeyPrefix))
	require.Zero(t, f.Entries(types.DecidedSignaturesPrefix))
	require.Equal(t, 2, f.Entries(types.PrunedSignaturesPrefix))

	// Whoever asks for the same learns that it was; the id never comes back for anything
	// else. Nothing is opened.
	for name, c := range map[string]struct {
		id, text string
		want     error
	}{
		"the same":           {"done", "a", types.ErrPruned},
		"another digest":     {"done", "b", types.ErrIDTaken},
		"the same, failed":   {"failed", "b", types.ErrPruned},
		"another one, again": {"failed", "a", types.ErrIDTaken},
	} {
		_, err := f.Msg.KeySign(f.Ctx, &types.MsgKeySign{Requester: f.Requester, SignatureId: c.id, KeyId: "k", Payload: chain.Payload(c.text)})
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := f.Keeper.ForModule("vault").KeySign(f.Ctx, "done", "k", chain.Payload("a"))
	require.ErrorIs(t, err, types.ErrIDTaken, "who asks is part of what is asked")
	require.Zero(t, f.Entries(types.RequestsPrefix))
	_, err = f.Query.Signature(f.Ctx, &types.QuerySignatureRequest{SignatureId: "done"})
	require.ErrorIs(t, err, types.ErrPruned)

	// A result that comes late is known; a node sees no signature.
	late := chain.NewSecret("k").Sign("done", done.Digest)
	require.ErrorIs(t, f.Keeper.CheckSignature(f.Ctx, &late), types.ErrAlreadyDecided)
	_, there, err := f.Keeper.EngineSignature(f.Ctx, "done")
	require.NoError(t, err)
	require.False(t, there)
}

// 0 keeps all. A parameter that is set later prunes the past, too, and one that is
// raised keeps what is still there.
func TestRetentionCountsAsItIsNow(t *testing.T) {
	f, secret := pruning(t)
	retain(t, f, 0)
	f.EndBlocks(200)
	requireSignature(t, f, "done", types.SIGNATURE_STATUS_READY, "")
	retain(t, f, 190)
	f.KeySign("young", "k", "c")
	finishSign(t, f, "young", secret)
	f.EndBlocks(201)
	requireUnsigned(t, f, "done", types.ErrPruned)
	retain(t, f, 300)
	f.EndBlocks(500)
	requireSignature(t, f, "young", types.SIGNATURE_STATUS_READY, "")
	f.EndBlocks(501)
	requireUnsigned(t, f, "young", types.ErrPruned)
}

func TestPrunesOfABlockAreBounded(t *testing.T) {
	const rest = 3
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	setParams(t, f, unlimited)
	for i := range keeper.MaxPrunesPerBlock + rest {
		id := fmt.Sprintf("s-%03d", i)
		f.KeySign(id, "k", "text")
		finishSign(t, f, id, secret)
	}
	retain(t, f, 10)
	f.EndBlocks(11)
	require.Zero(t, f.Entries(types.PrunedSignaturesPrefix))
	f.EndBlocks(12)
	require.Equal(t, keeper.MaxPrunesPerBlock, f.Entries(types.PrunedSignaturesPrefix))
	requireUnsigned(t, f, "s-000", types.ErrPruned)
	requireSignature(t, f, fmt.Sprintf("s-%03d", keeper.MaxPrunesPerBlock), types.SIGNATURE_STATUS_READY, "")
	f.EndBlocks(13)
	require.Equal(t, keeper.MaxPrunesPerBlock+rest, f.Entries(types.PrunedSignaturesPrefix))
}

// One that cannot be pruned holds nobody up and is whole.
func TestSpoiledPruneStepsAside(t *testing.T) {
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			f, secret := pruning(t)
			f.KeySign("good", "k", "c")
			finishSign(t, f, "good", secret)
			spoil(f, types.PrunedSignaturesPrefix, "done", fail)
			f.EndBlocks(61)
			f.Spoiled = nil
			requireUnsigned(t, f, "good", types.ErrPruned)
			requireSignature(t, f, "done", types.SIGNATURE_STATUS_READY, "")
			f.EndBlocks(60 + keeper.RetryBlocks)
			requireSignature(t, f, "done", types.SIGNATURE_STATUS_READY, "")
			f.EndBlocks(61 + keeper.RetryBlocks)
			requireUnsigned(t, f, "done", types.ErrPruned)
		})
	}
}

// What was pruned stays so on a chain that starts anew, and what was decided is pruned
// when it would have been.
func TestPruneGenesis(t *testing.T) {
	old, secret := pruning(t)
	old.EndBlocks(40)
	old.KeySign("later", "k", "c")
	finishSign(t, old, "later", secret)
	old.EndBlocks(71)
	gs, err := old.Keeper.ExportGenesis(old.Ctx.WithBlockHeight(70))
	require.NoError(t, err)
	require.Len(t, gs.PrunedSignatures, 1)
	for name, initial := range map[string]int64{"the same chain": 71, "from height 1": 0} {
		f := chain.NewEmpty(t)
		f.Ctx = f.Ctx.WithBlockHeight(initial)
		require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs), name)
		base := max(initial-1, 0)
		again, err := f.Keeper.ExportGenesis(f.Ctx.WithBlockHeight(base))
		require.NoError(t, err)
		if base == 70 {
			require.Equal(t, gs, again)
		}
		f.Ctx = f.Ctx.WithBlockHeight(base + 1)
		requireUnsigned(t, f, "done", types.ErrPruned)
		require.Equal(t, base-30, requireSignature(t, f, "later", types.SIGNATURE_STATUS_READY, "").DecidedHeight)
		f.EndBlocks(base + 20)
		requireSignature(t, f, "later", types.SIGNATURE_STATUS_READY, "")
		f.EndBlocks(base + 21)
		requireUnsigned(t, f, "later", types.ErrPruned)
	}
}

// A hook that waited for so long that its signature is gone is told to nobody.
func TestQueuedHookOfAPrunedSignature(t *testing.T) {
	f, r, results := withResults(t, 1)
	retain(t, f, 1)
	require.NoError(t, f.Keeper.ApplySignature(spent(f), &results[0]))
	spoil(f, types.SignaturesPrefix, "s-000", failures["error"])
	f.EndBlocks(2)
	f.Spoiled = nil
	f.EndBlocks(4)
	requireUnsigned(t, f, "s-000", types.ErrPruned)
	require.Equal(t, 1, f.Entries(types.QueuedHooksPrefix))
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	f.EndBlocks(2 + keeper.RetryBlocks)
	require.Zero(t, f.Entries(types.QueuedHooksPrefix))
	require.Empty(t, r.heard)
}
