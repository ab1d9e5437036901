package relay

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	coretypes "github.com/cometbft/cometbft/rpc/core/types"
	"github.com/cometbft/cometbft/state"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"
)

// unindexed is a node that makes a block each second, and has no index. Its results are as late as
// it says.
type unindexed struct {
	first   time.Time
	at      int64 // the block that has the transaction, beside another one
	result  abci.ExecTxResult
	late    time.Duration
	results error
	asked   int
}

func (u *unindexed) height() int64 { return 10 + int64(time.Since(u.first)/time.Second) }

func (u *unindexed) Status(context.Context) (*coretypes.ResultStatus, error) {
	return &coretypes.ResultStatus{SyncInfo: coretypes.SyncInfo{LatestBlockHeight: u.height()}}, nil
}

func (u *unindexed) Block(_ context.Context, height *int64) (*coretypes.ResultBlock, error) {
	u.asked++
	if *height > u.height() {
		return nil, errors.New("it is not there yet")
	}
	txs := cmttypes.Txs{[]byte("bundle")}
	if *height == u.at {
		txs = append(txs, []byte("tx"))
	}
	return &coretypes.ResultBlock{Block: &cmttypes.Block{Data: cmttypes.Data{Txs: txs}}}, nil
}

func (u *unindexed) BlockResults(_ context.Context, height *int64) (*coretypes.ResultBlockResults, error) {
	switch {
	case u.results != nil:
		return nil, u.results
	case time.Since(u.first) < time.Duration(*height-10)*time.Second+u.late:
		return nil, errors.New("no results of it")
	}
	return &coretypes.ResultBlockResults{TxsResults: []*abci.ExecTxResult{{}, &u.result}}, nil
}

// A message is found in its block without an index, with what became of it, as soon as the node has
// the results.
func TestIncluded(t *testing.T) {
	for name, c := range map[string]struct {
		node  unindexed
		says  string
		after time.Duration
	}{
		"took effect":    {unindexed{at: 13}, "", 3 * time.Second},
		"failed":         {unindexed{at: 11, result: abci.ExecTxResult{Code: 19, Codespace: "settlement", Log: "too_early"}}, "the message failed (settlement 19): too_early", time.Second},
		"results late":   {unindexed{at: 11, late: 700 * time.Millisecond}, "", 2 * time.Second},
		"results thrown": {unindexed{at: 11, results: errors.New("rpc: " + state.ErrFinalizeBlockResponsesNotPersisted.Error())}, "", time.Second},
		"results gone":   {unindexed{at: 11, results: errors.New("disk")}, "the message is in no block up to 10 after 1m0s\nask this chain's node for the results of block 11: disk", inclusionTimeout},
		"before":         {unindexed{at: 10}, "the message is in no block up to", inclusionTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.node.first = time.Now()
				err := included(t.Context(), &c.node, []byte("tx"), 10)
				require.Equal(t, c.after, time.Since(c.node.first))
				if c.says == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.says)
				}
				if c.node.results == nil {
					require.LessOrEqual(t, c.node.asked, 61, "each block once")
				}
			})
		})
	}
}
