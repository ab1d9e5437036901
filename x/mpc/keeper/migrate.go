package keeper

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Migrate1to2 brings a state of before there were kinds of payloads to what it is now:
// keys from then go on signing raw digests, the only thing that there was, and a payload
// may be as large as on a new chain.
func (k *Keeper) Migrate1to2(ctx context.Context) error {
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	params.MaxPayloadBytes = types.DefaultParams().MaxPayloadBytes
	if err := k.params.Set(ctx, params); err != nil {
		return fmt.Errorf("store parameters: %w", err)
	}
	return k.eachKey(ctx, func(key types.Key) error {
		key.AllowRaw = true
		return k.setKey(ctx, key)
	})
}

// Migrate2to3 finds who still owes its word on a DELETED key by an index, as chains of
// before have it in the keys alone: without it those nodes would keep their shares.
func (k *Keeper) Migrate2to3(ctx context.Context) error {
	return k.eachKey(ctx, func(key types.Key) error {
		if key.Status != types.KEY_STATUS_DELETED {
			return nil
		}
		return k.awaitAcks(ctx, key)
	})
}

// eachKey visits all keys, which may be written meanwhile.
func (k *Keeper) eachKey(ctx context.Context, visit func(types.Key) error) error {
	var ids []string
	err := k.keys.Walk(ctx, nil, func(id string, _ types.Key) (bool, error) {
		ids = append(ids, id)
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("list keys: %w", err)
	}
	for _, id := range ids {
		key, err := k.Key(ctx, id)
		if err != nil {
			return err
		}
		if err := visit(key); err != nil {
			return err
		}
	}
	return nil
}
