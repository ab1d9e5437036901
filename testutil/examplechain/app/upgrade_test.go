package app

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	coretypes "github.com/sequencer-mpc/sequencer/mpc/types"
	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"

	"example.com/chain/checkpoint"
)

// upgrade stands for x/upgrade, which this chain does not have: at its height it runs the
// migrations of a chain that has no x/mpc yet.
type upgrade struct {
	app    *App
	height int64
}

// added are the stores that the plan brings.
var added = storetypes.StoreUpgrades{Added: []string{mpctypes.StoreKey}}

var _ appmodule.HasPreBlocker = upgrade{}

// IsAppModule implements appmodule.AppModule.
func (upgrade) IsAppModule() {}

// IsOnePerModuleType implements depinject.OnePerModuleType.
func (upgrade) IsOnePerModuleType() {}

// PreBlock implements appmodule.HasPreBlocker.
func (u upgrade) PreBlock(ctx context.Context) (appmodule.ResponsePreBlock, error) {
	if sdk.UnwrapSDKContext(ctx).BlockHeight() == u.height {
		before := maps.Clone(u.app.modules.GetVersionMap())
		delete(before, mpctypes.ModuleName)
		if _, err := u.app.modules.RunMigrations(ctx, module.NewConfigurator(u.app.Codec, u.app.MsgServiceRouter(), u.app.GRPCQueryRouter()), before); err != nil {
			return nil, err
		}
	}
	return &sdk.ResponsePreBlock{}, nil
}

// A chain that runs already gets x/mpc in an upgrade that adds its store, and nothing else:
// blocks are proposed, judged and executed from that height on, validators register, and
// the module that asks for a key gets one. No genesis file says anything of it.
func TestUpgradeAddsMPC(t *testing.T) {
	db := dbm.NewMemDB()
	open := func(options ...func(*baseapp.BaseApp)) *App {
		return New(log.NewNopLogger(), db, append(options, baseapp.SetChainID(testChainID))...)
	}
	c := &upgraded{t: t, app: beginChain(t, db, 2), time: time.Unix(1_700_000_000, 0).UTC()}
	for range 3 {
		c.block()
	}
	c.forgets(db, mpctypes.StoreKey)
	require.Panics(t, func() { open() }, "without the plan a store is missing")

	plan := c.height + 1
	c.app = open(func(b *baseapp.BaseApp) { b.SetStoreLoader(upgradetypes.UpgradeStoreLoader(plan, &added)) })
	c.app.modules.Modules[upgradetypes.ModuleName] = upgrade{c.app, plan}
	c.app.modules.SetOrderPreBlockers(upgradetypes.ModuleName, authtypes.ModuleName)
	_, err := c.app.MPC.Params(c.app.NewContext(true))
	require.Error(t, err)
	c.block()
	params, err := c.app.MPC.Params(c.app.NewContext(true))
	require.NoError(t, err)
	require.Equal(t, mpctypes.DefaultParams(), params)

	c.app = open()
	c.block(c.register)
	for range checkpoint.Interval {
		c.block()
	}
	key, err := c.app.MPC.Key(c.app.NewContext(true), checkpoint.ModuleName+":key-1")
	require.NoError(t, err)
	require.Equal(t, mpctypes.KEY_STATUS_PENDING, key.Status)
	require.Len(t, key.Participants, 2)
	state, err := c.app.MPC.ExportGenesis(c.app.NewContextLegacy(true, cmtproto.Header{Height: c.height}))
	require.NoError(t, err)
	require.NoError(t, state.Validate())
}

// upgraded is the chain as its nodes run it.
type upgraded struct {
	t      *testing.T
	app    *App
	height int64
	time   time.Time
}

// block proposes, judges, executes and commits a block, with changes after all that is in it.
func (c *upgraded) block(changes ...func(sdk.Context)) {
	c.t.Helper()
	c.height++
	c.time = c.time.Add(time.Second)
	proposed, err := c.app.PrepareProposal(&abci.RequestPrepareProposal{Height: c.height, Time: c.time, MaxTxBytes: 1 << 20})
	require.NoError(c.t, err)
	judged, err := c.app.ProcessProposal(&abci.RequestProcessProposal{Height: c.height, Time: c.time, Txs: proposed.Txs})
	require.NoError(c.t, err)
	require.True(c.t, judged.IsAccepted())
	hash := sha256.Sum256(fmt.Append(nil, c.height))
	_, err = c.app.FinalizeBlock(&abci.RequestFinalizeBlock{Height: c.height, Time: c.time, Hash: hash[:], Txs: proposed.Txs})
	require.NoError(c.t, err)
	for _, change := range changes {
		change(c.app.NewUncachedContext(false, cmtproto.Header{Height: c.height, ChainID: testChainID, Time: c.time}))
	}
	_, err = c.app.Commit()
	require.NoError(c.t, err)
}

// register registers an identity of each validator, as its operator does.
func (c *upgraded) register(ctx sdk.Context) {
	validators, err := c.app.Staking.GetAllValidators(ctx)
	require.NoError(c.t, err)
	require.Len(c.t, validators, 2)
	for _, v := range validators {
		seed := sha256.Sum256([]byte(v.OperatorAddress))
		identity := ed25519.NewKeyFromSeed(seed[:])
		public, ok := identity.Public().(ed25519.PublicKey)
		require.True(c.t, ok)
		_, err := mpckeeper.NewMsgServer(c.app.MPC).RegisterParticipant(ctx, &mpctypes.MsgRegisterParticipant{
			Operator: v.OperatorAddress, IdentityKey: public,
			ProofOfPossession: ed25519.Sign(identity, coretypes.ProofOfPossession(testChainID, coretypes.Operator(v.OperatorAddress), public)),
		})
		require.NoError(c.t, err)
	}
}

// forgets makes of the database one of a chain that never had a store.
func (c *upgraded) forgets(db dbm.DB, store string) {
	c.t.Helper()
	prefix := fmt.Appendf(nil, "s/k:%s/", store)
	it, err := db.Iterator(prefix, storetypes.PrefixEndBytes(prefix))
	require.NoError(c.t, err)
	var gone [][]byte
	for ; it.Valid(); it.Next() {
		gone = append(gone, slices.Clone(it.Key()))
	}
	require.NoError(c.t, it.Close())
	require.NotEmpty(c.t, gone)
	for _, key := range gone {
		require.NoError(c.t, db.Delete(key))
	}
	name := fmt.Appendf(nil, "s/%d", c.height)
	raw, err := db.Get(name)
	require.NoError(c.t, err)
	var info storetypes.CommitInfo
	require.NoError(c.t, info.Unmarshal(raw))
	info.StoreInfos = slices.DeleteFunc(info.StoreInfos, func(s storetypes.StoreInfo) bool { return s.Name == store })
	raw, err = info.Marshal()
	require.NoError(c.t, err)
	require.NoError(c.t, db.Set(name, raw))
}
