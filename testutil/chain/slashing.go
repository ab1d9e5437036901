package chain

import (
	"context"
	"errors"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Slashing is a types.SlashingKeeper that jails in a Staking.
type Slashing struct {
	Staking *Staking
	// Tombstoned are the consensus addresses of validators that are jailed for ever.
	Tombstoned []sdk.ConsAddress
}

// Jail implements types.SlashingKeeper.
func (s *Slashing) Jail(_ context.Context, consensus sdk.ConsAddress) error {
	for _, v := range s.Staking.Validators {
		address, err := v.GetConsAddr()
		if err != nil {
			return err
		}
		if !consensus.Equals(sdk.ConsAddress(address)) {
			continue
		}
		if v.Jailed {
			return errors.New("jailed already")
		}
		v.Jailed = true
		return nil
	}
	return errors.New("no such validator")
}

// IsTombstoned implements types.SlashingKeeper.
func (s *Slashing) IsTombstoned(_ context.Context, consensus sdk.ConsAddress) bool {
	return slices.ContainsFunc(s.Tombstoned, func(a sdk.ConsAddress) bool { return a.Equals(consensus) })
}
