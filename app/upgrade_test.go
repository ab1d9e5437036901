package app

import (
	"encoding/hex"
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
	"github.com/cosmos/cosmos-sdk/server/config"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/authz"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// A chain of before, whose program stopped for the plan, goes over to this program: it
// gets the stores that it lacks, and its modules are migrated. The node starts again
// afterwards, with what the plan left in its home. x/mpc has what its version 1 wrote: what
// was open is decided, its keys go on signing, and the state can be exported and imported.
func TestUpgrade(t *testing.T) {
	keys, accounts := newKeys(2)
	old := readState1(t)
	db, home := dbm.NewMemDB(), t.TempDir()
	open := func() *App {
		return New(log.NewNopLogger(), db, true, testOptions{flags.FlagHome: home}, baseapp.SetChainID(testChainID))
	}
	app := open()
	c := startChain(t, app, testGenesis(t, app, accounts, old.operators(t)...), 1)
	for c.height < old.Height-1 {
		c.block()
	}
	plan := upgradetypes.Plan{Name: UpgradeName, Height: old.Height + 1}
	c.becomesOld(db, plan, old)
	require.Panics(t, func() { open() }, "without the plan a store is missing")

	text, err := json.Marshal(plan)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(home, "data", upgradetypes.UpgradeInfoFilename), text, 0o600))
	for _, height := range []int64{plan.Height, plan.Height + 1} {
		c.app = open()
		c.block()
		require.Equal(t, height, c.app.LastBlockHeight())
	}
	ctx := c.app.NewContext(true)
	versions, err := c.app.Upgrade.GetModuleVersionMap(ctx)
	require.NoError(t, err)
	require.Equal(t, c.app.modules.GetVersionMap(), versions)
	params, err := c.app.Settlement.Params(ctx)
	require.NoError(t, err)
	require.Equal(t, settlementtypes.DefaultParams(), params)
	// What the plan added takes part: an account may let another one speak for it.
	msg, err := authz.NewMsgGrant(accounts[0], accounts[1], authz.NewGenericAuthorization(sdk.MsgTypeURL(&settlementtypes.MsgBumpFee{})), nil)
	require.NoError(t, err)
	require.Zero(t, c.block(c.sign(keys[0], 0, 0, msg)).TxResults[0].Code)
	done, err := c.app.Upgrade.GetDoneHeight(ctx, UpgradeName)
	require.NoError(t, err)
	require.Equal(t, plan.Height, done)

	c.signsOn()
	c.isExported()
}

// signsOn: what version 1 left open is decided, and a key that it left signs.
func (c *chainInMemory) signsOn() {
	c.t.Helper()
	for id, status := range map[string]mpctypes.KeyStatus{
		"k": mpctypes.KEY_STATUS_READY, "asked": mpctypes.KEY_STATUS_PENDING, "going": mpctypes.KEY_STATUS_DELETING, "gone": mpctypes.KEY_STATUS_DELETED,
	} {
		key, err := c.app.MPC.Key(c.app.NewContext(true), id)
		require.NoError(c.t, err)
		require.Equal(c.t, status, key.Status, id)
	}
	c.changed(func(ctx sdk.Context) { // its requester is an account that nobody has the key of
		_, err := mpckeeper.NewMsgServer(c.app.MPC).KeySign(ctx, &mpctypes.MsgKeySign{
			Requester: chain.Account("requester"), SignatureId: "new", KeyId: "k", Payload: chain.Payload("since"),
		})
		require.NoError(c.t, err)
	})
	left, since := chain.NewSecret("idle").Sign("open", chain.Digest("more")), chain.NewSecret("k").Sign("new", chain.Digest("since"))
	c.bundle(func(b *mpctypes.BundleBuilder) bool { return b.AddSignature(&left) && b.AddSignature(&since) })
	for _, id := range []string{left.RequestID, since.RequestID} {
		signature, err := c.app.MPC.Signature(c.app.NewContext(true), id)
		require.NoError(c.t, err)
		require.Equal(c.t, mpctypes.SIGNATURE_STATUS_READY, signature.Status, id)
	}
}

// isExported: another chain begins with what this one exports.
func (c *chainInMemory) isExported() {
	c.t.Helper()
	exported, err := c.app.Export(false, nil, nil)
	require.NoError(c.t, err)
	var modules map[string]json.RawMessage
	require.NoError(c.t, json.Unmarshal(exported.AppState, &modules))
	var state mpctypes.GenesisState
	c.app.Codec.MustUnmarshalJSON(modules[mpctypes.ModuleName], &state)
	require.NoError(c.t, state.Validate())
	again := startChain(c.t, newApplication(config.BlockExecutorSequential), exported.AppState, exported.Height)
	again.block()
	key, err := again.app.MPC.Key(again.app.NewContext(true), "k")
	require.NoError(c.t, err)
	require.Equal(c.t, mpctypes.KEY_STATUS_READY, key.Status)
}

// oldState is a store of x/mpc as an earlier version left it.
type oldState struct {
	Height  int64
	Entries [][2]string
}

// readState1 is what version 1 wrote at its height, with five participants.
func readState1(t *testing.T) (s oldState) {
	t.Helper()
	raw, err := os.ReadFile("../x/mpc/testdata/state1.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &s))
	require.NotEmpty(t, s.Entries)
	return s
}

// operators are the validators that took part.
func (oldState) operators(t *testing.T) (all []sdk.AccAddress) {
	t.Helper()
	for i := range 5 {
		operator, err := sdk.ValAddressFromBech32(chain.Operator(i))
		require.NoError(t, err)
		all = append(all, sdk.AccAddress(operator))
	}
	return all
}

// put takes the place of all that is in a store.
func (s oldState) put(t *testing.T, store storetypes.KVStore) {
	t.Helper()
	var before [][]byte
	it := store.Iterator(nil, nil)
	for ; it.Valid(); it.Next() {
		before = append(before, slices.Clone(it.Key()))
	}
	require.NoError(t, it.Close())
	for _, key := range before {
		store.Delete(key)
	}
	for _, e := range s.Entries {
		key, err := hex.DecodeString(e[0])
		require.NoError(t, err)
		value, err := hex.DecodeString(e[1])
		require.NoError(t, err)
		store.Set(key, value)
	}
}

// changed makes a block, and a change after all that is in it.
func (c *chainInMemory) changed(change func(sdk.Context)) {
	c.t.Helper()
	c.height++
	_, err := c.app.FinalizeBlock(&abci.RequestFinalizeBlock{Height: c.height, Time: c.time})
	require.NoError(c.t, err)
	change(c.app.NewUncachedContext(false, cmtproto.Header{Height: c.height, ChainID: testChainID}))
	_, err = c.app.Commit()
	require.NoError(c.t, err)
}

// becomesOld makes a block of the chain in the database what the first program would have
// left: a plan for the next block, the state of an older x/mpc, nothing of what the plan adds.
func (c *chainInMemory) becomesOld(db dbm.DB, plan upgradetypes.Plan, old oldState) {
	c.t.Helper()
	c.changed(func(ctx sdk.Context) {
		old.put(c.t, ctx.KVStore(c.app.keys[mpctypes.StoreKey]))
		require.NoError(c.t, c.app.Upgrade.SetModuleVersionMap(ctx, module.VersionMap{mpctypes.ModuleName: 1}))
		for _, name := range addedStores.Added { // as their modules are called
			ctx.KVStore(c.app.keys[upgradetypes.StoreKey]).Delete(append([]byte{upgradetypes.VersionMapByte}, name...))
		}
		require.NoError(c.t, c.app.Upgrade.ScheduleUpgrade(ctx, plan))
	})
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
