package mpcnode

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// knownRoster keeps the roster for as long as nobody registers or revokes: it is large,
// and a look at a block that finds it unchanged hands on the same one, which neither the
// engine nor the reactor look at again. One goroutine uses it.
type knownRoster struct {
	// changes is how many writes of participants are in here.
	changes uint64
	roster  *types.Roster
}

// read returns the roster of a committed state.
func (k *knownRoster) read(ctx context.Context, state State) (*types.Roster, error) {
	changes, err := state.EngineRosterChanges(ctx)
	if err != nil {
		return nil, err
	}
	if k.roster != nil && k.changes == changes {
		return k.roster, nil
	}
	roster, err := state.EngineRoster(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the roster: %w", err)
	}
	k.changes, k.roster = changes, roster
	return roster, nil
}
