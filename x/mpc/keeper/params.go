package keeper

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Params returns the parameters.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) {
	p, err := k.params.Get(ctx)
	if err != nil {
		return types.Params{}, fmt.Errorf("load parameters: %w", err)
	}
	return p, nil
}

// SetParams replaces all parameters.
func (k *Keeper) SetParams(ctx context.Context, p types.Params) error {
	p, err := k.checkParams(p)
	if err != nil {
		return err
	}
	if err := k.params.Set(ctx, p); err != nil {
		return fmt.Errorf("store parameters: %w", err)
	}
	k.emit(ctx, &types.EventParamsUpdated{Params: p})
	return nil
}

// checkParams says whether parameters may be set, and gives them with all addresses in
// their one form.
func (k *Keeper) checkParams(p types.Params) (types.Params, error) {
	canonical := slices.Clone(p.Requesters)
	for i, r := range canonical {
		a, err := k.account(r)
		if err != nil {
			return p, types.ErrBadParams.Wrapf("requesters: %s", err)
		}
		canonical[i] = a
	}
	p.Requesters = canonical
	if err := p.Validate(); err != nil {
		return p, err
	}
	if p.JailEquivocation && k.slashing == nil {
		return p, types.ErrBadParams.Wrap("jail_equivocation needs a slashing keeper, which this chain does not give to the module")
	}
	if p.HasFees() && k.bank == nil {
		return p, types.ErrBadParams.Wrap("fees need a bank keeper, which this chain does not give to the module")
	}
	return p, nil
}

// isAuthority reports whether an account may do what only the authority may.
func (k *Keeper) isAuthority(ctx context.Context, account string) bool {
	return sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), k.authority, account) == nil
}
