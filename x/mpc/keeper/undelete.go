package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// undelete takes the deletion of a key back: it is READY again, with the shares that
// it had. The owner and the authority may, as long as it is DELETING. What the deletion
// condemned fails all the same: whoever asked was, or is being, told so.
func (k *Keeper) undelete(ctx context.Context, msg types.MsgUndelete) (types.Key, error) {
	if err := msg.ValidateBasic(); err != nil {
		return types.Key{}, err
	}
	key, err := k.keyToEnd(ctx, msg.Requester, msg.KeyId)
	if err != nil {
		return types.Key{}, err
	}
	end := collections.Join(key.RetireHeight, key.Id)
	retire, err := k.retireHeight(ctx)
	if err != nil {
		return types.Key{}, err
	}
	if err := key.Restore(retire); err != nil {
		return types.Key{}, err
	}
	if err := k.setKey(ctx, key); err != nil {
		return types.Key{}, err
	}
	// One that stepped aside is under another height; burying it will find the key READY.
	if err := k.keyRetirements.Remove(ctx, end); err != nil {
		return types.Key{}, fmt.Errorf("remove key %s from those that end: %w", key.Id, err)
	}
	k.emit(ctx, &types.EventKeyUndeleted{KeyId: key.Id, Owner: key.Owner, RetireHeight: key.RetireHeight})
	k.runHook(ctx, hookCall{key.Module, "AfterKeyUndeleted", key.Id, func(ctx context.Context, h types.Hooks) error {
		if told, ok := h.(types.UndeleteHooks); ok {
			return told.AfterKeyUndeleted(ctx, key)
		}
		return nil
	}})
	return k.Key(ctx, key.Id) // a hook may have deleted it again
}
