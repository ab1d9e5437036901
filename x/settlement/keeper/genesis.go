package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// InitGenesis imports a state. It asks x/mpc for nothing: keys and signatures that were
// open are open there, too. Time goes on where the export stopped, as in x/mpc.
func (k *Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.SetParams(ctx, g.Params); err != nil {
		return err
	}
	for _, key := range g.Keys {
		if err := k.setKey(ctx, key); err != nil {
			return err
		}
	}
	for _, l := range g.Lines {
		if err := k.setLine(ctx, l); err != nil {
			return err
		}
	}
	// The block of the export stands for the one before this chain's first.
	shift := max(sdk.UnwrapSDKContext(ctx).BlockHeight()-1, 0) - g.ExportHeight
	for _, b := range g.Batches {
		b.Shift(shift)
		if err := k.batches.Set(ctx, collections.Join(uint32(b.Purpose), b.Number), b); err != nil {
			return fmt.Errorf("store batch %d of %s: %w", b.Number, b.Purpose, err)
		}
	}
	if err := k.importTransactions(ctx, g, shift); err != nil {
		return err
	}
	return k.importVotes(ctx, g)
}

// importTransactions dates what was done at the export where the file does not say when.
func (k *Keeper) importTransactions(ctx context.Context, g types.GenesisState, shift int64) error {
	settling := make(map[uint64]bool, len(g.Batches))
	for _, b := range g.Batches {
		settling[b.TransactionId] = true
	}
	for _, t := range g.Transactions {
		if done := t.Status == types.TRANSACTION_STATUS_SUCCEEDED || !settling[t.Id]; done && t.DoneHeight == 0 {
			t.DoneHeight = g.ExportHeight
		}
		t.Shift(shift)
		if err := k.setTransaction(ctx, t); err != nil {
			return err
		}
		if t.DoneHeight > 0 {
			if err := k.indexDone(ctx, t); err != nil {
				return err
			}
		}
		if t.Status != types.TRANSACTION_STATUS_OPEN {
			continue
		}
		if err := k.open.Set(ctx, collections.Join(t.KeyId, t.Nonce), t.Id); err != nil {
			return fmt.Errorf("index transaction %d: %w", t.Id, err)
		}
	}
	last := g.LastID()
	if last == 0 {
		return nil
	}
	return k.transactionID.Set(ctx, last)
}

// importVotes imports what operators said of what is not decided.
func (k *Keeper) importVotes(ctx context.Context, g types.GenesisState) error {
	for _, p := range g.Proposals {
		if err := k.proposals.Set(ctx, collections.Join(uint32(p.Purpose), p.Operator), p); err != nil {
			return fmt.Errorf("store the proposal of %s: %w", p.Operator, err)
		}
	}
	for _, r := range g.Reports {
		if err := k.reports.Set(ctx, collections.Join(r.TransactionId, r.Operator), r); err != nil {
			return fmt.Errorf("store the report of %s: %w", r.Operator, err)
		}
	}
	return nil
}

// ExportGenesis is the reverse, as of the height of the context.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params, ExportHeight: sdk.UnwrapSDKContext(ctx).BlockHeight()}
	for _, read := range []func() error{
		func() error { return valuesOf(ctx, k.keys, &g.Keys) },
		func() error { return valuesOf(ctx, k.lines, &g.Lines) },
		func() error { return valuesOf(ctx, k.batches, &g.Batches) },
		func() error { return valuesOf(ctx, k.transactions, &g.Transactions) },
		func() error { return valuesOf(ctx, k.proposals, &g.Proposals) },
		func() error { return valuesOf(ctx, k.reports, &g.Reports) },
	} {
		if err := read(); err != nil {
			return nil, fmt.Errorf("export the state of %s: %w", types.ModuleName, err)
		}
	}
	g.LastTransactionId, err = k.lastID(ctx)
	return g, err
}

// valuesOf reads a whole collection in its order.
func valuesOf[K, V any](ctx context.Context, m collections.Map[K, V], into *[]V) error {
	return m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		*into = append(*into, v)
		return false, nil
	})
}
