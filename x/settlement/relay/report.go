package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// reportsAgain is after how many blocks of the other chain the same is reported again, while
// the transaction is still open. This chain counts reports when one comes: where others lost
// their power since, it may be enough to say it once more.
const reportsAgain = 50

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
	if head+1 < block+r.Confirmations {
		return fmt.Sprintf("included in block %d, waits for %d confirmations", block, r.Confirmations), nil
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
