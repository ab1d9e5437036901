package keeper

import (
	"context"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// Params returns the parameters.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) {
	p, err := k.params.Get(ctx)
	if err != nil {
		return types.Params{}, fmt.Errorf("load parameters: %w", err)
	}
	return p, nil
}

// SetParams replaces all parameters. Open transactions keep chain, contract and call as they
// are; their next attempts have the gas of then, where that is not less than they had.
func (k *Keeper) SetParams(ctx context.Context, p types.Params) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if err := k.params.Set(ctx, p); err != nil {
		return fmt.Errorf("store parameters: %w", err)
	}
	k.emit(ctx, &types.EventParamsUpdated{Params: p})
	return nil
}

// requireAuthority refuses everybody else.
func (k *Keeper) requireAuthority(ctx context.Context, account string) error {
	if sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), k.authority, account) != nil {
		return types.ErrUnauthorized.Wrapf("%s is not the authority", account)
	}
	return nil
}
