package types

import (
	"context"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	coretypes "github.com/sequencer-mpc/sequencer/mpc/types"
	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// StakingKeeper is what the module asks of x/staking.
type StakingKeeper interface {
	// IterateBondedValidatorsByPower visits the bonded validators, the strongest first,
	// until fn returns true.
	IterateBondedValidatorsByPower(ctx context.Context, fn func(index int64, validator stakingtypes.ValidatorI) (stop bool)) error
}

// MPC is what the module asks of x/mpc. mpckeeper.ModuleAPI implements it as it is.
type MPC interface {
	// KeyGen asks for a key of this module; asking again is free.
	KeyGen(
		ctx context.Context, keyID string, algorithm mpctypes.Algorithm, threshold uint32, participants []string, options ...mpckeeper.KeyOption,
	) (mpctypes.Key, error)
	// KeySign asks for a signature by a key of this module; asking again is free.
	KeySign(ctx context.Context, signatureID, keyID string, payload mpctypes.SignPayload) (mpctypes.Signature, error)
	// Key returns a key.
	Key(ctx context.Context, id string) (mpctypes.Key, error)
	// Signature returns a signature as it stands.
	Signature(ctx context.Context, id string) (mpctypes.Signature, error)
	// Finished is what became of the payload of a READY signature; false where that is
	// nothing.
	Finished(ctx context.Context, s mpctypes.Signature) (coretypes.FinishedPayload, bool, error)
}
