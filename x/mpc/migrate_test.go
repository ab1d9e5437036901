package mpc_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/types/module"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// state1 is the module's store as version 1 left it at height 40: testdata/state1.json was
// written by the program of then, and is never written again. There are
// five validators.
func state1(t *testing.T) *chain.Fixture {
	t.Helper()
	raw, err := os.ReadFile("testdata/state1.json")
	require.NoError(t, err)
	var saved struct {
		Height  int64
		Entries [][2]string
	}
	require.NoError(t, json.Unmarshal(raw, &saved))
	require.NotEmpty(t, saved.Entries)
	f := chain.NewEmpty(t)
	for i := range 5 {
		f.AddValidator(i).Version = 1
	}
	store := f.Ctx.KVStore(f.StoreKey)
	for _, e := range saved.Entries {
		key, err := hex.DecodeString(e[0])
		require.NoError(t, err)
		value, err := hex.DecodeString(e[1])
		require.NoError(t, err)
		store.Set(key, value)
	}
	f.Ctx = f.Ctx.WithBlockHeight(saved.Height)
	return f
}

// migrate does what a chain's upgrade does.
func migrate(t *testing.T, f *chain.Fixture, from uint64) {
	t.Helper()
	manager := module.NewManager(mpc.NewAppModule(f.Cdc, f.Keeper, nil))
	msgs := baseapp.NewMsgServiceRouter()
	msgs.SetInterfaceRegistry(f.Cdc.InterfaceRegistry())
	queries := baseapp.NewGRPCQueryRouter()
	queries.SetInterfaceRegistry(f.Cdc.InterfaceRegistry())
	configurator := module.NewConfigurator(f.Cdc, msgs, queries)
	require.NoError(t, manager.RegisterServices(configurator))
	versions, err := manager.RunMigrations(f.Ctx, configurator, module.VersionMap{types.ModuleName: from})
	require.NoError(t, err)
	require.Equal(t, uint64(mpc.ConsensusVersion), versions[types.ModuleName])
}

// A chain of the oldest version goes on: what is there keeps its status, what is open is
// decided, and everything can be exported and imported again.
func TestStateOfVersion1(t *testing.T) {
	f := state1(t)
	migrate(t, f, 1)
	for id, status := range map[string]types.KeyStatus{
		"k": types.KEY_STATUS_READY, "other": types.KEY_STATUS_READY, "idle": types.KEY_STATUS_READY,
		"asked": types.KEY_STATUS_PENDING, "going": types.KEY_STATUS_DELETING, "gone": types.KEY_STATUS_DELETED,
	} {
		key, err := f.Keeper.Key(f.Ctx, id)
		require.NoError(t, err)
		require.Equal(t, status, key.Status, id)
		require.True(t, key.AllowRaw, "it signed digests, and goes on")
	}
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, params.Validate())

	// The end of what a reshare made that failed was the key's alone, and stays it.
	reshares, err := f.Query.Reshares(f.Ctx, &types.QueryResharesRequest{Status: types.RESHARE_STATUS_ERROR})
	require.NoError(t, err)
	require.NotEmpty(t, reshares.Reshares)
	for _, r := range reshares.Reshares {
		end, ended, err := f.Keeper.EngineReshareEnded(f.Ctx, r.Id)
		require.NoError(t, err)
		require.True(t, ended)
		key, err := f.Keeper.Key(f.Ctx, r.KeyId)
		require.NoError(t, err)
		seen := key.ToEngine()
		require.Equal(t, seen.StagedRetireHeight, seen.StagedEnd(end))
		require.Positive(t, key.StagedRetireHeight)
	}

	// Five made the key that is gone, and one of them said that it destroyed its share.
	owing := 0
	for _, p := range f.Participants {
		ids, err := f.Keeper.EngineUnacknowledged(f.Ctx, mpctypes.Operator(p.Operator))
		require.NoError(t, err)
		owing += len(ids)
	}
	require.Equal(t, 4, owing)

	result := chain.NewSecret("idle").Sign("open", chain.Digest("more"))
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	f.KeySign("new", "k", "digest")
	f.Stage("pending", chain.NewSecret("other"))
	f.PassTest("pending", chain.NewSecret("other"))
	f.EndBlocks(f.Ctx.BlockHeight() + 20)
	gone, err := f.Keeper.Key(f.Ctx, "going")
	require.NoError(t, err)
	require.Equal(t, types.KEY_STATUS_DELETED, gone.Status)
	f.Reborn(chain.ChainID)
	key, err := f.Keeper.Key(f.Ctx, "other")
	require.NoError(t, err)
	require.Equal(t, uint64(1), key.Epoch)
}

// What was over before the migration is pruned after it, as what is over since.
func TestStateOfVersion1IsPruned(t *testing.T) {
	f := state1(t)
	over := 0
	all, err := f.Query.Reshares(f.Ctx, &types.QueryResharesRequest{})
	require.NoError(t, err)
	for _, r := range all.Reshares {
		if !r.Open() {
			over++
		}
	}
	migrate(t, f, 1)
	require.Positive(t, over)
	require.Equal(t, over, f.Entries(types.DecidedRequestsPrefix))
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	params.RetentionBlocks = 1
	require.NoError(t, f.Keeper.SetParams(f.Ctx, params))
	f.EndBlocks(f.Ctx.BlockHeight() + 2)
	require.Equal(t, over, f.Entries(types.PrunedRequestsPrefix))
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
}

// A genesis file that version 1 exported becomes one of today by what the upgrade notes
// say, and not without it: nothing is guessed.
func TestGenesisOfVersion1(t *testing.T) {
	raw, err := os.ReadFile("testdata/genesis1.json")
	require.NoError(t, err)
	f := chain.NewEmpty(t)
	var gs types.GenesisState
	require.ErrorContains(t, f.Cdc.UnmarshalJSON(raw, &gs), "failed_newcomers")
	renamed := bytes.ReplaceAll(raw, []byte(`"failed_newcomers"`), []byte(`"absentees"`))
	gs = types.GenesisState{}
	require.NoError(t, f.Cdc.UnmarshalJSON(renamed, &gs))
	require.ErrorIs(t, gs.Validate(), types.ErrBadParams)
	require.ErrorContains(t, gs.Validate(), "max_payload_bytes")

	gs.Params.MaxPayloadBytes = types.DefaultParams().MaxPayloadBytes
	for i := range gs.Keys {
		gs.Keys[i].AllowRaw = true
	}
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, gs))
	f.Ctx = f.Ctx.WithBlockHeight(1)
	result := chain.NewSecret("idle").Sign("open", chain.Digest("more"))
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	f.KeySign("new", "k", "digest")
}
