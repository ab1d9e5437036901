package app

import (
	"maps"
	"slices"

	"github.com/spf13/cast"

	corestore "cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensuskeeper "github.com/cosmos/cosmos-sdk/x/consensus/keeper"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distrkeeper "github.com/cosmos/cosmos-sdk/x/distribution/keeper"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	evidencekeeper "github.com/cosmos/cosmos-sdk/x/evidence/keeper"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	slashingkeeper "github.com/cosmos/cosmos-sdk/x/slashing/keeper"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradekeeper "github.com/cosmos/cosmos-sdk/x/upgrade/keeper"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/payload"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	settlementkeeper "github.com/sequencer-mpc/sequencer/x/settlement/keeper"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// modulePermissions say what module accounts may do with coins. Staking panics
// without the pool for the fee of consensus key rotations.
var modulePermissions = map[string][]string{
	authtypes.FeeCollectorName:          nil,
	distrtypes.ModuleName:               nil,
	govtypes.ModuleName:                 {authtypes.Burner},
	stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking},
	stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking},
	stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},
	// It owns keys of x/mpc, and no coins.
	settlementtypes.ModuleName: nil,
}

// Keepers are the modules' state. Other applications' code reads and writes it
// inside transactions only.
type Keepers struct {
	Auth         authkeeper.AccountKeeper
	Bank         bankkeeper.BaseKeeper
	Staking      *stakingkeeper.Keeper
	Slashing     slashingkeeper.Keeper
	Distribution distrkeeper.Keeper
	Gov          *govkeeper.Keeper
	Evidence     *evidencekeeper.Keeper
	Upgrade      *upgradekeeper.Keeper
	Consensus    consensuskeeper.Keeper
	Authz        authzkeeper.Keeper
	MPC          *mpckeeper.Keeper
	Settlement   *settlementkeeper.Keeper
}

func newStoreKeys() map[string]*storetypes.KVStoreKey {
	return storetypes.NewKVStoreKeys(
		authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey, slashingtypes.StoreKey,
		distrtypes.StoreKey, govtypes.StoreKey, evidencetypes.StoreKey, upgradetypes.StoreKey,
		consensustypes.StoreKey, authzkeeper.StoreKey, mpctypes.StoreKey, settlementtypes.StoreKey,
	)
}

// Authority is the account that may change parameters: x/gov's.
func Authority() string { return authtypes.NewModuleAddress(govtypes.ModuleName).String() }

// newKeepers wires the keepers. Consensus parameters come first: baseapp reads
// them while it loads.
func newKeepers(app *App, opts servertypes.AppOptions) Keepers {
	store := func(name string) corestore.KVStoreService { return runtime.NewKVStoreService(app.keys[name]) }
	cdc, authority := app.Codec, Authority()
	var k Keepers

	k.Consensus = consensuskeeper.NewKeeper(cdc, store(consensustypes.StoreKey), authority, runtime.EventService{})
	app.SetParamStore(k.Consensus.ParamsStore)
	k.Auth = authkeeper.NewAccountKeeper(cdc, store(authtypes.StoreKey), authtypes.ProtoBaseAccount,
		modulePermissions, AccountCodec(), Bech32Prefix, authority)
	k.Bank = bankkeeper.NewBaseKeeper(cdc, store(banktypes.StoreKey), k.Auth, blockedAddresses(), authority, app.Logger())
	k.Staking = stakingkeeper.NewKeeper(cdc, store(stakingtypes.StoreKey), k.Auth, k.Bank, authority,
		ValidatorCodec(), ConsensusCodec())
	k.Slashing = slashingkeeper.NewKeeper(cdc, app.Amino, store(slashingtypes.StoreKey), k.Staking, authority)
	k.Distribution = distrkeeper.NewKeeper(cdc, store(distrtypes.StoreKey), k.Auth, k.Bank, k.Staking,
		authtypes.FeeCollectorName, authority)
	k.Staking.SetHooks(stakingtypes.NewMultiStakingHooks(k.Distribution.Hooks(), k.Slashing.Hooks()))
	k.Upgrade = upgradekeeper.NewKeeper(skipUpgrades(opts), store(upgradetypes.StoreKey), cdc,
		cast.ToString(opts.Get(flags.FlagHome)), app.BaseApp, authority)
	k.Gov = govkeeper.NewKeeper(cdc, store(govtypes.StoreKey), k.Auth, k.Bank, k.Distribution,
		mpctypes.CommittedRouter(app.MsgServiceRouter(), mpctypes.ModuleName, settlementtypes.ModuleName), govtypes.DefaultConfig(), authority,
		govkeeper.NewDefaultCalculateVoteResultsAndVotingPower(k.Staking))
	k.Evidence = evidencekeeper.NewKeeper(cdc, store(evidencetypes.StoreKey), k.Staking, k.Slashing,
		AccountCodec(), runtime.ProvideCometInfoService())
	k.Evidence.SetRouter(evidencetypes.NewRouter())
	k.Authz = authzkeeper.NewKeeper(store(authzkeeper.StoreKey), cdc, app.MsgServiceRouter(), k.Auth)
	k.MPC = mpckeeper.NewKeeper(cdc, store(mpctypes.StoreKey), k.Staking, authority, ValidatorCodec(), AccountCodec()).
		SetSlashing(k.Slashing).SetBank(k.Bank, authtypes.FeeCollectorName).
		SetPayloadKinds(append(ethereum.Kinds(), payload.NewSignDirect(app.InterfaceRegistry))...)
	k.Settlement = settlementkeeper.NewKeeper(cdc, store(settlementtypes.StoreKey), k.Staking,
		k.MPC.ForModule(settlementtypes.ModuleName), authority, ValidatorCodec())
	k.MPC.AddHooks(settlementtypes.ModuleName, k.Settlement).AddPolicy(settlementtypes.ModuleName, k.Settlement)
	return k
}

// blockedAddresses are module accounts that nobody can send coins to, x/gov's
// excepted: it may hold and spend coins by proposal.
func blockedAddresses() map[string]bool {
	blocked := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(modulePermissions)) {
		if name != govtypes.ModuleName {
			blocked[authtypes.NewModuleAddress(name).String()] = true
		}
	}
	return blocked
}

func skipUpgrades(opts servertypes.AppOptions) map[int64]bool {
	skip := make(map[int64]bool)
	for _, h := range cast.ToIntSlice(opts.Get(server.FlagUnsafeSkipUpgrades)) {
		skip[int64(h)] = true
	}
	return skip
}
