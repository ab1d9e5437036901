package chain

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

// Bank is a types.BankKeeper whose balances a test sets at will, by account address and
// name of module account. It is no part of the state: nothing rolls it back.
type Bank struct{ Balances map[string]sdk.Coins }

// SendCoinsFromAccountToModule implements types.BankKeeper.
func (b *Bank) SendCoinsFromAccountToModule(_ context.Context, sender sdk.AccAddress, module string, coins sdk.Coins) error {
	from := accountOf(sender)
	left, short := b.Balances[from].SafeSub(coins...)
	if short {
		return sdkerrors.ErrInsufficientFunds.Wrapf("%s of %s", b.Balances[from], coins)
	}
	b.Balances[from] = left
	b.Balances[module] = b.Balances[module].Add(coins...)
	return nil
}

// SpendableCoin implements types.BankKeeper.
func (b *Bank) SpendableCoin(_ context.Context, account sdk.AccAddress, denom string) sdk.Coin {
	return sdk.NewCoin(denom, b.Balances[accountOf(account)].AmountOf(denom))
}

func accountOf(address sdk.AccAddress) string {
	a, err := accountCodec.BytesToString(address)
	if err != nil {
		panic(err)
	}
	return a
}
