package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// SlashingKeeper jails. The keeper of x/slashing implements it as it is. It is
// optional; without it the parameter jail_equivocation cannot be set, and every jailed
// validator is taken for one that may come back.
type SlashingKeeper interface {
	// Jail takes a validator out of the set until it asks to come back. It is an
	// error if it is jailed already.
	Jail(ctx context.Context, consensus sdk.ConsAddress) error
	// IsTombstoned reports whether a validator is jailed for ever.
	IsTombstoned(ctx context.Context, consensus sdk.ConsAddress) bool
}

// BankKeeper takes the fees of requests. The keeper of x/bank implements it as it is.
// It is optional; without it no fee can be set.
type BankKeeper interface {
	// SendCoinsFromAccountToModule moves coins, or fails with
	// sdkerrors.ErrInsufficientFunds.
	SendCoinsFromAccountToModule(ctx context.Context, sender sdk.AccAddress, module string, coins sdk.Coins) error
	// SpendableCoin is what an account can spend of a denomination.
	SpendableCoin(ctx context.Context, account sdk.AccAddress, denom string) sdk.Coin
}

// StakingKeeper is what the module asks of x/staking. The staking keeper
// implements it as it is.
type StakingKeeper interface {
	// Validator returns the validator of an operator, or
	// stakingtypes.ErrNoValidatorFound.
	Validator(ctx context.Context, operator sdk.ValAddress) (stakingtypes.ValidatorI, error)
	// IterateBondedValidatorsByPower visits the bonded validators, the strongest
	// first, until fn returns true.
	IterateBondedValidatorsByPower(ctx context.Context, fn func(index int64, validator stakingtypes.ValidatorI) (stop bool)) error
}
