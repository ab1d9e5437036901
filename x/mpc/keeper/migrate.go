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

// Migrate3to4 finds by an index what is over and may be pruned some day of keys and
// reshares, as chains of before kept all of them.
func (k *Keeper) Migrate3to4(ctx context.Context) error {
	var reshares []types.Reshare
	err := k.reshares.Walk(ctx, nil, func(_ string, r types.Reshare) (bool, error) {
		if !r.Open() {
			reshares = append(reshares, types.Reshare{Id: r.Id, DecidedHeight: r.DecidedHeight})
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("list reshares: %w", err)
	}
	for _, r := range reshares {
		if err := k.noteDecided(ctx, r.DecidedHeight, types.REQUEST_KIND_RESHARE, r.Id); err != nil {
			return err
		}
	}
	return k.eachKey(ctx, func(key types.Key) error {
		if !key.Prunes() {
			return nil
		}
		return k.noteDecided(ctx, key.RetireHeight, types.REQUEST_KIND_KEYGEN, key.Id)
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
