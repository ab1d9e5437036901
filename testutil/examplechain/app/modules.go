package app

import (
	"fmt"

	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/auth"
	"github.com/cosmos/cosmos-sdk/x/auth/ante"
	authsims "github.com/cosmos/cosmos-sdk/x/auth/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensusmodule "github.com/cosmos/cosmos-sdk/x/consensus"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/x/mpc"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"

	"example.com/chain/checkpoint"
)

// addModules makes the modules, says in which order they run, and registers their
// services.
func (app *App) addModules() {
	app.modules = module.NewManager(
		genutil.NewAppModule(app.Auth, app.Staking, app, app.TxConfig),
		auth.NewAppModule(app.Codec, app.Auth, authsims.RandomGenesisAccounts),
		bank.NewAppModule(app.Codec, app.Bank, app.Auth),
		staking.NewAppModule(app.Codec, app.Staking, app.Auth, app.Bank),
		consensusmodule.NewAppModule(app.Codec, app.Consensus),
		mpc.NewAppModule(app.Codec, app.MPC, func(int64) { app.link.Wake() }),
		checkpoint.NewAppModule(app.Checkpoint),
	)
	app.Basics = module.NewBasicManagerFromManager(app.modules, map[string]module.AppModuleBasic{
		genutiltypes.ModuleName: genutil.NewAppModuleBasic(genutiltypes.DefaultMessageValidator),
	})
	app.Basics.RegisterLegacyAminoCodec(app.Amino)
	app.Basics.RegisterInterfaces(app.InterfaceRegistry)

	app.modules.SetOrderPreBlockers(authtypes.ModuleName)
	app.modules.SetOrderBeginBlockers(stakingtypes.ModuleName)
	app.modules.SetOrderEndBlockers(banktypes.ModuleName, stakingtypes.ModuleName, mpctypes.ModuleName, checkpoint.ModuleName)
	app.modules.SetOrderPrepareCheckStaters(mpctypes.ModuleName)
	genesis := []string{authtypes.ModuleName, banktypes.ModuleName, stakingtypes.ModuleName, genutiltypes.ModuleName, consensustypes.ModuleName, mpctypes.ModuleName}
	app.modules.SetOrderInitGenesis(genesis...)
	app.modules.SetOrderExportGenesis(genesis...)
	if err := app.modules.RegisterServices(module.NewConfigurator(app.Codec, app.MsgServiceRouter(), app.GRPCQueryRouter())); err != nil {
		panic(fmt.Errorf("register the modules' services: %w", err))
	}
}

func (app *App) setAnteHandler() {
	handler, err := ante.NewAnteHandler(ante.HandlerOptions{
		AccountKeeper: app.Auth, BankKeeper: app.Bank,
		SignModeHandler: app.TxConfig.SignModeHandler(),
		SigGasConsumer:  ante.DefaultSigVerificationGasConsumer,
	})
	if err != nil {
		panic(fmt.Errorf("make the ante handler: %w", err))
	}
	app.SetAnteHandler(handler)
}
