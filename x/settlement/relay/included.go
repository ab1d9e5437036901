package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	coretypes "github.com/cometbft/cometbft/rpc/core/types"
	"github.com/cometbft/cometbft/state"
)

// What became of a message stands in the results of its block. The node's index of transactions
// says so too, but operators turn that off (tx_index in config.toml).

const (
	// inclusionTimeout is how long a message may take into a block.
	inclusionTimeout = time.Minute
	// inclusionPoll is the pause between two looks for it.
	inclusionPoll = 500 * time.Millisecond
)

// blocks is what a node has of this chain's blocks. client.CometRPC implements it.
type blocks interface {
	// Status says how far the node is.
	Status(ctx context.Context) (*coretypes.ResultStatus, error)
	// Block is one with its transactions.
	Block(ctx context.Context, height *int64) (*coretypes.ResultBlock, error)
	// BlockResults is what became of the transactions of a block, in their order.
	BlockResults(ctx context.Context, height *int64) (*coretypes.ResultBlockResults, error)
}

// included waits until a transaction is in a block after one, and fails if it had no effect there.
func included(ctx context.Context, node blocks, tx []byte, after int64) error {
	ctx, cancel := context.WithTimeout(ctx, inclusionTimeout)
	defer cancel()
	tick := time.NewTicker(inclusionPoll)
	defer tick.Stop()
	var trouble error
	for {
		var done bool
		if after, done, trouble = lookFor(ctx, node, tx, after); done {
			return trouble
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the message is in no block up to %d after %s", after, inclusionTimeout), trouble)
		case <-tick.C:
		}
	}
}

// lookFor looks for a transaction in the blocks after one that the node has. It returns up to which
// one it has looked, and, when it is done, why the transaction had no effect; before, trouble with
// the node, which is asked again.
func lookFor(ctx context.Context, node blocks, tx []byte, after int64) (looked int64, done bool, trouble error) {
	status, err := node.Status(ctx)
	if err != nil {
		return after, false, fmt.Errorf("ask this chain's node for its height: %w", err)
	}
	for height := after + 1; height <= status.SyncInfo.LatestBlockHeight; height++ {
		block, err := node.Block(ctx, &height)
		if err != nil {
			return height - 1, false, fmt.Errorf("ask this chain's node for block %d: %w", height, err)
		}
		for i, other := range block.Block.Txs {
			if !bytes.Equal(other, tx) {
				continue
			}
			done, err := effect(ctx, node, height, i)
			return height - 1, done, err
		}
	}
	return max(after, status.SyncInfo.LatestBlockHeight), false, nil
}

// effect is why a transaction of a block had none. A node that does not keep the results of blocks
// cannot say; then the next look at the state tells.
func effect(ctx context.Context, node blocks, height int64, index int) (done bool, err error) {
	results, err := node.BlockResults(ctx, &height)
	switch {
	case err != nil && strings.Contains(err.Error(), state.ErrFinalizeBlockResponsesNotPersisted.Error()):
		return true, nil
	case err != nil: // it may not have executed the block yet
		return false, fmt.Errorf("ask this chain's node for the results of block %d: %w", height, err)
	case index >= len(results.TxsResults):
		return false, fmt.Errorf("this chain's node has %d results of block %d, none of transaction %d", len(results.TxsResults), height, index)
	}
	if r := results.TxsResults[index]; r.Code != 0 {
		return true, fmt.Errorf("the message failed (%s %d): %s", r.Codespace, r.Code, r.Log)
	}
	return true, nil
}
