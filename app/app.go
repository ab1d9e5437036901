package app

import (
	"encoding/json"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/core/address"
	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	"github.com/cosmos/cosmos-sdk/std"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/version"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// What a node needs of the application.
var (
	_ servertypes.Application = (*App)(nil)
	_ mpcnode.App             = (*App)(nil)
)

// Encoding is how the chain encodes everything.
type Encoding struct {
	Codec             codec.Codec
	Amino             *codec.LegacyAmino
	InterfaceRegistry codectypes.InterfaceRegistry
	TxConfig          client.TxConfig
}

// App is the sequencer chain.
type App struct {
	*baseapp.BaseApp
	Encoding
	Keepers

	keys    map[string]*storetypes.KVStoreKey
	modules *module.Manager
	basics  module.BasicManager
	link    *mpcnode.Link
}

// New makes the application. It loads the last committed state if load is set,
// and starts nothing. It panics if the wiring is wrong or the state cannot be
// loaded, as the SDK's commands expect of an application.
func New(logger log.Logger, db dbm.DB, load bool, opts servertypes.AppOptions, baseOpts ...func(*baseapp.BaseApp)) *App {
	enc := newEncoding()
	base := baseapp.NewBaseApp(Name, logger, db, enc.TxConfig.TxDecoder(), baseOpts...)
	base.SetVersion(version.Version)
	base.SetInterfaceRegistry(enc.InterfaceRegistry)
	base.SetTxEncoder(enc.TxConfig.TxEncoder())

	app := &App{BaseApp: base, Encoding: enc, keys: newStoreKeys(), link: mpcnode.NewLink()}
	app.Keepers = newKeepers(app, opts)
	configurator := app.addModules()
	app.MountKVStores(app.keys)
	app.SetInitChainer(app.initChain)
	app.SetBeginBlocker(app.modules.BeginBlock)
	app.SetEndBlocker(app.modules.EndBlock)
	app.setAnteHandler()
	app.setABCI(opts)
	if err := app.setUpgrade(configurator, opts); err != nil {
		panic(err)
	}
	if load {
		if err := app.LoadLatestVersion(); err != nil {
			panic(fmt.Errorf("load the last state: %w", err))
		}
	}
	return app
}

// NewTool makes an application without a state, which knows all types, modules
// and services: what commands and tools need of one.
func NewTool() *App { return New(log.NewNopLogger(), dbm.NewMemDB(), true, noOptions{}) }

// noOptions is an app.toml in which nothing is set.
type noOptions struct{}

// Get implements servertypes.AppOptions.
func (noOptions) Get(string) any { return nil }

func newEncoding() Encoding {
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: signing.Options{
			AddressCodec:          AccountCodec(),
			ValidatorAddressCodec: ValidatorCodec(),
		},
	})
	if err != nil {
		panic(fmt.Errorf("make the interface registry: %w", err))
	}
	cdc := codec.NewProtoCodec(registry)
	amino := codec.NewLegacyAmino()
	std.RegisterLegacyAminoCodec(amino)
	std.RegisterInterfaces(registry)
	return Encoding{
		Codec: cdc, Amino: amino, InterfaceRegistry: registry,
		TxConfig: authtx.NewTxConfig(cdc, authtx.DefaultSignModes),
	}
}

// AccountCodec turns account addresses into text and back.
func AccountCodec() address.Codec { return addresscodec.NewBech32Codec(Bech32Prefix) }

// ValidatorCodec does so for validator operators.
func ValidatorCodec() address.Codec { return addresscodec.NewBech32Codec(validatorPrefix) }

// ConsensusCodec does so for consensus keys.
func ConsensusCodec() address.Codec { return addresscodec.NewBech32Codec(consensusPrefix) }

// Basics are the modules without their keepers, for commands about genesis.
func (app *App) Basics() module.BasicManager { return app.basics }

// MPCLink connects the application with the engine of its node.
func (app *App) MPCLink() *mpcnode.Link { return app.link }

// MPCState reads x/mpc for the engine.
func (app *App) MPCState() mpcnode.State { return app.MPC }

// DefaultGenesis is the state of a new chain with no accounts.
func (app *App) DefaultGenesis() map[string]json.RawMessage {
	return app.basics.DefaultGenesis(app.Codec)
}

func (app *App) initChain(ctx sdk.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	var genesis map[string]json.RawMessage
	if err := json.Unmarshal(req.AppStateBytes, &genesis); err != nil {
		return nil, fmt.Errorf("decode app_state of the genesis file: %w", err)
	}
	if err := app.Upgrade.SetModuleVersionMap(ctx, app.modules.GetVersionMap()); err != nil {
		return nil, fmt.Errorf("store module versions: %w", err)
	}
	return app.modules.InitGenesis(ctx, app.Codec, genesis)
}
