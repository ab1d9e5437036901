package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

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
	"github.com/cosmos/cosmos-sdk/std"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

const (
	bech32Prefix    = "example"
	validatorPrefix = bech32Prefix + "valoper"
	consensusPrefix = bech32Prefix + "valcons"
	bondDenom       = "uex"
	// MinGasPrice of a new app.toml.
	MinGasPrice = "0" + bondDenom
)

// DefaultHome is where a node keeps its files unless --home says otherwise.
var DefaultHome = filepath.Join(os.Getenv("HOME"), ".exampled")

func init() {
	sdk.DefaultBondDenom = bondDenom
	c := sdk.GetConfig()
	c.SetBech32PrefixForAccount(bech32Prefix, bech32Prefix+"pub")
	c.SetBech32PrefixForValidator(validatorPrefix, validatorPrefix+"pub")
	c.SetBech32PrefixForConsensusNode(consensusPrefix, consensusPrefix+"pub")
	c.Seal()
}

func accounts() address.Codec   { return addresscodec.NewBech32Codec(bech32Prefix) }
func validators() address.Codec { return addresscodec.NewBech32Codec(validatorPrefix) }
func consensus() address.Codec  { return addresscodec.NewBech32Codec(consensusPrefix) }

// App is the example chain.
type App struct {
	*baseapp.BaseApp
	keepers

	Codec             codec.Codec
	Amino             *codec.LegacyAmino
	InterfaceRegistry codectypes.InterfaceRegistry
	TxConfig          client.TxConfig
	Basics            module.BasicManager

	keys    map[string]*storetypes.KVStoreKey
	modules *module.Manager
	link    *mpcnode.Link
}

// New makes the application at its last state. It panics if that cannot be loaded, as
// the SDK's commands expect.
func New(logger log.Logger, db dbm.DB, baseOpts ...func(*baseapp.BaseApp)) *App {
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles:     proto.HybridResolver,
		SigningOptions: signing.Options{AddressCodec: accounts(), ValidatorAddressCodec: validators()},
	})
	if err != nil {
		panic(fmt.Errorf("make the interface registry: %w", err))
	}
	cdc, amino := codec.NewProtoCodec(registry), codec.NewLegacyAmino()
	std.RegisterLegacyAminoCodec(amino)
	std.RegisterInterfaces(registry)
	txConfig := authtx.NewTxConfig(cdc, authtx.DefaultSignModes)
	base := baseapp.NewBaseApp("example", logger, db, txConfig.TxDecoder(), baseOpts...)
	base.SetInterfaceRegistry(registry)
	base.SetTxEncoder(txConfig.TxEncoder())

	app := &App{
		BaseApp: base, Codec: cdc, Amino: amino, InterfaceRegistry: registry, TxConfig: txConfig,
		keys: newStoreKeys(),
		link: mpcnode.NewLink(),
	}
	app.addKeepers()
	app.addModules()
	app.MountKVStores(app.keys)
	app.SetInitChainer(app.initChain)
	app.SetBeginBlocker(app.modules.BeginBlock)
	app.SetEndBlocker(app.modules.EndBlock)
	app.setAnteHandler()
	app.setProposals()
	if err := app.LoadLatestVersion(); err != nil {
		panic(fmt.Errorf("load the last state: %w", err))
	}
	return app
}

func (app *App) initChain(ctx sdk.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	var genesis map[string]json.RawMessage
	if err := json.Unmarshal(req.AppStateBytes, &genesis); err != nil {
		return nil, fmt.Errorf("decode app_state of the genesis file: %w", err)
	}
	return app.modules.InitGenesis(ctx, app.Codec, genesis)
}

// MPCLink connects the application with the engine of its node.
func (app *App) MPCLink() *mpcnode.Link { return app.link }

// MPCState reads x/mpc for the engine.
func (app *App) MPCState() mpcnode.State { return app.MPC }
