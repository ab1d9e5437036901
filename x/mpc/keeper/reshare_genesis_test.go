package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// manyReshares has reshares of every status at height 100: key k was reshared by
// done, a reshare of it failed, and is open in testing; another key's is PENDING.
func manyReshares(t *testing.T) *chain.Fixture {
	t.Helper()
	f, secret := resharing(t)
	f.ReadyKey("other", 1)
	f.EndBlocks(20)
	f.KeySign("old", "k", "a")
	f.Reshare("done", "k", 1, f.Participants[1:]...)
	f.Stage("done", secret)
	f.PassTest("done", secret)
	f.Reshare("failed", "k", 1)
	f.EndBlocks(30)
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: "failed"})
	require.NoError(t, err)
	f.EndBlocks(40)
	f.Reshare("pending", "other", 1)
	f.Reshare("testing", "k", 2)
	f.Stage("testing", secret)
	f.EndBlocks(100)
	for i, p := range f.Participants[:2] {
		a := p.AttestReshare("pending", uint32(i), chain.Session("pending"), chain.NewSecret("other").Payload(5))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	return f
}

func TestReshareGenesis(t *testing.T) {
	old := manyReshares(t)
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	require.Len(t, gs.Reshares, 4)
	bz, err := old.Cdc.MarshalJSON(gs)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		initial int64
		chainID string
	}{
		"the same chain": {101, chain.ChainID}, "from height 1": {0, chain.ChainID}, "under another name": {0, "mpc-test-2"},
	} {
		t.Run(name, func(t *testing.T) {
			var read types.GenesisState
			require.NoError(t, old.Cdc.UnmarshalJSON(bz, &read))
			f := chain.NewEmpty(t)
			f.Participants = old.Participants
			f.Ctx = f.Ctx.WithBlockHeight(c.initial).WithChainID(c.chainID)
			require.NoError(t, f.Keeper.InitGenesis(f.Ctx, read))
			base := max(c.initial-1, 0)
			f.Ctx = f.Ctx.WithBlockHeight(base)
			again, err := f.Keeper.ExportGenesis(f.Ctx.WithBlockHeight(max(base, 1)))
			require.NoError(t, err)
			require.NoError(t, again.Validate())
			if base == 100 {
				bzAgain, err := f.Cdc.MarshalJSON(again)
				require.NoError(t, err)
				require.JSONEq(t, string(bz), string(bzAgain))
			}
			requireOpenReshares(t, f, base, c.chainID)
		})
	}
}

// requireOpenReshares checks that what is open keeps the blocks that it had left, and
// is finished on the new chain.
func requireOpenReshares(t *testing.T, f *chain.Fixture, base int64, chainID string) {
	t.Helper()
	require.Equal(t, base+540, engineRequest(t, f, mpctypes.KindReshare, "pending").ExpiryHeight)
	if chainID != chain.ChainID {
		f.Ctx = f.Ctx.WithBlockHeight(base + 1)
		f.EndBlocks(base + 2)
		requireReshare(t, f, "testing", types.RESHARE_STATUS_ERROR, "cancelled")
		require.EqualValues(t, 1, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Epoch)
		finishSign(t, f, "old", chain.NewSecret("k"))
		return
	}
	test := engineRequest(t, f, mpctypes.KindSign, "test:testing")
	require.Equal(t, base+240, test.ExpiryHeight)
	digest := mpctypes.ReshareTestDigest(chainID, "k", 2, chain.Session("testing"), test.TestSeed)
	require.Equal(t, digest[:], test.Digest)
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Equal(t, max(base+30, 1), key.StagedRetireHeight)
	require.Equal(t, base+220, key.RetireHeight, "the old request may need the old shares")
	require.Equal(t, []types.EndedEpoch{{Epoch: 0, RetireHeight: base + 220}}, key.EndedEpochs)
	require.Equal(t, chain.Session("k"), engineRequest(t, f, mpctypes.KindSign, "old").KeySession)

	f.Ctx = f.Ctx.WithBlockHeight(base + 1)
	f.PassTest("testing", chain.NewSecret("k"))
	requireReshare(t, f, "testing", types.RESHARE_STATUS_READY, "")
	key = requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.EqualValues(t, 2, key.Epoch)
	require.Equal(t, []types.EndedEpoch{{Epoch: 0, RetireHeight: base + 220}, {Epoch: 1, RetireHeight: base + 220}}, key.EndedEpochs)
	finishSign(t, f, "old", chain.NewSecret("k"))
	f.EndBlocks(base + 541)
	requireReshare(t, f, "pending", types.RESHARE_STATUS_ERROR, "expired")
}

// What was condemned is condemned again.
func TestCondemnedReshareGenesis(t *testing.T) {
	for name, c := range map[string]struct {
		condemn func(*testing.T, *chain.Fixture)
		reason  string
	}{"revocation": {revokeOne, "identity_revoked"}, "deletion": {func(t *testing.T, f *chain.Fixture) {
		deleteKey(t, f, "k")
		deleteKey(t, f, "other")
	}, "key_deleted"}} {
		t.Run(name, func(t *testing.T) {
			old := manyReshares(t)
			c.condemn(t, old)
			f := exportImport(t, old)
			f.EndBlocks(101)
			for _, id := range []string{"pending", "testing"} {
				requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, c.reason)
			}
			requireSignature(t, f, "test:testing", types.SIGNATURE_STATUS_ERROR, c.reason)
			require.Zero(t, f.Entries(types.RequestsPrefix))
		})
	}
}

// An export of before keys remembered the ends of earlier epochs is taken, and these have the
// one end of the key; those that end from then on have their own.
func TestReshareGenesisWithoutEnds(t *testing.T) {
	old := manyReshares(t)
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	for i := range gs.Keys {
		gs.Keys[i].EndedEpochs = nil
	}
	require.NoError(t, gs.Validate())
	f := chain.NewEmpty(t)
	f.Participants = old.Participants
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	key := engineKey(t, f, "k")
	require.EqualValues(t, 220, key.EndOf(0))
	f.Ctx = f.Ctx.WithBlockHeight(50)
	setParams(t, f, func(p *types.Params) { p.RetireBlocks = 1000 })
	f.PassTest("testing", chain.NewSecret("k"))
	key = engineKey(t, f, "k")
	require.EqualValues(t, 2, key.Epoch)
	require.EqualValues(t, []int64{220, 1050}, []int64{key.EndOf(0), key.EndOf(1)})
}

// What is over stays above 0 on a chain that begins anew.
func TestEndedEpochsOfAnotherChain(t *testing.T) {
	old, secret := resharing(t)
	old.Reshare("r", "k", 1)
	old.Stage("r", secret)
	old.PassTest("r", secret)
	old.EndBlocks(500)
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	f := chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	require.EqualValues(t, 1, engineKey(t, f, "k").EndedEpochs[0].RetireHeight)
	f.Ctx = f.Ctx.WithBlockHeight(1)
	again, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, again.Validate())
}

// A height that is over does not become the 0 that stands for none.
func TestStagedRetireHeightOfAnotherChain(t *testing.T) {
	old, _ := resharing(t)
	old.Reshare("r", "k", 1)
	cancel(t, old, old.Requester)
	old.EndBlocks(101)
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	f := chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	require.EqualValues(t, 1, engineKey(t, f, "k").StagedRetireHeight)
	require.EqualValues(t, 1, stagedEnd(t, f, "r"))
	f.Ctx = f.Ctx.WithBlockHeight(1)
	again, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, again.Validate())

	// Of an export of before reshares had an end the key's holds.
	for i := range gs.Reshares {
		gs.Reshares[i].RetireHeight = 0
	}
	gs.Keys[0].StagedRetireHeight = 150
	require.NoError(t, gs.Validate())
	f = chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	require.EqualValues(t, 49, stagedEnd(t, f, "r"))
}

// On a chain that starts anew at a lower height what was said of each other of an open
// reshare counts as it did before.
func TestAccusationsOfAnotherChainCount(t *testing.T) {
	for name, initial := range map[string]int64{"the same chain": 100, "from height 1": 0} {
		t.Run(name, func(t *testing.T) {
			old, _ := autoResharing(t)
			old.Participants[0].Jail()
			old.EndBlocks(50)
			r := requireReshare(t, old, types.AutoReshareID("k", 10), types.RESHARE_STATUS_PENDING, "")
			dead := old.Participants[4]
			for _, p := range old.Participants[1:4] {
				a := p.Accuse(r.RequestID(), dead.Operator)
				require.NoError(t, old.Keeper.ApplyAccusation(old.Ctx, &a))
			}
			old.EndBlocks(100)
			gs, err := old.Keeper.ExportGenesis(old.Ctx.WithBlockHeight(99))
			require.NoError(t, err)
			f := chain.NewEmpty(t)
			f.Ctx = f.Ctx.WithBlockHeight(initial)
			require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
			f.Staking.Validators = old.Staking.Validators
			f.Ctx = f.Ctx.WithBlockHeight(max(initial, 1))
			f.EndBlocks(611)
			requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "expired")
			a, known := requireKey(t, f, "k", types.KEY_STATUS_READY, "").Absentee(dead.Operator, f.Ctx.BlockHeight())
			require.True(t, known)
			require.True(t, a.Accused)
			require.EqualValues(t, 3, a.Words)
		})
	}
}
