package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Signed is a checkpoint: the hash of a block, signed by the validators together. The
// signature is over the digest of a Point.
type Signed struct {
	Height int64  `json:"height"`
	Hash   []byte `json:"hash"`
	Key    string `json:"key"`
	R      []byte `json:"r"`
	S      []byte `json:"s"`
}

// x/mpc tells the module what became of its key and signatures.
var _ mpctypes.Hooks = Keeper{}

// AfterKeyReady implements mpctypes.Hooks: the next checkpoint finds it.
func (k Keeper) AfterKeyReady(context.Context, mpctypes.Key) error { return nil }

// AfterKeyFailed implements mpctypes.Hooks: the next key has another id. It may have been
// counted before its hook came.
func (k Keeper) AfterKeyFailed(ctx context.Context, key mpctypes.Key) error {
	id, err := k.keyID(ctx)
	if err != nil || key.Id != id {
		return err
	}
	store := k.store.OpenKVStore(ctx)
	failed, err := store.Get(failedKey)
	if err != nil {
		return err
	}
	return store.Set(failedKey, sdk.Uint64ToBigEndian(sdk.BigEndianToUint64(failed)+1))
}

// AfterKeyDeleted implements mpctypes.Hooks: another key takes its place.
func (k Keeper) AfterKeyDeleted(ctx context.Context, key mpctypes.Key) error {
	return k.AfterKeyFailed(ctx, key)
}

// AfterSignatureReady implements mpctypes.Hooks. Signatures may come in another order
// than they were asked for: the newest block counts.
func (k Keeper) AfterSignatureReady(ctx context.Context, s mpctypes.Signature) error {
	typed := s.Payload.GetTyped()
	if typed == nil {
		return fmt.Errorf("signature %s is of no checkpoint", s.Id)
	}
	point, err := parse(typed.Data)
	if err != nil {
		return err
	}
	store := k.store.OpenKVStore(ctx)
	text, err := store.Get(NewestKey)
	if err != nil {
		return err
	}
	var newest Signed
	if text != nil {
		if err := json.Unmarshal(text, &newest); err != nil {
			return err
		}
	}
	if newest.Height > point.Height {
		return nil
	}
	text, err = json.Marshal(Signed{Height: point.Height, Hash: point.Hash, Key: s.KeyId, R: s.R, S: s.S})
	if err != nil {
		return err
	}
	return store.Set(NewestKey, text)
}

// AfterSignFailed implements mpctypes.Hooks: the checkpoint before stands.
func (k Keeper) AfterSignFailed(context.Context, mpctypes.Signature) error { return nil }
