package relay

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// reportsAgain is after how many blocks of the other chain the same is reported again, while
// the transaction is still open. This chain counts reports when one comes: where others lost
// their power since, it may be enough to say it once more.
const reportsAgain = 50

// inclusion is the receipt of a transaction, under whatever hash; nil if no block has it. Then
// used is how many nonces its key has used up on the other chain.
func (r *Relay) inclusion(ctx context.Context, t types.Transaction, head uint64) (receipt *ethtypes.Receipt, used uint64, err error) {
	receipt, err = r.receipt(ctx, t)
	if err != nil || receipt != nil {
		return receipt, 0, err
	}
	return r.unknown(ctx, t, head)
}

// receipt is that of the attempt that was included; nil if none was.
func (r *Relay) receipt(ctx context.Context, t types.Transaction) (*ethtypes.Receipt, error) {
	for i := len(t.Attempts) - 1; i >= 0; i-- {
		if t.Attempts[i].Status != types.ATTEMPT_STATUS_SIGNED {
			continue
		}
		receipt, err := r.ethereum.TransactionReceipt(ctx, common.HexToHash(t.Attempts[i].Hash))
		if err == nil {
			return receipt, nil
		}
		if !errors.Is(err, ethereum.NotFound) {
			return nil, fmt.Errorf("ask for the receipt of %s: %w", t.Attempts[i].Hash, private(err))
		}
	}
	return nil, nil
}

// report says on this chain what became of a transaction, once it has its confirmations.
func (r *Relay) report(ctx context.Context, t types.Transaction, receipt *ethtypes.Receipt, head uint64) (string, error) {
	block := receipt.BlockNumber.Uint64()
	waits, err := r.waits(ctx, block, head)
	switch {
	case err != nil:
		return "", err
	case waits != "":
		return fmt.Sprintf("included in block %d, waits %s", block, waits), nil
	}
	seen := types.Receipt{
		Hash: receipt.TxHash.Hex(), Success: receipt.Status == ethtypes.ReceiptStatusSuccessful,
		BlockNumber: block, BlockHash: receipt.BlockHash.Hex(), GasUsed: receipt.GasUsed,
	}
	reported, err := r.sequencer.Reported(ctx, t.Id, r.Operator)
	if err != nil {
		return "", fmt.Errorf("ask what was reported: %w", err)
	}
	at, known := r.reported[t.Id]
	switch {
	case reported == nil || !reported.Equal(seen) || known && head >= at+reportsAgain:
		err := r.sequencer.Send(ctx, &types.MsgReportReceipt{Operator: r.Operator, TransactionId: t.Id, Receipt: seen})
		if err != nil {
			return "", fmt.Errorf("report: %w", err)
		}
		r.reported[t.Id] = head
	case !known:
		r.reported[t.Id] = head
	}
	return fmt.Sprintf("included in block %d, success %t: reported", block, seen.Success), nil
}

// waits is for what a receipt of a block waits before it is reported; nothing, if it does not.
func (r *Relay) waits(ctx context.Context, block, head uint64) (string, error) {
	if r.Confirmations > 0 {
		if head+1 < block+r.Confirmations {
			return fmt.Sprintf("for %d confirmations", r.Confirmations), nil
		}
		return "", nil
	}
	final, err := r.ethereum.HeaderByNumber(ctx, big.NewInt(rpc.FinalizedBlockNumber.Int64()))
	switch {
	case err != nil:
		return "", fmt.Errorf("ask for the newest final block: %w; where the other chain's nodes know of none, say how many confirmations a receipt must have", private(err))
	case final.Number.Cmp(new(big.Int).SetUint64(block)) < 0:
		return "until that is final", nil
	}
	return "", nil
}
