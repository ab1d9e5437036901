package abci

import (
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// judgeGas is an error if transactions ask for more gas than a block has.
func (h *Handlers) judgeGas(ctx sdk.Context, txs [][]byte) error {
	if n := h.withinGas(ctx, txs); n < len(txs) {
		return fmt.Errorf("max_gas of a block is %d: %d of %d transactions are within it", ctx.ConsensusParams().Block.MaxGas, n, len(txs))
	}
	return nil
}

// affordable cuts transactions to those that judgeGas lets pass. Honest mempools and
// handlers keep to the limit themselves.
func (h *Handlers) affordable(ctx sdk.Context, txs [][]byte) [][]byte {
	n := 0
	err := h.recovered(func() error {
		n = h.withinGas(ctx, txs)
		return nil
	})
	if n < len(txs) {
		h.logger.Error("not all transactions are proposed: together they ask for more gas than a block has",
			"height", ctx.BlockHeight(), "transactions", len(txs), "proposed", n, "err", err)
	}
	return txs[:n]
}

// withinGas is how many transactions, from the first on, the gas of a block has room
// for. A transaction counts with the gas that it asks for, which its execution cannot
// exceed; what cannot be decoded is not executed, and counts nothing. The answer depends
// on the bytes and on committed parameters alone. Without a decoder, or a limit, all
// have room.
func (h *Handlers) withinGas(ctx sdk.Context, txs [][]byte) int {
	block := ctx.ConsensusParams().Block
	if h.decoder == nil || block == nil || block.MaxGas <= 0 {
		return len(txs)
	}
	left := uint64(block.MaxGas)
	for i, tx := range txs {
		gas := h.gasWanted(tx)
		if gas > left {
			return i
		}
		left -= gas
	}
	return len(txs)
}

func (h *Handlers) gasWanted(bz []byte) uint64 {
	tx, err := h.decoder(bz)
	if err != nil {
		return 0
	}
	if gasTx, ok := tx.(sdk.GasTx); ok {
		return gasTx.GetGas()
	}
	return 0
}
