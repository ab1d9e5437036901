package abci

import (
	abci "github.com/cometbft/cometbft/abci/types"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// CheckTx keeps what looks like a bundle out of the mempool. A nil inner handler
// stands for DefaultCheckTx of a node that shows no traces and indexes all events.
func (h *Handlers) CheckTx(inner sdk.CheckTxHandler) sdk.CheckTxHandler {
	if inner == nil {
		inner = DefaultCheckTx(false, nil)
	}
	return func(run sdk.RunTx, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
		if types.IsBundle(req.Tx) {
			err := types.ErrBadBundle.Wrap("a transaction must not look like a bundle of results")
			space, code, text := errorsmod.ABCIInfo(err, false)
			return &abci.ResponseCheckTx{Codespace: space, Code: code, Log: text}, nil
		}
		return inner(run, req)
	}
}

// DefaultCheckTx is what baseapp does when it has no handler: it runs the transaction. A
// handler is not told the settings that baseapp has then: trace is whether errors show where
// they come from (the flag --trace), indexEvents the events that are to be indexed, as
// TYPE.ATTRIBUTE; none are all (index-events of app.toml).
func DefaultCheckTx(trace bool, indexEvents []string) sdk.CheckTxHandler {
	index := make(map[string]struct{}, len(indexEvents))
	for _, e := range indexEvents {
		index[e] = struct{}{}
	}
	return func(run sdk.RunTx, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
		gas, result, events, err := run(req.Tx, nil)
		if err != nil {
			return sdkerrors.ResponseCheckTxWithEvents(err, gas.GasWanted, gas.GasUsed, events, trace), nil
		}
		return &abci.ResponseCheckTx{
			GasWanted: int64(gas.GasWanted), GasUsed: int64(gas.GasUsed),
			Log: result.Log, Data: result.Data, Events: sdk.MarkEventsToIndex(result.Events, index),
		}, nil
	}
}
