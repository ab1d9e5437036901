package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/authz"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// A chain of before, whose program stopped for the plan, goes over to this program: it
// gets the stores that it lacks, and its modules are migrated. The node starts again
// afterwards, with what the plan left in its home.
func TestUpgrade(t *testing.T) {
	keys, accounts := newKeys(2)
	db, home := dbm.NewMemDB(), t.TempDir()
	open := func() *App {
		return New(log.NewNopLogger(), db, true, testOptions{flags.FlagHome: home}, baseapp.SetChainID(testChainID))
	}
	app := open()
	chain := startChain(t, app, testGenesis(t, app, accounts), 1)
	chain.block()
	plan := upgradetypes.Plan{Name: UpgradeName, Height: 3}
	chain.becomesOld(db, plan)
	require.Panics(t, func() { open() }, "without the plan a store is missing")

	text, err := json.Marshal(plan)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(home, "data", upgradetypes.UpgradeInfoFilename), text, 0o600))
	for _, height := range []int64{plan.Height, plan.Height + 1} {
		chain.app = open()
		chain.block()
		require.Equal(t, height, chain.app.LastBlockHeight())
	}
	ctx := chain.app.NewContext(true)
	versions, err := chain.app.Upgrade.GetModuleVersionMap(ctx)
	require.NoError(t, err)
	require.Equal(t, chain.app.modules.GetVersionMap(), versions)
	params, err := chain.app.Settlement.Params(ctx)
	require.NoError(t, err)
	require.Equal(t, settlementtypes.DefaultParams(), params)
	// What the plan added takes part: an account may let another one speak for it.
	msg, err := authz.NewMsgGrant(accounts[0], accounts[1], authz.NewGenericAuthorization(sdk.MsgTypeURL(&settlementtypes.MsgBumpFee{})), nil)
	require.NoError(t, err)
	require.Zero(t, chain.block(chain.sign(keys[0], 0, 0, msg)).TxResults[0].Code)
	done, err := chain.app.Upgrade.GetDoneHeight(ctx, UpgradeName)
	require.NoError(t, err)
	require.Equal(t, plan.Height, done)
}

// becomesOld makes a block of the chain in the database what the first program would have
// left: a plan for the next block, an older x/mpc, nothing of what the plan adds.
func (c *chainInMemory) becomesOld(db dbm.DB, plan upgradetypes.Plan) {
	c.t.Helper()
	c.height++
	_, err := c.app.FinalizeBlock(&abci.RequestFinalizeBlock{Height: c.height, Time: c.time})
	require.NoError(c.t, err)
	ctx := c.app.NewUncachedContext(false, cmtproto.Header{Height: c.height})
	require.NoError(c.t, c.app.Upgrade.SetModuleVersionMap(ctx, module.VersionMap{mpctypes.ModuleName: 1}))
	for _, name := range addedStores.Added { // as their modules are called
		ctx.KVStore(c.app.keys[upgradetypes.StoreKey]).Delete(append([]byte{upgradetypes.VersionMapByte}, name...))
	}
	require.NoError(c.t, c.app.Upgrade.ScheduleUpgrade(ctx, plan))
	_, err = c.app.Commit()
	require.NoError(c.t, err)

	for _, store := range addedStores.Added {
		prefix := fmt.Appendf(nil, "s/k:%s/", store)
		it, err := db.Iterator(prefix, storetypes.PrefixEndBytes(prefix))
		require.NoError(c.t, err)
		var gone [][]byte
		for ; it.Valid(); it.Next() {
			gone = append(gone, slices.Clone(it.Key()))
		}
		require.NoError(c.t, it.Close())
		require.NotEmpty(c.t, gone, store)
		for _, key := range gone {
			require.NoError(c.t, db.Delete(key))
		}
	}
	name := fmt.Appendf(nil, "s/%d", c.height)
	raw, err := db.Get(name)
	require.NoError(c.t, err)
	var info storetypes.CommitInfo
	require.NoError(c.t, info.Unmarshal(raw))
	info.StoreInfos = slices.DeleteFunc(info.StoreInfos, func(s storetypes.StoreInfo) bool { return slices.Contains(addedStores.Added, s.Name) })
	raw, err = info.Marshal()
	require.NoError(c.t, err)
	require.NoError(c.t, db.Set(name, raw))
}
