package abci

import (
	"context"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// bundleLog is what indexers and explorers show for a bundle.
const bundleLog = "mpc results"

// undecodableLog stands in the receipt of bytes that are no transaction.
const undecodableLog = "not a transaction"

// TxRunner answers bundles itself, with a receipt that is the same under every
// executor, and gives the rest to inner with the indexes that it has in the
// block. Without it a sequential and a parallel executor would report different
// gas for the bundle, and their nodes would disagree on the block's results.
//
// baseapp/blockexec.WithRunnerWrap takes it as it is.
func (h *Handlers) TxRunner(inner sdk.TxRunner) sdk.TxRunner {
	return &runner{inner: inner, decoder: h.decoder}
}

type runner struct {
	inner   sdk.TxRunner
	decoder sdk.TxDecoder
}

// Unwrap lets baseapp see whether the executor inside is a parallel one.
func (r *runner) Unwrap() sdk.TxRunner { return r.inner }

// Run implements sdk.TxRunner.
func (r *runner) Run(ctx context.Context, ms storetypes.MultiStore, txs [][]byte, deliver sdk.DeliverTxFunc) ([]*abci.ExecTxResult, error) {
	results := make([]*abci.ExecTxResult, len(txs))
	var (
		rest  [][]byte
		index []int // of each of the rest in the block
	)
	for i, tx := range txs {
		if results[i] = r.receipt(tx); results[i] == nil {
			rest = append(rest, tx)
			index = append(index, i)
		}
	}
	if len(rest) == 0 {
		return results, ctx.Err()
	}
	inBlock := func(tx []byte, memTx sdk.Tx, ms storetypes.MultiStore, i int, cache map[string]any) *abci.ExecTxResult {
		return deliver(tx, memTx, ms, index[i], cache)
	}
	ran, err := r.inner.Run(ctx, ms, rest, inBlock)
	if err != nil {
		return nil, err
	}
	if len(ran) != len(rest) {
		return nil, fmt.Errorf("the executor answered %d of %d transactions", len(ran), len(rest))
	}
	for i, result := range ran {
		results[index[i]] = result
	}
	return results, nil
}

// receipt is the constant answer to what is not run; nil for a transaction.
func (r *runner) receipt(tx []byte) *abci.ExecTxResult {
	if types.IsBundle(tx) {
		return &abci.ExecTxResult{Log: bundleLog}
	}
	if r.decoder == nil {
		return nil
	}
	if _, err := r.decoder(tx); err != nil {
		return &abci.ExecTxResult{Code: sdkerrors.ErrTxDecode.ABCICode(), Codespace: sdkerrors.ErrTxDecode.Codespace(), Log: undecodableLog}
	}
	return nil
}
