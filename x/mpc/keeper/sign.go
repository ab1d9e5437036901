package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Signature returns a signature; types.ErrUnknownSignature if there is none,
// types.ErrPruned if there is none any more.
func (k *Keeper) Signature(ctx context.Context, id string) (types.Signature, error) {
	s, err := k.signatures.Get(ctx, id)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		return s, k.whyNone(ctx, types.REQUEST_KIND_SIGN, id, types.ErrUnknownSignature)
	case err != nil:
		return s, fmt.Errorf("load signature %s: %w", id, err)
	}
	return k.withRefusals(ctx, s)
}

// setSignature stores a signature, what members that refuse say of it included. One that
// is decided is pruned some day.
func (k *Keeper) setSignature(ctx context.Context, s types.Signature) error {
	if err := k.settleRefusals(ctx, &s); err != nil {
		return err
	}
	if err := k.signatures.Set(ctx, s.Id, s); err != nil {
		return fmt.Errorf("store signature %s: %w", s.Id, err)
	}
	if !s.Prunes() {
		return nil
	}
	if err := k.decidedSignatures.Set(ctx, collections.Join(s.DecidedHeight, s.Id)); err != nil {
		return fmt.Errorf("index signature %s by its decision: %w", s.Id, err)
	}
	return nil
}

// keySign asks for a signature for an account, or for a module of this name. The
// same again gives the stored answer.
func (k *Keeper) keySign(ctx context.Context, msg types.MsgKeySign, module string) (types.Signature, error) {
	if err := msg.ValidateBasic(); err != nil {
		return types.Signature{}, err
	}
	requester, err := k.account(msg.Requester)
	if err != nil {
		return types.Signature{}, err
	}
	msg.Requester = requester
	hash := msg.ContentHash()
	stored, err := k.Signature(ctx, msg.SignatureId)
	if err == nil {
		return stored, sameContent(stored.ContentHash, hash, stored.Status == types.SIGNATURE_STATUS_PENDING, stored.Id)
	}
	if errors.Is(err, types.ErrPruned) {
		return types.Signature{}, k.askedOfPruned(ctx, types.REQUEST_KIND_SIGN, msg.SignatureId, hash)
	}
	if !errors.Is(err, types.ErrUnknownSignature) {
		return types.Signature{}, err
	}
	return k.newSign(ctx, types.Signature{
		Id: msg.SignatureId, KeyId: msg.KeyId, Payload: msg.Payload, Status: types.SIGNATURE_STATUS_PENDING,
		Owner: msg.Requester, Module: module, ContentHash: hash[:],
	})
}

// newSign opens a request for a signature that nobody asked for before, if it may be
// asked for: who asks may, everybody can decode what is to be signed, the key may sign
// it, and the fee is paid.
func (k *Keeper) newSign(ctx context.Context, s types.Signature) (types.Signature, error) {
	if err := mayName(s.Id, s.Module); err != nil {
		return types.Signature{}, err
	}
	key, err := k.Key(ctx, s.KeyId)
	if err != nil {
		return types.Signature{}, err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return types.Signature{}, err
	}
	members, err := k.maySign(ctx, params, key, s.Owner, s.Module)
	if err != nil {
		return types.Signature{}, err
	}
	decoded, err := k.admitPayload(ctx, params, key, &s)
	if err != nil {
		return types.Signature{}, err
	}
	if err := k.charge(ctx, s.Owner, s.Module, params.SignFee); err != nil {
		return types.Signature{}, err
	}
	if err := k.takePlace(ctx, s, decoded); err != nil {
		return types.Signature{}, err
	}
	return k.openSign(ctx, params, s, key, members)
}

// maySign says whether someone may ask a key for a signature now, and who would
// take part.
func (k *Keeper) maySign(ctx context.Context, p types.Params, key types.Key, owner, module string) ([]types.Member, error) {
	if key.Owner != owner {
		return nil, types.ErrNotOwner.Wrap(key.Belongs())
	}
	if err := key.CanSign(); err != nil {
		return nil, err
	}
	if err := k.mayAsk(ctx, p, owner, module); err != nil {
		return nil, err
	}
	return k.signMembers(ctx, key)
}

// signMembers pins the current identities of a key's participants. Those that
// revoked theirs are left out; t+1 must remain.
func (k *Keeper) signMembers(ctx context.Context, key types.Key) ([]types.Member, error) {
	members := make([]types.Member, 0, len(key.Participants))
	for _, operator := range key.Participants {
		m, err := k.member(ctx, operator)
		if errors.Is(err, types.ErrUnregistered) {
			continue
		}
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	if len(members) < int(key.Threshold)+1 {
		return nil, types.ErrTooFewSigners.Wrapf("key %s needs %d signers, %d of its participants have an identity",
			key.Id, key.Threshold+1, len(members))
	}
	return members, nil
}

// openSign stores signature and request with everything that they depend on.
func (k *Keeper) openSign(
	ctx context.Context, params types.Params, s types.Signature, key types.Key, members []types.Member,
) (types.Signature, error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	s.Epoch, s.RequestedHeight = key.Epoch, height
	request := types.Request{
		Kind: types.REQUEST_KIND_SIGN, Id: s.Id, KeyId: key.Id, Algorithm: key.Algorithm,
		Threshold: key.Threshold, Epoch: key.Epoch, KeySession: key.Session, Members: members, Height: height,
		ExpiryHeight:  height + int64(params.SignLifetimeBlocks),
		AttemptBlocks: params.SignAttemptBlocks, StartTimeout: params.StartTimeout,
		Digest: s.Digest, Payload: s.Payload.GetTyped(), Policy: params.PolicyOf(key.Id), Owner: s.Owner,
	}
	if err := k.setSignature(ctx, s); err != nil {
		return types.Signature{}, err
	}
	if err := k.openRequest(ctx, request); err != nil {
		return types.Signature{}, err
	}
	requested := &types.EventSignRequested{
		SignatureId: s.Id, KeyId: key.Id, Owner: s.Owner, Digest: hexOf(s.Digest), ExpiryHeight: request.ExpiryHeight,
	}
	if request.Payload != nil {
		requested.PayloadKind = request.Payload.Kind
	}
	k.emit(ctx, requested)
	return s, nil
}

// failSignature makes a PENDING signature ERROR; its request is closed already. With
// a test its reshare fails, for want of whom is absent.
func (k *Keeper) failSignature(ctx context.Context, id string, reason mpctypes.Reason, absent []types.Absentee) error {
	s, err := k.Signature(ctx, id)
	if err != nil {
		return err
	}
	if err := s.Fail(reason, sdk.UnwrapSDKContext(ctx).BlockHeight()); err != nil {
		return err
	}
	if err := k.setSignature(ctx, s); err != nil {
		return err
	}
	k.emit(ctx, &types.EventSignFailed{SignatureId: s.Id, KeyId: s.KeyId, Owner: s.Owner, Reason: s.Reason, Refusals: s.Refusals})
	if s.Test {
		return k.failReshare(ctx, types.ReshareOfTest(s.Id), reason, absent)
	}
	k.runHook(ctx, hookCall{s.Module, "AfterSignFailed", s.Id, func(ctx context.Context, h types.Hooks) error {
		return h.AfterSignFailed(ctx, s)
	}})
	return nil
}
