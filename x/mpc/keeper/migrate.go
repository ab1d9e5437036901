package keeper

import (
	"context"
	"errors"
	"fmt"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Migrate1to2 brings a state of before there were kinds of payloads to what it is now:
// keys from then go on signing raw digests, the only thing that there was, and a payload
// may be as large as on a new chain. What nobody has destroyed yet of DELETED keys is found
// by who is to.
func (k *Keeper) Migrate1to2(ctx context.Context) error {
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	params.MaxPayloadBytes = types.DefaultParams().MaxPayloadBytes
	if err := k.params.Set(ctx, params); err != nil {
		return fmt.Errorf("store parameters: %w", err)
	}
	var ids []string
	err = k.keys.Walk(ctx, nil, func(id string, _ types.Key) (bool, error) {
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
		key.AllowRaw = true
		if err := errors.Join(k.setKey(ctx, key), k.awaitAcks(ctx, key)); err != nil {
			return err
		}
	}
	return nil
}
