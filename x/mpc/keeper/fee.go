package keeper

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// SetBank gives the keeper what moves coins, and the module account that fees go to. It
// is called while the application is wired, or not at all.
func (k *Keeper) SetBank(bank types.BankKeeper, feeCollector string) *Keeper {
	k.bank, k.feeCollector = bank, feeCollector
	return k
}

// pays reports whether someone pays fees. Modules in the process do not: they have
// coins of other people. Neither does the authority, which sets the fees: the account of
// x/gov holds the deposits of proposals.
func (k *Keeper) pays(ctx context.Context, account, module string) bool {
	return module == "" && !k.isAuthority(ctx, account)
}

// charge takes the fee for a request before anything of it is stored.
func (k *Keeper) charge(ctx context.Context, account, module string, fee sdk.Coins) error {
	if fee.Empty() || !k.pays(ctx, account, module) {
		return nil
	}
	payer, err := k.accountCodec.StringToBytes(account)
	if err != nil {
		return types.ErrBadAddress.Wrap(err.Error())
	}
	err = k.bank.SendCoinsFromAccountToModule(ctx, payer, k.feeCollector, fee)
	switch {
	case errors.Is(err, sdkerrors.ErrInsufficientFunds):
		return types.ErrFeeNotPaid.Wrapf("%s of %s: %s", fee, account, err)
	case err != nil:
		return fmt.Errorf("take the fee %s of %s: %w", fee, account, err)
	}
	return nil
}

// canPay says whether an account has the fee for a request.
func (k *Keeper) canPay(ctx context.Context, account, module string, fee sdk.Coins) error {
	if fee.Empty() || !k.pays(ctx, account, module) {
		return nil
	}
	payer, err := k.accountCodec.StringToBytes(account)
	if err != nil {
		return types.ErrBadAddress.Wrap(err.Error())
	}
	for _, coin := range fee {
		if has := k.bank.SpendableCoin(ctx, payer, coin.Denom); has.IsLT(coin) {
			return types.ErrFeeNotPaid.Wrapf("%s can spend %s of %s", account, has, coin)
		}
	}
	return nil
}
