package app

import (
	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/txnrunner"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpcabci "github.com/sequencer-mpc/sequencer/x/mpc/abci"
)

// MaxTxs is how many transactions this chain takes in a block.
const MaxTxs = 50

// setProposals installs what the chain does with proposals.
func (app *App) setProposals() {
	mpc := mpcabci.NewHandlers(app.MPC, app.link, app.Logger(), mpcabci.WithTxDecoder(app.TxConfig.TxDecoder()))
	app.SetPrepareProposal(mpc.PrepareProposal(app.prepareProposal))
	app.SetProcessProposal(mpc.ProcessProposal(app.processProposal))
	app.SetPreBlocker(mpc.PreBlocker(app.preBlock))
	app.SetCheckTxHandler(mpc.CheckTx(nil))
	app.SetBlockSTMTxRunner(mpc.TxRunner(txnrunner.NewDefaultRunner(app.TxConfig.TxDecoder())))
	app.SetPrepareCheckStater(app.prepareCheckState)
}

// prepareProposal takes what the SDK would take, but no more than MaxTxs.
func (app *App) prepareProposal(ctx sdk.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	resp, err := baseapp.NewDefaultProposalHandler(app.Mempool(), app).PrepareProposalHandler()(ctx, req)
	if err == nil {
		resp.Txs = resp.Txs[:min(len(resp.Txs), MaxTxs)]
	}
	return resp, err
}

// processProposal refuses what prepareProposal would not make.
func (app *App) processProposal(ctx sdk.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	if len(req.Txs) > MaxTxs {
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	return baseapp.NewDefaultProposalHandler(app.Mempool(), app).ProcessProposalHandler()(ctx, req)
}

// preBlock tells the module checkpoint which block this is.
func (app *App) preBlock(ctx sdk.Context, req *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	if err := app.Checkpoint.SetHash(ctx, req.Hash); err != nil {
		return nil, err
	}
	return app.modules.PreBlock(ctx)
}

// prepareCheckState runs after each commit.
func (app *App) prepareCheckState(ctx sdk.Context) {
	if err := app.modules.PrepareCheckState(ctx); err != nil {
		app.Logger().Error("prepare the check state", "err", err)
	}
}
