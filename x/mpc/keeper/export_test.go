package keeper

import (
	"context"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// StoreParams stores parameters that another version took for good.
func (k *Keeper) StoreParams(ctx context.Context, p types.Params) error { return k.params.Set(ctx, p) }

// SettleRequests is what EndBlock does with requests. It returns what it cost.
func (k *Keeper) SettleRequests(ctx context.Context) storetypes.Gas {
	return k.settle(ctx, 0, k.dueRequests)
}

// CondemnGas is what a hook pays for ending the open requests of a key.
func (k *Keeper) CondemnGas(ctx sdk.Context, keyID string) storetypes.Gas {
	meter := storetypes.NewInfiniteGasMeter()
	err := k.condemnRequests(withWork(ctx, work{meter: meter}), k.requestsByKey, keyID, keyDeleted)
	if err != nil {
		panic(err)
	}
	return meter.GasConsumed()
}
