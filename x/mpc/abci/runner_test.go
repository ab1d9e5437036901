package abci_test

import (
	"context"
	"errors"
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"
	protov2 "google.golang.org/protobuf/proto"

	cosmoslog "cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/blockexec"
	"github.com/cosmos/cosmos-sdk/baseapp/txnrunner"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/config"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
)

// plainTx is a transaction without messages: it runs and fails alike under every
// executor.
type plainTx struct{}

func (plainTx) GetMsgs() []sdk.Msg                    { return nil }
func (plainTx) GetMsgsV2() ([]protov2.Message, error) { return nil, nil }

func decodePlain(tx []byte) (sdk.Tx, error) {
	if len(tx) == 0 || tx[0] != 0x0a {
		return nil, errors.New("no transaction")
	}
	return plainTx{}, nil
}

// execute runs one block on a real BaseApp with an executor.
func execute(t *testing.T, executor string, h *abci.Handlers, txs [][]byte) []*cmtabci.ExecTxResult {
	t.Helper()
	key := storetypes.NewKVStoreKey("main")
	app := baseapp.NewBaseApp("runner-test", cosmoslog.NewNopLogger(), dbm.NewMemDB(), decodePlain, baseapp.SetChainID(chain.ChainID))
	app.MountStores(key)
	options := simtestutil.AppOptionsMap{server.FlagBlockExecutor: executor, server.FlagBlockSTMWorkers: 2}
	blockexec.Apply(app, options, []storetypes.StoreKey{key}, decodePlain,
		func(storetypes.MultiStore) string { return "stake" }, blockexec.WithRunnerWrap(h.TxRunner))
	require.NoError(t, app.LoadLatestVersion())
	_, err := app.InitChain(&cmtabci.RequestInitChain{ChainId: chain.ChainID, InitialHeight: 1})
	require.NoError(t, err)
	resp, err := app.FinalizeBlock(&cmtabci.RequestFinalizeBlock{Height: 1, Txs: txs})
	require.NoError(t, err)
	return resp.TxResults
}

func TestReceiptIsTheSameUnderEveryExecutor(t *testing.T) {
	c := newScene(t)
	h := c.handlers(nil, abci.WithTxDecoder(decodePlain))
	good := bundle(t, c.results)
	for name, txs := range map[string][][]byte{
		"bundle alone":     {good},
		"bundle and txs":   append([][]byte{good}, txsOf(20, 60)...),
		"no bundle":        txsOf(5, 60),
		"garbage":          {{0xff}, txsOf(1, 60)[0], {}, good},
		"broken bundle":    {[]byte("\x07MPCB\x02garbage")},
		"empty block":      nil,
		"garbage, no txs":  {{0xff}},
		"bundles anywhere": {txsOf(1, 60)[0], good, txsOf(1, 60)[0], good},
	} {
		t.Run(name, func(t *testing.T) {
			sequential := execute(t, config.BlockExecutorSequential, h, txs)
			parallel := execute(t, config.BlockExecutorBlockSTM, h, txs)
			require.Len(t, sequential, len(txs))
			require.Equal(t, len(sequential), len(parallel))
			for i := range txs {
				require.Equal(t, hashed(sequential[i]), hashed(parallel[i]), i)
			}
			for i, tx := range txs {
				switch {
				case len(tx) > 0 && tx[0] == 0x07:
					require.Equal(t, &cmtabci.ExecTxResult{Log: "mpc results"}, parallel[i])
				case len(tx) == 0 || tx[0] == 0xff:
					require.Equal(t, &cmtabci.ExecTxResult{Code: 2, Codespace: "sdk", Log: "not a transaction"}, parallel[i])
				}
			}
		})
	}
}

// hashed is what of a receipt goes into the hash of a block's results.
func hashed(r *cmtabci.ExecTxResult) cmtabci.ExecTxResult {
	return cmtabci.ExecTxResult{Code: r.Code, Data: r.Data, GasWanted: r.GasWanted, GasUsed: r.GasUsed}
}

func TestRunnerKeepsIndexes(t *testing.T) {
	c := newScene(t)
	good := bundle(t, c.results)
	var seen []int
	deliver := func(tx []byte, _ sdk.Tx, _ storetypes.MultiStore, i int, _ map[string]any) *cmtabci.ExecTxResult {
		seen = append(seen, i)
		return &cmtabci.ExecTxResult{Data: tx[1:2]}
	}
	inner := txnrunner.NewDefaultRunner(decodePlain)
	runner := c.handlers(nil).TxRunner(inner)
	results, err := runner.Run(context.Background(), nil, append([][]byte{good}, txsOf(3, 60)...), deliver)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3}, seen, "the index in the block")
	for i := range 3 {
		require.Equal(t, []byte{byte(i)}, results[i+1].Data)
	}
	require.Same(t, inner, runner.(interface{ Unwrap() sdk.TxRunner }).Unwrap())
}

func TestRunnerErrors(t *testing.T) {
	c := newScene(t)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	runner := c.handlers(nil).TxRunner(txnrunner.NewDefaultRunner(decodePlain))
	deliver := func([]byte, sdk.Tx, storetypes.MultiStore, int, map[string]any) *cmtabci.ExecTxResult {
		return &cmtabci.ExecTxResult{}
	}
	_, err := runner.Run(canceled, nil, txsOf(1, 60), deliver)
	require.ErrorIs(t, err, context.Canceled)
	_, err = runner.Run(canceled, nil, [][]byte{bundle(t, c.results)}, deliver)
	require.ErrorIs(t, err, context.Canceled, "an aborted optimistic execution has no results")
	_, err = c.handlers(nil).TxRunner(shortRunner{}).Run(context.Background(), nil, txsOf(2, 60), deliver)
	require.ErrorContains(t, err, "answered 1 of 2")
}

// shortRunner answers too little.
type shortRunner struct{}

func (shortRunner) Run(context.Context, storetypes.MultiStore, [][]byte, sdk.DeliverTxFunc) ([]*cmtabci.ExecTxResult, error) {
	return []*cmtabci.ExecTxResult{{}}, nil
}
