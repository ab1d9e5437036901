package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Participant returns an operator's identities; types.ErrUnregistered if it never
// registered.
func (k *Keeper) Participant(ctx context.Context, operator string) (types.Participant, error) {
	canonical, _, err := k.operator(operator)
	if err != nil {
		return types.Participant{}, err
	}
	p, err := k.participants.Get(ctx, canonical)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		return p, types.ErrUnregistered.Wrap(canonical)
	case err != nil:
		return p, fmt.Errorf("load participant %s: %w", canonical, err)
	}
	return p, nil
}

// RegisterParticipant gives a validator its MPC identity, or a new version of it, and
// returns the version. The caller has made sure that the operator asks.
//
// Participants stay for ever and every node reads all of them, so to become one takes a
// place among the bonded validators, which costs more stake than somebody else has in
// it, for as long as unbonding takes; a validator that is not bonded is chosen for no
// key anyway. Who is a participant may rotate its identity wherever it stands.
func (k *Keeper) RegisterParticipant(ctx context.Context, operator string, identityKey, proof []byte) (uint32, error) {
	canonical, address, err := k.operator(operator)
	if err != nil {
		return 0, err
	}
	v, err := k.validator(ctx, canonical, address)
	if err != nil {
		return 0, err
	}
	chainID := sdk.UnwrapSDKContext(ctx).ChainID()
	if err := types.VerifyPossession(chainID, canonical, identityKey, proof); err != nil {
		return 0, err
	}
	p, err := k.Participant(ctx, canonical)
	if errors.Is(err, types.ErrUnregistered) {
		if !v.IsBonded() || v.IsJailed() {
			return 0, types.ErrNotBonded.Wrapf("%s cannot register for the first time", canonical)
		}
		p, err = types.Participant{Operator: canonical}, nil
	}
	if err != nil {
		return 0, err
	}
	version, err := p.Register(identityKey, sdk.UnwrapSDKContext(ctx).BlockHeight())
	if err != nil {
		return 0, err
	}
	if err := k.claimIdentityKey(ctx, identityKey, canonical); err != nil {
		return 0, err
	}
	if err := k.setParticipant(ctx, p); err != nil {
		return 0, err
	}
	k.emit(ctx, &types.EventParticipantRegistered{Operator: canonical, Version: version, IdentityKey: hexOf(identityKey)})
	return version, nil
}

// RevokeParticipant revokes all identities of an operator and condemns the open
// requests that pinned one of them, no others; reshares only if the others cannot do
// without it.
func (k *Keeper) RevokeParticipant(ctx context.Context, operator string) error {
	p, err := k.Participant(ctx, operator)
	if err != nil {
		return err
	}
	if err := p.Revoke(sdk.UnwrapSDKContext(ctx).BlockHeight()); err != nil {
		return err
	}
	if err := k.setParticipant(ctx, p); err != nil {
		return err
	}
	k.emit(ctx, &types.EventParticipantRevoked{Operator: p.Operator})
	return k.condemnRequests(ctx, k.requestsByMember, p.Operator, k.revocations().endsBy(p.Operator))
}

// setParticipant stores a participant, and counts that it was written.
func (k *Keeper) setParticipant(ctx context.Context, p types.Participant) error {
	count, err := k.EngineRosterChanges(ctx)
	if err == nil {
		err = errors.Join(k.participants.Set(ctx, p.Operator, p), k.participantChanges.Set(ctx, count+1))
	}
	if err != nil {
		return fmt.Errorf("store participant %s: %w", p.Operator, err)
	}
	return nil
}

// claimIdentityKey makes an identity key an operator's for ever: whoever holds
// it, of whatever version, is known by it.
func (k *Keeper) claimIdentityKey(ctx context.Context, key []byte, operator string) error {
	owner, err := k.identityKeys.Get(ctx, key)
	switch {
	case err == nil:
		return types.ErrIdentityKeyInUse.Wrapf("it is or was the key of %s", owner)
	case !errors.Is(err, collections.ErrNotFound):
		return fmt.Errorf("look up identity key: %w", err)
	}
	if err := k.identityKeys.Set(ctx, key, operator); err != nil {
		return fmt.Errorf("store identity key of %s: %w", operator, err)
	}
	return nil
}

// validator finds the validator of an operator.
func (k *Keeper) validator(ctx context.Context, operator string, address sdk.ValAddress) (stakingtypes.ValidatorI, error) {
	v, err := k.staking.Validator(ctx, address)
	switch {
	case errors.Is(err, stakingtypes.ErrNoValidatorFound):
		return nil, types.ErrUnknownParticipant.Wrapf("%s is no validator", operator)
	case err != nil:
		return nil, fmt.Errorf("load validator %s: %w", operator, err)
	}
	return v, nil
}

// member pins the current identity of an operator.
func (k *Keeper) member(ctx context.Context, operator string) (types.Member, error) {
	p, err := k.Participant(ctx, operator)
	if err != nil {
		return types.Member{}, err
	}
	id, ok := p.Current()
	if !ok {
		return types.Member{}, types.ErrUnregistered.Wrapf("%s revoked its identity", p.Operator)
	}
	return types.Member{Operator: p.Operator, IdentityVersion: id.Version, IdentityKey: id.PublicKey}, nil
}
