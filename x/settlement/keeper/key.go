package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// makeKey asks x/mpc for a key, which belongs to the module.
func (k *Keeper) makeKey(ctx context.Context, msg *types.MsgMakeKey) error {
	if _, err := k.Key(ctx, msg.KeyId); !errors.Is(err, types.ErrUnknownKey) {
		if err == nil {
			err = types.ErrIDTaken.Wrap(msg.KeyId)
		}
		return err
	}
	if _, err := k.mpc.KeyGen(ctx, msg.KeyId, mpctypes.ALGORITHM_ECDSA_SECP256K1, msg.Threshold, msg.Participants); err != nil {
		return err
	}
	return k.changeKey(ctx, types.Key{Id: msg.KeyId, Status: types.KEY_STATUS_PENDING, Takes: msg.Takes})
}

// line is the line of a purpose; one that settled nothing yet if there is none.
func (k *Keeper) line(ctx context.Context, purpose types.Purpose) (types.Line, error) {
	if err := purpose.Validate(); err != nil {
		return types.Line{}, types.ErrNotConfigured.Wrap(err.Error())
	}
	l, err := k.lines.Get(ctx, uint32(purpose))
	switch {
	case errors.Is(err, collections.ErrNotFound):
		return types.NewLine(purpose), nil
	case err != nil:
		return l, fmt.Errorf("load the line of %s: %w", purpose, err)
	}
	return l, nil
}

func (k *Keeper) setLine(ctx context.Context, l types.Line) error {
	if err := k.lines.Set(ctx, uint32(l.Purpose), l); err != nil {
		return fmt.Errorf("store the line of %s: %w", l.Purpose, err)
	}
	return nil
}

// setPurpose moves a purpose to a READY key, or to none. What the key before has open goes
// on with that one.
func (k *Keeper) setPurpose(ctx context.Context, purpose types.Purpose, keyID string) error {
	line, err := k.line(ctx, purpose)
	if err != nil {
		return err
	}
	if keyID != "" {
		if _, err := k.readyKey(ctx, keyID); err != nil {
			return err
		}
	}
	moved := &types.EventPurposeMoved{Purpose: purpose, From: line.KeyId, To: keyID}
	line.KeyId = keyID
	if err := k.setLine(ctx, line); err != nil {
		return err
	}
	k.emit(ctx, moved)
	return nil
}

// Key returns a key of the module; types.ErrUnknownKey if there is none.
func (k *Keeper) Key(ctx context.Context, id string) (types.Key, error) {
	key, err := k.keys.Get(ctx, id)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		return key, types.ErrUnknownKey.Wrapf("%.80q", id)
	case err != nil:
		return key, fmt.Errorf("load key %s: %w", id, err)
	}
	return key, nil
}

// readyKey is a key that signs; types.ErrKeyNotReady for another.
func (k *Keeper) readyKey(ctx context.Context, id string) (types.Key, error) {
	key, err := k.Key(ctx, id)
	if err == nil && key.Status == types.KEY_STATUS_PENDING {
		key, err = k.catchUpKey(ctx, key)
	}
	if err == nil && key.Status != types.KEY_STATUS_READY {
		return key, types.ErrKeyNotReady.Wrapf("%s is %s", id, key.Status)
	}
	return key, err
}

func (k *Keeper) setKey(ctx context.Context, key types.Key) error {
	if err := k.keys.Set(ctx, key.Id, key); err != nil {
		return fmt.Errorf("store key %s: %w", key.Id, err)
	}
	return nil
}

// changeKey stores a key with a new status.
func (k *Keeper) changeKey(ctx context.Context, key types.Key) error {
	k.emit(ctx, &types.EventKeyChanged{Key: key})
	return k.setKey(ctx, key)
}
