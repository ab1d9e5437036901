package app

import (
	"fmt"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	reflectionv1 "cosmossdk.io/api/cosmos/reflection/v1"

	runtimeservices "github.com/cosmos/cosmos-sdk/runtime/services"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/auth"
	"github.com/cosmos/cosmos-sdk/x/auth/ante"
	authsims "github.com/cosmos/cosmos-sdk/x/auth/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	authzmodule "github.com/cosmos/cosmos-sdk/x/authz/module"
	"github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/consensus"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	"github.com/cosmos/cosmos-sdk/x/distribution"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/evidence"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/gov"
	govclient "github.com/cosmos/cosmos-sdk/x/gov/client"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	"github.com/cosmos/cosmos-sdk/x/slashing"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/cosmos-sdk/x/upgrade"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/sequencer-mpc/sequencer/x/mpc"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// addModules makes the modules, says in which order they run, and registers
// their services.
func (app *App) addModules() module.Configurator {
	app.modules = module.NewManager(
		genutil.NewAppModule(app.Auth, app.Staking, app, app.TxConfig),
		auth.NewAppModule(app.Codec, app.Auth, authsims.RandomGenesisAccounts),
		bank.NewAppModule(app.Codec, app.Bank, app.Auth),
		staking.NewAppModule(app.Codec, app.Staking, app.Auth, app.Bank),
		slashing.NewAppModule(app.Codec, app.Slashing, app.Auth, app.Bank, app.Staking, app.InterfaceRegistry),
		distribution.NewAppModule(app.Codec, app.Distribution, app.Auth, app.Bank, app.Staking),
		gov.NewAppModule(app.Codec, app.Gov, app.Auth, app.Bank),
		evidence.NewAppModule(*app.Evidence),
		upgrade.NewAppModule(app.Upgrade, AccountCodec()),
		consensus.NewAppModule(app.Codec, app.Consensus),
		authzmodule.NewAppModule(app.Codec, app.Authz, app.Auth, app.Bank, app.InterfaceRegistry),
		mpc.NewAppModule(app.Codec, app.MPC, func(int64) { app.link.Wake() }),
		settlement.NewAppModule(app.Settlement),
	)
	app.basics = module.NewBasicManagerFromManager(app.modules, map[string]module.AppModuleBasic{
		genutiltypes.ModuleName: genutil.NewAppModuleBasic(genutiltypes.DefaultMessageValidator),
		govtypes.ModuleName:     gov.NewAppModuleBasic([]govclient.ProposalHandler{}),
	})
	app.basics.RegisterLegacyAminoCodec(app.Amino)
	app.basics.RegisterInterfaces(app.InterfaceRegistry)
	app.orderModules()
	return app.registerServices()
}

// orderModules says who comes when. The manager panics if a module is forgotten.
func (app *App) orderModules() {
	app.modules.SetOrderPreBlockers(upgradetypes.ModuleName, authtypes.ModuleName)
	// Distribution pays for the last block before slashing changes who is bonded.
	app.modules.SetOrderBeginBlockers(distrtypes.ModuleName, slashingtypes.ModuleName,
		evidencetypes.ModuleName, stakingtypes.ModuleName, authz.ModuleName)
	// Bank first: it settles what the transactions left to the end of the block.
	// Staking last but x/mpc: what x/mpc decides here counts the new validators.
	app.modules.SetOrderEndBlockers(banktypes.ModuleName, govtypes.ModuleName,
		stakingtypes.ModuleName, mpctypes.ModuleName)
	app.modules.SetOrderPrepareCheckStaters(mpctypes.ModuleName)
	// Genutil delivers the genesis transactions, so it needs accounts, coins and
	// staking. x/mpc needs none of them at genesis: it checks its participants against
	// validators when a key is asked for.
	genesis := []string{
		authtypes.ModuleName, banktypes.ModuleName, distrtypes.ModuleName, stakingtypes.ModuleName,
		slashingtypes.ModuleName, govtypes.ModuleName, genutiltypes.ModuleName, evidencetypes.ModuleName,
		upgradetypes.ModuleName, consensustypes.ModuleName, authz.ModuleName, mpctypes.ModuleName, settlementtypes.ModuleName,
	}
	app.modules.SetOrderInitGenesis(genesis...)
	app.modules.SetOrderExportGenesis(genesis...)
}

func (app *App) registerServices() module.Configurator {
	configurator := module.NewConfigurator(app.Codec, app.MsgServiceRouter(), app.GRPCQueryRouter())
	if err := app.modules.RegisterServices(configurator); err != nil {
		panic(fmt.Errorf("register the modules' services: %w", err))
	}
	autocliv1.RegisterQueryServer(app.GRPCQueryRouter(), runtimeservices.NewAutoCLIQueryService(app.modules.Modules))
	reflection, err := runtimeservices.NewReflectionService()
	if err != nil {
		panic(fmt.Errorf("make the reflection service: %w", err))
	}
	reflectionv1.RegisterReflectionServiceServer(app.GRPCQueryRouter(), reflection)
	return configurator
}

// setAnteHandler makes transactions pay and prove their signers.
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
