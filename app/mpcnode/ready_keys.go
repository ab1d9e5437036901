package mpcnode

import (
	"context"
	"fmt"
	"maps"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// readyKeys are the presignatures that participants may make of the chain's READY keys,
// whoever has shares of them: a sentry has none, and relays what its validator says. It
// reads all keys once, and then those that changed. One goroutine uses it.
type readyKeys struct {
	// changes is how many writes of keys are in here.
	changes uint64
	ids     map[types.KeyID]types.RequestID
	// presigns are the values of ids. Others have it: it is made anew for each change.
	presigns map[types.RequestID]bool
}

// read returns what is so in a committed state. Nobody changes the map.
func (r *readyKeys) read(ctx context.Context, state State) (map[types.RequestID]bool, error) {
	count, changed, known, err := state.EngineKeyChanges(ctx, r.changes)
	if err != nil {
		return nil, err
	}
	if r.presigns != nil && known && len(changed) == 0 {
		return r.presigns, nil
	}
	ids := maps.Clone(r.ids)
	if r.presigns == nil || !known {
		keys, err := state.EngineReadyKeys(ctx)
		if err != nil {
			return nil, fmt.Errorf("list READY keys: %w", err)
		}
		ids, changed = make(map[types.KeyID]types.RequestID, len(keys)), nil
		for i := range keys {
			ids[keys[i].ID] = types.PresignID(&keys[i])
		}
	}
	for _, id := range changed {
		key, exists, err := state.EngineKey(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read key %s: %w", id, err)
		}
		if delete(ids, id); exists && key.Status == types.KeyReady {
			ids[id] = types.PresignID(&key)
		}
	}
	r.changes, r.ids, r.presigns = count, ids, make(map[types.RequestID]bool, len(ids))
	for _, id := range ids {
		r.presigns[id] = true
	}
	return r.presigns, nil
}

// forget drops everything: nobody makes presignatures.
func (r *readyKeys) forget() { *r = readyKeys{} }
