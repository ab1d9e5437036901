package keeper_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// everything is a state with all that there can be.
func everything(t *testing.T) *fixture {
	t.Helper()
	f, secret := newSettling(t)
	id := f.accept(block(1, 10, 1))
	f.include(id, receipt(f.sign(id, secret).Hash, true))
	open := f.accept(block(11, 20, 2))
	_, err := f.report(1, open, receipt(f.sign(open, secret).Hash, true))
	require.NoError(t, err)
	_, err = f.propose(2, types.PURPOSE_STATE, block(21, 30, 3))
	require.NoError(t, err)
	require.NoError(t, f.makeKey(types.IDPrefix+"blob-1", types.PURPOSE_BLOB))
	return f
}

// What is exported starts again as it was, and goes on.
func TestGenesisRoundTrip(t *testing.T) {
	f := everything(t)
	exported := f.export()
	require.Len(t, exported.Transactions, 2)
	require.Len(t, exported.Proposals, 1)
	require.Len(t, exported.Reports, 1)
	text, err := f.Cdc.MarshalJSON(&exported)
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, f.Cdc.UnmarshalJSON(text, &read))

	f.restart(read, exported.ExportHeight+1)
	twice, err := f.k.ExportGenesis(f.Ctx.WithBlockHeight(exported.ExportHeight))
	require.NoError(t, err)
	require.Equal(t, exported, *twice)
	answer, err := f.propose(0, types.PURPOSE_STATE, block(21, 30, 3))
	require.NoError(t, err)
	require.Zero(t, answer.TransactionId)
	answer, err = f.propose(1, types.PURPOSE_STATE, block(21, 30, 3))
	require.NoError(t, err)
	require.EqualValues(t, 3, answer.TransactionId)
	require.EqualValues(t, 2, f.tx(3).Nonce)
	open, err := f.query.Open(f.Ctx, &types.QueryOpenRequest{})
	require.NoError(t, err)
	require.Len(t, open.Transactions, 2)
}

// On a chain that starts anew at height 1 everything is as long ago as it was, so that what
// waits for a higher offer waits no longer; and that chain is exported in its turn.
func TestGenesisStartsAnew(t *testing.T) {
	f, secret := newSettling(t)
	f.EndBlocks(1000)
	f.include(f.accept(block(1, 10, 1)), receipt(f.sign(1, secret).Hash, true))
	f.EndBlocks(1200)
	open := f.accept(block(11, 20, 2))
	signed := f.sign(open, secret)
	require.EqualValues(t, 1200, signed.DecidedHeight)
	unsigned := f.accept(block(21, 30, 3))
	f.EndBlocks(1202)
	g := f.export()
	require.EqualValues(t, 1202, g.ExportHeight)

	f.restart(g, 1)
	require.EqualValues(t, 1200, g.Transactions[1].Attempts[0].DecidedHeight, "the file stays what it was")
	require.EqualValues(t, -2, f.tx(open).Attempts[0].DecidedHeight)
	require.EqualValues(t, -2, f.tx(open).CreatedHeight)
	require.Zero(t, f.tx(unsigned).Attempts[0].DecidedHeight, "it is not decided")
	require.EqualValues(t, -202, f.tx(1).CreatedHeight)
	require.EqualValues(t, -202, f.tx(1).Attempts[0].DecidedHeight)
	require.EqualValues(t, 1, f.tx(1).DoneHeight, "0 is what is not done")
	batch, err := f.k.Batch(f.Ctx, types.PURPOSE_STATE, 2)
	require.NoError(t, err)
	require.EqualValues(t, -2, batch.AcceptedHeight)
	f.EndBlocks(2)
	require.ErrorIs(t, f.bump(0, open), types.ErrTooEarly, "four blocks after the signature")
	f.EndBlocks(3)
	require.NoError(t, f.bump(0, open), "five blocks after it")

	again := f.export()
	f.restart(again, again.ExportHeight+1)
	third, err := f.k.ExportGenesis(f.Ctx.WithBlockHeight(again.ExportHeight))
	require.NoError(t, err)
	require.Equal(t, again, *third)
}

// A state whose parts do not fit is not imported.
func TestGenesisIsChecked(t *testing.T) {
	f := everything(t)
	for name, spoil := range map[string]func(*types.GenesisState){
		"params":                    func(g *types.GenesisState) { g.Params.MaxOpen = 0 },
		"key twice":                 func(g *types.GenesisState) { g.Keys = append(g.Keys, g.Keys[0]) },
		"key of another":            func(g *types.GenesisState) { g.Keys[0].Id = "treasury" },
		"key without status":        func(g *types.GenesisState) { g.Keys[0].Status = 0 },
		"nonce above the key's":     func(g *types.GenesisState) { g.Keys[1].NextNonce = 1 },
		"nonce of another chain":    func(g *types.GenesisState) { g.Transactions[1].ChainId++ },
		"nonce twice":               func(g *types.GenesisState) { g.Transactions[1].Nonce = 0 },
		"transaction of no key":     func(g *types.GenesisState) { g.Transactions[0].KeyId = "x" },
		"transactions with a gap":   func(g *types.GenesisState) { g.Transactions = g.Transactions[1:] },
		"transactions turned round": func(g *types.GenesisState) { slices.Reverse(g.Transactions) },
		"id above the last":         func(g *types.GenesisState) { g.LastTransactionId = 1 },
		"negative export height":    func(g *types.GenesisState) { g.ExportHeight = -1 },
		"no export height":          func(g *types.GenesisState) { g.ExportHeight = 0 },
		"made after the export":     func(g *types.GenesisState) { g.Transactions[1].CreatedHeight = g.ExportHeight + 1 },
		"signed after the export":   func(g *types.GenesisState) { g.Transactions[1].Attempts[0].DecidedHeight = g.ExportHeight + 1 },
		"done after the export":     func(g *types.GenesisState) { g.Transactions[0].DoneHeight = g.ExportHeight + 1 },
		"accepted after the export": func(g *types.GenesisState) { g.Batches[1].AcceptedHeight = g.ExportHeight + 1 },
		"done and open":             func(g *types.GenesisState) { g.Transactions[1].DoneHeight = 5 },
		"newest batch left out": func(g *types.GenesisState) {
			g.Batches, g.Transactions, g.Reports = g.Batches[:1], g.Transactions[:1], nil
		},
		"no attempt":        func(g *types.GenesisState) { g.Transactions[1].Attempts = nil },
		"another signature": func(g *types.GenesisState) { g.Transactions[1].Attempts[0].SignatureId = "x" },
		"no gas":            func(g *types.GenesisState) { g.Transactions[1].Attempts[0].GasLimit = 0 },
		"more gas than Ethereum has": func(g *types.GenesisState) {
			g.Transactions[1].Attempts[0].GasLimit = types.MaxGasLimit + 1
		},
		"bad contract":              func(g *types.GenesisState) { g.Transactions[1].Contract = "x" },
		"line twice":                func(g *types.GenesisState) { g.Lines = append(g.Lines, g.Lines[0]) },
		"line with pending key":     func(g *types.GenesisState) { g.Lines[0].KeyId = g.Keys[0].Id },
		"line without a number":     func(g *types.GenesisState) { g.Lines[0].NextBatch = 0 },
		"line ahead":                func(g *types.GenesisState) { g.Lines[0].NextBatch++ },
		"no line":                   func(g *types.GenesisState) { g.Lines = nil },
		"batch left out":            func(g *types.GenesisState) { g.Batches = g.Batches[1:] },
		"batches with a gap":        func(g *types.GenesisState) { g.Batches[1].Range.FirstBlock++ },
		"batch of no transaction":   func(g *types.GenesisState) { g.Batches[1].TransactionId = 9 },
		"batch of another":          func(g *types.GenesisState) { g.Batches[1].TransactionId = 1 },
		"proposal of the past":      func(g *types.GenesisState) { g.Proposals[0].Batch = 1 },
		"proposal with a gap":       func(g *types.GenesisState) { g.Proposals[0].Range.FirstBlock++ },
		"report of what is known":   func(g *types.GenesisState) { g.Reports[0].TransactionId = 1 },
		"report without a hash":     func(g *types.GenesisState) { g.Reports[0].Receipt.Hash = "" },
		"report by nobody":          func(g *types.GenesisState) { g.Reports[0].Operator = "" },
		"purpose that is not there": func(g *types.GenesisState) { g.Lines[0].Purpose = 9 },
	} {
		t.Run(name, func(t *testing.T) {
			g, err := f.k.ExportGenesis(f.Ctx)
			require.NoError(t, err)
			require.NoError(t, g.Validate())
			spoil(g)
			require.Error(t, g.Validate())
			require.Error(t, newFixture(t, 1, 1, 1, 1).k.InitGenesis(f.Ctx, *g))
		})
	}
}
