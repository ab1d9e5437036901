package app

import (
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/blockexec"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpcabci "github.com/sequencer-mpc/sequencer/x/mpc/abci"
)

// setABCI wraps what the chain does in each phase of a block with what carries
// the results of the participants.
func (app *App) setABCI(opts servertypes.AppOptions) {
	mpc := mpcabci.NewHandlers(app.MPC, app.link, app.Logger(), mpcabci.WithTxDecoder(app.TxConfig.TxDecoder()))
	inner := baseapp.NewDefaultProposalHandler(app.Mempool(), app)
	app.SetPrepareProposal(mpc.PrepareProposal(inner.PrepareProposalHandler()))
	app.SetProcessProposal(mpc.ProcessProposal(inner.ProcessProposalHandler()))
	app.SetPreBlocker(mpc.PreBlocker(app.preBlock))
	app.SetCheckTxHandler(mpc.CheckTx(mpcabci.DefaultCheckTx(
		cast.ToBool(opts.Get(server.FlagTrace)), cast.ToStringSlice(opts.Get(server.FlagIndexEvents)))))
	app.SetPrepareCheckStater(app.prepareCheckState)

	stores := make([]storetypes.StoreKey, 0, len(app.keys))
	for _, key := range app.keys {
		stores = append(stores, key)
	}
	blockexec.Apply(app.BaseApp, opts, stores, app.TxConfig.TxDecoder(),
		func(storetypes.MultiStore) string { return BondDenom },
		blockexec.WithRunnerWrap(mpc.TxRunner))
}

func (app *App) preBlock(ctx sdk.Context, _ *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	return app.modules.PreBlock(ctx)
}

// prepareCheckState runs after each commit, under CometBFT's locks. x/mpc wakes
// the engine in it.
func (app *App) prepareCheckState(ctx sdk.Context) {
	if err := app.modules.PrepareCheckState(ctx); err != nil {
		app.Logger().Error("prepare the check state", "err", err)
	}
}
