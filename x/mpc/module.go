package mpc

import (
	"context"
	"encoding/json"
	"fmt"

	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"

	"cosmossdk.io/core/appmodule"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"

	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// ConsensusVersion counts changes of the module's state that need a migration.
const ConsensusVersion = 4

var (
	_ module.AppModuleBasic = AppModule{}
	_ module.HasGenesis     = AppModule{}
	_ module.HasServices    = AppModule{}

	_ appmodule.AppModule            = AppModule{}
	_ appmodule.HasEndBlocker        = AppModule{}
	_ appmodule.HasPrepareCheckState = AppModule{}
)

// Notify is told of each committed block. It runs while consensus waits: it must
// not block, do I/O or send transactions; a send that keeps only the latest
// height is what it is for. It is no more than a wake-up: after a crash or a state
// sync it is not called, and before the node's engine exists it may be.
type Notify func(height int64)

// AppModule is x/mpc in an app.
type AppModule struct {
	cdc    codec.Codec
	keeper *keeper.Keeper
	notify Notify
}

// NewAppModule makes the module. notify may be nil, on a chain or a tool without
// an engine. All hooks must have been added to the keeper before the module
// registers its services.
func NewAppModule(cdc codec.Codec, k *keeper.Keeper, notify Notify) AppModule {
	return AppModule{cdc: cdc, keeper: k, notify: notify}
}

// IsAppModule implements appmodule.AppModule.
func (AppModule) IsAppModule() {}

// IsOnePerModuleType implements depinject.OnePerModuleType.
func (AppModule) IsOnePerModuleType() {}

// Name implements module.AppModuleBasic.
func (AppModule) Name() string { return types.ModuleName }

// RegisterLegacyAminoCodec implements module.AppModuleBasic.
func (AppModule) RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	types.RegisterLegacyAminoCodec(cdc)
}

// RegisterInterfaces implements module.AppModuleBasic.
func (AppModule) RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	types.RegisterInterfaces(registry)
}

// RegisterGRPCGatewayRoutes implements module.AppModuleBasic.
func (AppModule) RegisterGRPCGatewayRoutes(clientCtx client.Context, mux *gwruntime.ServeMux) {
	if err := types.RegisterQueryHandlerClient(context.Background(), mux, types.NewQueryClient(clientCtx)); err != nil {
		panic(err) // the routes are generated: two of them would be the same
	}
}

// RegisterServices registers messages and queries, and ends the time for adding
// hooks.
func (am AppModule) RegisterServices(cfg module.Configurator) {
	am.keeper.SealHooks()
	types.RegisterMsgServer(types.CommittedErrors(cfg.MsgServer()), keeper.NewMsgServer(am.keeper))
	types.RegisterQueryServer(cfg.QueryServer(), keeper.NewQueryServer(am.keeper))
	for i, migrate := range []func(context.Context) error{am.keeper.Migrate1to2, am.keeper.Migrate2to3, am.keeper.Migrate3to4} {
		err := cfg.RegisterMigration(types.ModuleName, uint64(i+1), func(ctx sdk.Context) error { return migrate(ctx) })
		if err != nil {
			panic(err) // it is registered twice
		}
	}
}

// DefaultGenesis implements module.HasGenesisBasics.
func (am AppModule) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	return cdc.MustMarshalJSON(types.DefaultGenesis())
}

// ValidateGenesis implements module.HasGenesisBasics: what it takes, InitGenesis takes,
// proofs of possession excepted. Those are made for the chain's id, which is not in the
// state: see VerifyGenesisProofs of the keeper.
func (am AppModule) ValidateGenesis(cdc codec.JSONCodec, _ client.TxEncodingConfig, bz json.RawMessage) error {
	var gs types.GenesisState
	if err := cdc.UnmarshalJSON(bz, &gs); err != nil {
		return fmt.Errorf("decode the genesis state of %s: %w", types.ModuleName, err)
	}
	if am.keeper == nil { // of a program whose commands do not know the chain's addresses
		return gs.Validate()
	}
	return am.keeper.CheckGenesis(gs)
}

// InitGenesis imports a genesis state. It panics if that is not possible: a chain
// must not start on half of it.
func (am AppModule) InitGenesis(ctx sdk.Context, cdc codec.JSONCodec, bz json.RawMessage) {
	var gs types.GenesisState
	cdc.MustUnmarshalJSON(bz, &gs)
	if err := am.keeper.InitGenesis(ctx, gs); err != nil {
		panic(fmt.Errorf("import the genesis state of %s: %w", types.ModuleName, err))
	}
}

// ExportGenesis exports the state. It panics if that is not possible, as the
// SDK's interface has no error.
func (am AppModule) ExportGenesis(ctx sdk.Context, cdc codec.JSONCodec) json.RawMessage {
	gs, err := am.keeper.ExportGenesis(ctx)
	if err != nil {
		panic(err)
	}
	return cdc.MustMarshalJSON(gs)
}

// ConsensusVersion implements module.HasConsensusVersion.
func (AppModule) ConsensusVersion() uint64 { return ConsensusVersion }

// EndBlock implements appmodule.HasEndBlocker.
func (am AppModule) EndBlock(ctx context.Context) error { return am.keeper.EndBlock(ctx) }

// PrepareCheckState implements appmodule.HasPrepareCheckState: the block is
// committed.
func (am AppModule) PrepareCheckState(ctx context.Context) error {
	if am.notify != nil {
		am.notify(sdk.UnwrapSDKContext(ctx).BlockHeight())
	}
	return nil
}
