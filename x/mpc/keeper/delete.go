package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// keyDelete decides that a key is destroyed: from now on it signs nothing, and at
// the height that is returned it is DELETED. The owner and the authority may; the
// same again gives the same height, and once it is DELETED the one from which its
// shares go.
func (k *Keeper) keyDelete(ctx context.Context, msg types.MsgKeyDelete) (int64, error) {
	if err := msg.ValidateBasic(); err != nil {
		return 0, err
	}
	key, err := k.keyToEnd(ctx, msg.Requester, msg.KeyId)
	if err != nil {
		return 0, err
	}
	if key.Status == types.KEY_STATUS_DELETING || key.Status == types.KEY_STATUS_DELETED {
		return key.RetireHeight, nil
	}
	return k.condemnKey(ctx, key)
}

// keyToEnd loads a key for someone who decides about its end: its owner, or the
// authority.
func (k *Keeper) keyToEnd(ctx context.Context, requester, id string) (types.Key, error) {
	requester, err := k.account(requester)
	if err != nil {
		return types.Key{}, err
	}
	key, err := k.Key(ctx, id)
	if err != nil {
		return types.Key{}, err
	}
	if key.Owner != requester && !k.isAuthority(ctx, requester) {
		return types.Key{}, types.ErrNotOwner.Wrap(key.Belongs())
	}
	return key, nil
}

// condemnKey makes a key DELETING and condemns its open requests. State is complete
// before anybody is told: hooks may ask again.
func (k *Keeper) condemnKey(ctx context.Context, key types.Key) (int64, error) {
	retire, err := k.retireHeight(ctx)
	if err != nil {
		return 0, err
	}
	pending := key.Status == types.KEY_STATUS_PENDING
	if pending {
		if err := k.closePendingKeygen(ctx, &key, retire); err != nil {
			return 0, err
		}
	}
	if err := key.Condemn(retire); err != nil {
		return 0, err
	}
	if err := k.setKey(ctx, key); err != nil {
		return 0, err
	}
	if err := k.keyRetirements.Set(ctx, collections.Join(key.RetireHeight, key.Id)); err != nil {
		return 0, fmt.Errorf("index key %s by its end: %w", key.Id, err)
	}
	if err := k.condemnRequests(ctx, k.requestsByKey, key.Id, keyDeleted); err != nil {
		return 0, err
	}
	k.emit(ctx, &types.EventKeyDeleting{KeyId: key.Id, Owner: key.Owner, RetireHeight: key.RetireHeight})
	if pending {
		k.reportKeyFailed(ctx, key)
	}
	return key.RetireHeight, nil
}

// closePendingKeygen ends the keygen of a key that is deleted before it was made.
// Participants may have staged shares of it.
func (k *Keeper) closePendingKeygen(ctx context.Context, key *types.Key, retire int64) error {
	r, open, err := k.request(ctx, collections.Join(uint32(types.REQUEST_KIND_KEYGEN), key.Id))
	if err != nil {
		return err
	}
	if !open {
		return fmt.Errorf("key %s is PENDING without an open request", key.Id)
	}
	if err := k.closeRequest(ctx, r); err != nil {
		return err
	}
	return key.Fail(mpctypes.ErrKeyDeleted, sdk.UnwrapSDKContext(ctx).BlockHeight(), retire)
}

// retireHeight is the end of what a decision of this block puts an end to. It is
// stored with the decision: parameters that change later do not move it.
func (k *Keeper) retireHeight(ctx context.Context) (int64, error) {
	params, err := k.Params(ctx)
	if err != nil {
		return 0, err
	}
	return sdk.UnwrapSDKContext(ctx).BlockHeight() + int64(params.RetireBlocks), nil
}

// buryKey makes a DELETING key DELETED that is no longer among those that end. One
// that stepped aside may have been taken back in the meantime, or deleted anew.
func (k *Keeper) buryKey(ctx context.Context, id string) error {
	key, err := k.Key(ctx, id)
	if err != nil {
		return err
	}
	if key.Status != types.KEY_STATUS_DELETING || key.RetireHeight > sdk.UnwrapSDKContext(ctx).BlockHeight() {
		return nil
	}
	retire, err := k.retireHeight(ctx)
	if err != nil {
		return err
	}
	if err := key.Bury(retire); err != nil {
		return err
	}
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	if err := k.awaitAcks(ctx, key); err != nil {
		return err
	}
	k.emit(ctx, &types.EventKeyDeleted{KeyId: key.Id, Owner: key.Owner})
	k.runHook(ctx, hookCall{key.Module, "AfterKeyDeleted", key.Id, func(ctx context.Context, h types.Hooks) error {
		return h.AfterKeyDeleted(ctx, key)
	}})
	return nil
}

// awaitAcks indexes a DELETED key by the holders that have not said yet that they
// destroyed what they had.
func (k *Keeper) awaitAcks(ctx context.Context, key types.Key) error {
	for _, operator := range key.Holders {
		if key.AwaitsAck(operator) != nil {
			continue
		}
		if err := k.awaitedAcks.Set(ctx, collections.Join(operator, key.Id)); err != nil {
			return fmt.Errorf("index key %s by who destroys it: %w", key.Id, err)
		}
	}
	return nil
}
