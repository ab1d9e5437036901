package chain

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// Staking is a types.StakingKeeper whose validators a test sets at will, the
// strongest first.
type Staking struct{ Validators []*stakingtypes.Validator }

// Validator implements types.StakingKeeper.
func (s *Staking) Validator(_ context.Context, operator sdk.ValAddress) (stakingtypes.ValidatorI, error) {
	for _, v := range s.Validators {
		address, err := validatorCodec.StringToBytes(v.OperatorAddress)
		if err != nil {
			return nil, err
		}
		if operator.Equals(sdk.ValAddress(address)) {
			return v, nil
		}
	}
	return nil, stakingtypes.ErrNoValidatorFound
}

// IterateBondedValidatorsByPower implements types.StakingKeeper.
func (s *Staking) IterateBondedValidatorsByPower(_ context.Context, fn func(int64, stakingtypes.ValidatorI) bool) error {
	for i, v := range s.Validators {
		if v.IsBonded() && fn(int64(i), v) {
			return nil
		}
	}
	return nil
}
