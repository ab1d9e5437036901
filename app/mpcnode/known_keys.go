package mpcnode

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// knownKeys keeps what the chain said of keys, so that a look at a block reads those
// that changed and not all of a node's. One goroutine uses it.
type knownKeys struct {
	// changes is how many writes of keys are in here.
	changes uint64
	keys    map[types.KeyID]knownKey
}

// knownKey is a key, or the word that there is none.
type knownKey struct {
	types.Key
	exists bool
}

// read returns those of the keys that exist in a committed state. What they share
// with earlier answers nobody changes.
func (k *knownKeys) read(ctx context.Context, state State, ids []types.KeyID) (map[types.KeyID]types.Key, error) {
	if err := k.forgetChanged(ctx, state); err != nil {
		return nil, err
	}
	kept := make(map[types.KeyID]knownKey, len(ids))
	out := make(map[types.KeyID]types.Key, len(ids))
	for _, id := range ids {
		key, read := k.keys[id]
		if !read {
			var err error
			if key.Key, key.exists, err = state.EngineKey(ctx, id); err != nil {
				return nil, fmt.Errorf("read key %s: %w", id, err)
			}
		}
		kept[id] = key
		if key.exists {
			out[id] = key.Key
		}
	}
	k.keys = kept
	return out, nil
}

// forgetChanged drops what may be different in this state from what was read.
func (k *knownKeys) forgetChanged(ctx context.Context, state State) error {
	count, changed, known, err := state.EngineKeyChanges(ctx, k.changes)
	if err != nil {
		return err
	}
	if !known {
		clear(k.keys)
	}
	for _, id := range changed {
		delete(k.keys, id)
	}
	k.changes = count
	return nil
}
