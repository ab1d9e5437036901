package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// retention is for how long the tests keep what is settled.
const retention = types.MinRetentionBlocks

// settle has batch n, of one block, accepted and included.
func (f *fixture) settle(n uint64, secret chain.Secret, success bool) uint64 {
	f.t.Helper()
	id := f.accept(block(n, n, byte(n)))
	f.include(id, receipt(f.sign(id, secret).Hash, success))
	return id
}

// kept are the ids of all transactions and the numbers of all batches.
func (f *fixture) kept() (transactions, batches []uint64) {
	f.t.Helper()
	g, err := f.k.ExportGenesis(f.Ctx)
	require.NoError(f.t, err)
	require.NoError(f.t, g.Validate())
	for _, t := range g.Transactions {
		transactions = append(transactions, t.Id)
	}
	for _, b := range g.Batches {
		batches = append(batches, b.Number)
	}
	return transactions, batches
}

// What was settled long ago goes, a few at a time, when a batch is accepted.
func TestPruning(t *testing.T) {
	f, secret := newSettling(t)
	for n := uint64(1); n <= 6; n++ {
		f.settle(n, secret, true)
	}
	done := f.tx(6).DoneHeight
	require.Equal(t, f.Ctx.BlockHeight(), done)
	f.EndBlocks(done + 2*retention)
	f.settle(7, secret, true)
	transactions, batches := f.kept()
	require.Len(t, transactions, 7, "0 is for ever")
	require.Len(t, batches, 7)

	f.setParams(func(p *types.Params) { p.RetentionBlocks = retention })
	transactions, _ = f.kept()
	require.Len(t, transactions, 7, "not before a batch is accepted")
	f.settle(8, secret, true)
	transactions, batches = f.kept()
	require.Equal(t, []uint64{5, 6, 7, 8}, transactions, "four at once")
	require.Equal(t, []uint64{5, 6, 7, 8}, batches)
	f.settle(9, secret, true)
	transactions, batches = f.kept()
	require.Equal(t, []uint64{7, 8, 9}, transactions, "7 is young yet")
	require.Equal(t, []uint64{7, 8, 9}, batches)

	_, err := f.query.Batch(f.Ctx, &types.QueryBatchRequest{Purpose: types.PURPOSE_STATE, Number: 1})
	require.ErrorIs(t, err, types.ErrPruned)
	_, err = f.query.Transaction(f.Ctx, &types.QueryTransactionRequest{Id: 6})
	require.ErrorIs(t, err, types.ErrPruned)
	_, err = f.query.Transaction(f.Ctx, &types.QueryTransactionRequest{Id: 10})
	require.ErrorIs(t, err, types.ErrUnknownTx)
	_, err = f.query.Batch(f.Ctx, &types.QueryBatchRequest{Purpose: types.PURPOSE_STATE, Number: 10})
	require.ErrorIs(t, err, types.ErrUnknownBatch)
	_, err = f.report(0, 1, receipt(f.tx(7).Attempts[0].Hash, true))
	require.ErrorIs(t, err, types.ErrPruned)
	require.NoError(t, f.k.AfterSignatureReady(f.Ctx, mpctypes.Signature{Id: types.SignatureID(1, 2)}), "it comes too late for anything")

	exported := f.export()
	f.restart(exported, exported.ExportHeight+1)
	again, err := f.k.ExportGenesis(f.Ctx.WithBlockHeight(exported.ExportHeight))
	require.NoError(t, err)
	require.Equal(t, exported, *again)
	f.EndBlocks(f.Ctx.BlockHeight() + 2*retention)
	require.EqualValues(t, 10, f.settle(10, secret, true), "ids go on")
	transactions, _ = f.kept()
	require.Equal(t, []uint64{10}, transactions, "what was done before the export is known to be")
	f.EndBlocks(f.Ctx.BlockHeight() + 2*retention)
	exported = f.export()
	f.restart(exported, exported.ExportHeight+1) // the newest batch stays, and says where the line goes on
}

// What was done is old some time after an import, too: also where the file does not say when
// it was done, as one of before, and on a chain that begins anew; and what is left of a batch
// that is gone keeps nothing from going on.
func TestPruningAfterAnImport(t *testing.T) {
	for name, c := range map[string]struct{ undated, anew bool }{"of before": {undated: true}, "of a higher chain": {anew: true}} {
		t.Run(name, func(t *testing.T) {
			f, secret := newSettling(t)
			f.setParams(func(p *types.Params) { p.RetentionBlocks = retention })
			f.settle(1, secret, false)
			answer, err := f.msg.ResubmitBatch(f.Ctx, &types.MsgResubmitBatch{Authority: f.Authority, Purpose: types.PURPOSE_STATE, Batch: 1})
			require.NoError(t, err)
			f.include(answer.TransactionId, receipt(f.sign(answer.TransactionId, secret).Hash, true))
			f.settle(2, secret, true)
			g := f.export()
			first := g.ExportHeight + 1
			for i := range g.Transactions {
				require.Positive(t, g.Transactions[i].DoneHeight)
				if c.undated {
					g.Transactions[i].DoneHeight = 0
				}
			}
			if c.anew {
				first = 1
			}
			f.restart(g, first)
			f.EndBlocks(f.Ctx.BlockHeight() + 2*retention)
			f.settle(3, secret, true)
			transactions, batches := f.kept()
			require.Equal(t, []uint64{4}, transactions)
			require.Equal(t, []uint64{3}, batches)
		})
	}
}

// What waits, or may have to be submitted again, is kept however old it is.
func TestPruningKeepsWhatIsNeeded(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.RetentionBlocks = retention })
	reverted := f.settle(1, secret, false)
	open := f.accept(block(2, 2, 2))
	f.sign(open, secret)
	f.settle(3, secret, true)
	f.EndBlocks(f.Ctx.BlockHeight() + 2*retention)
	f.settle(4, secret, true)
	transactions, batches := f.kept()
	require.Equal(t, []uint64{reverted, open, 4}, transactions)
	require.Equal(t, []uint64{1, 2, 4}, batches)

	answer, err := f.msg.ResubmitBatch(f.Ctx, &types.MsgResubmitBatch{Authority: f.Authority, Purpose: types.PURPOSE_STATE, Batch: 1})
	require.NoError(t, err)
	require.EqualValues(t, 5, answer.TransactionId)
	f.EndBlocks(f.Ctx.BlockHeight() + retention + 1)
	f.settle(5, secret, true)
	transactions, batches = f.kept()
	require.Equal(t, []uint64{open, 5, 6}, transactions, "nothing needs the first one any more; the fourth was settled for long")
	require.Equal(t, []uint64{1, 2, 5}, batches)
}
