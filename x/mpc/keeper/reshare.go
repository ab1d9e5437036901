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

// Reshare returns a reshare; types.ErrUnknownReshare if there is none, types.ErrPruned if
// there is none any more.
func (k *Keeper) Reshare(ctx context.Context, id string) (types.Reshare, error) {
	r, err := k.reshares.Get(ctx, id)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		return r, k.whyNone(ctx, types.REQUEST_KIND_RESHARE, id, types.ErrUnknownReshare)
	case err != nil:
		return r, fmt.Errorf("load reshare %s: %w", id, err)
	}
	return r, nil
}

// setReshare stores a reshare. One that is decided is pruned some day.
func (k *Keeper) setReshare(ctx context.Context, r types.Reshare) error {
	if err := k.reshares.Set(ctx, r.Id, r); err != nil {
		return fmt.Errorf("store reshare %s: %w", r.Id, err)
	}
	if r.Open() {
		return nil
	}
	return k.noteDecided(ctx, r.DecidedHeight, types.REQUEST_KIND_RESHARE, r.Id)
}

// keyReshare asks for new shares of a key for an account, or for a module of this
// name. The same again gives the stored answer.
func (k *Keeper) keyReshare(ctx context.Context, msg types.MsgKeyReshare, module string) (types.Reshare, error) {
	if err := msg.ValidateBasic(); err != nil {
		return types.Reshare{}, err
	}
	var err error
	if msg.Requester, msg.Participants, err = k.canonicalAsker(msg.Requester, msg.Participants); err != nil {
		return types.Reshare{}, err
	}
	hash := msg.ContentHash()
	stored, err := k.Reshare(ctx, msg.ReshareId)
	if err == nil {
		return stored, sameContent(stored.ContentHash, hash, stored.Open(), stored.Id)
	}
	if errors.Is(err, types.ErrPruned) {
		return types.Reshare{}, k.askedOfPruned(ctx, types.REQUEST_KIND_RESHARE, msg.ReshareId, hash)
	}
	if !errors.Is(err, types.ErrUnknownReshare) {
		return types.Reshare{}, err
	}
	if err := mayName(msg.ReshareId, module); err != nil {
		return types.Reshare{}, err
	}
	key, err := k.Key(ctx, msg.KeyId)
	if err != nil {
		return types.Reshare{}, err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return types.Reshare{}, err
	}
	l, err := k.mayReshare(ctx, params, key, msg.Requester, module, msg.Threshold, msg.Participants)
	if err != nil {
		return types.Reshare{}, err
	}
	if err := k.charge(ctx, msg.Requester, module, params.ReshareFee); err != nil {
		return types.Reshare{}, err
	}
	reshare := key.Reshare(msg.ReshareId, msg.Threshold, l.receivers)
	reshare.Owner, reshare.ContentHash = msg.Requester, hash[:]
	return k.openReshare(ctx, params, key, reshare, l.members)
}

// openReshare stores reshare and request with everything that they depend on. The
// key goes on as it is.
func (k *Keeper) openReshare(
	ctx context.Context, params types.Params, key types.Key, reshare types.Reshare, members []types.Member,
) (types.Reshare, error) {
	reshare.RequestedHeight = sdk.UnwrapSDKContext(ctx).BlockHeight()
	request := types.Request{
		Kind: types.REQUEST_KIND_RESHARE, Id: reshare.Id, KeyId: key.Id, Algorithm: key.Algorithm,
		Threshold: reshare.Threshold, Epoch: reshare.Epoch, KeySession: key.Session, Members: members,
		Handover: key.Handover(reshare.Participants), Height: reshare.RequestedHeight,
		ExpiryHeight:  reshare.RequestedHeight + int64(params.ReshareLifetimeBlocks),
		AttemptBlocks: params.ReshareAttemptBlocks, StartTimeout: params.StartTimeout, Owner: reshare.Owner,
	}
	key.ReshareId, key.EndangeredHeight = reshare.Id, 0
	key.ForgetReturn()
	if err := k.setKey(ctx, key); err != nil {
		return types.Reshare{}, err
	}
	if err := k.setReshare(ctx, reshare); err != nil {
		return types.Reshare{}, err
	}
	if err := k.openRequest(ctx, request); err != nil {
		return types.Reshare{}, err
	}
	k.emit(ctx, &types.EventReshareRequested{
		ReshareId: reshare.Id, KeyId: key.Id, Owner: reshare.Owner, Epoch: reshare.Epoch, Threshold: reshare.Threshold,
		Participants: uint32(len(reshare.Participants)), ExpiryHeight: request.ExpiryHeight, Auto: reshare.Auto,
	})
	return reshare, nil
}

// cancelReshare gives up a reshare that is not decided. The owner of the key and the
// authority may. One that is going to fail for another reason fails now for that.
func (k *Keeper) cancelReshare(ctx context.Context, msg types.MsgCancelReshare) (types.Reshare, error) {
	if err := msg.ValidateBasic(); err != nil {
		return types.Reshare{}, err
	}
	requester, err := k.account(msg.Requester)
	if err != nil {
		return types.Reshare{}, err
	}
	reshare, err := k.Reshare(ctx, msg.ReshareId)
	if err != nil {
		return types.Reshare{}, err
	}
	key, err := k.Key(ctx, reshare.KeyId)
	if err != nil {
		return types.Reshare{}, err
	}
	if key.Owner != requester && !k.isAuthority(ctx, requester) {
		return types.Reshare{}, types.ErrNotOwner.Wrap(key.Belongs())
	}
	if !reshare.Open() {
		return types.Reshare{}, types.ErrAlreadyDecided.Wrapf("reshare %s is %s", reshare.Id, reshare.Status)
	}
	if err := k.failOpenReshare(ctx, reshare, mpctypes.ErrCancelled); err != nil {
		return types.Reshare{}, err
	}
	return k.Reshare(ctx, reshare.Id)
}

// failOpenReshare ends the request that the reshare waits for, the reshare's own or
// its test.
func (k *Keeper) failOpenReshare(ctx context.Context, reshare types.Reshare, reason mpctypes.Reason) error {
	id := requestKeyOf(reshare.RequestID())
	r, open, err := k.request(ctx, id)
	if err != nil {
		return err
	}
	if !open {
		return fmt.Errorf("reshare %s is %s without an open request", reshare.Id, reshare.Status)
	}
	before, condemned, err := k.condemned(ctx, id)
	if err != nil {
		return err
	}
	if condemned {
		reason = before
	}
	return k.failRequest(ctx, r, reason)
}
