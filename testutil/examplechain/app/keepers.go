package app

import (
	corestore "cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensuskeeper "github.com/cosmos/cosmos-sdk/x/consensus/keeper"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"

	"example.com/chain/checkpoint"
)

// modulePermissions say what module accounts may do with coins.
var modulePermissions = map[string][]string{
	authtypes.FeeCollectorName:          nil,
	stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking},
	stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking},
	stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},
}

type keepers struct {
	Auth       authkeeper.AccountKeeper
	Bank       bankkeeper.BaseKeeper
	Staking    *stakingkeeper.Keeper
	Consensus  consensuskeeper.Keeper
	MPC        *mpckeeper.Keeper
	Checkpoint checkpoint.Keeper
}

func newStoreKeys() map[string]*storetypes.KVStoreKey {
	return storetypes.NewKVStoreKeys(
		authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey, consensustypes.StoreKey,
		mpctypes.StoreKey,
		checkpoint.StoreKey,
	)
}

func (app *App) addKeepers() {
	store := func(name string) corestore.KVStoreService { return runtime.NewKVStoreService(app.keys[name]) }
	// Nobody may change parameters: this chain has no x/gov.
	authority := authtypes.NewModuleAddress("authority").String()
	cdc := app.Codec
	app.Consensus = consensuskeeper.NewKeeper(cdc, store(consensustypes.StoreKey), authority, runtime.EventService{})
	app.SetParamStore(app.Consensus.ParamsStore)
	app.Auth = authkeeper.NewAccountKeeper(cdc, store(authtypes.StoreKey), authtypes.ProtoBaseAccount,
		modulePermissions, accounts(), bech32Prefix, authority)
	app.Bank = bankkeeper.NewBaseKeeper(cdc, store(banktypes.StoreKey), app.Auth, nil, authority, app.Logger())
	app.Staking = stakingkeeper.NewKeeper(cdc, store(stakingtypes.StoreKey), app.Auth, app.Bank, authority, validators(), consensus())
	app.MPC = mpckeeper.NewKeeper(cdc, store(mpctypes.StoreKey), app.Staking, authority, validators(), accounts())
	app.MPC.SetPayloadKinds(checkpoint.Kind{})
	app.Checkpoint = checkpoint.NewKeeper(store(checkpoint.StoreKey), app.MPC.ForModule(checkpoint.ModuleName))
	app.MPC.AddHooks(checkpoint.ModuleName, app.Checkpoint)
}
