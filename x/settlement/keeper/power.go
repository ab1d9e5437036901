package keeper

import (
	"context"
	"fmt"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// voter is who speaks for a bonded validator: the operator's address in its one form
// (Bech32 has an upper-case one, too), and the power of all.
func (k *Keeper) voter(ctx context.Context, operator string) (string, types.Power, error) {
	bz, err := k.validatorCodec.StringToBytes(operator)
	if err != nil {
		return "", types.Power{}, types.ErrNotBonded.Wrapf("%.80q is no operator address: %s", operator, err)
	}
	if operator, err = k.validatorCodec.BytesToString(bz); err != nil {
		return "", types.Power{}, err
	}
	power := types.NewPower()
	err = k.staking.IterateBondedValidatorsByPower(ctx, func(_ int64, v stakingtypes.ValidatorI) bool {
		power.Add(v.GetOperator(), v.GetTokens())
		return false
	})
	if err != nil {
		return "", types.Power{}, fmt.Errorf("read the bonded validators: %w", err)
	}
	if !power.Bonded(operator) {
		return "", types.Power{}, types.ErrNotBonded.Wrap(operator)
	}
	return operator, power, nil
}
