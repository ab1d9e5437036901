package chain

import (
	"bytes"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// State is the module's store and the validators after a block.
type State struct {
	height     int64
	entries    []entry
	validators []stakingtypes.Validator
}

type entry struct{ key, value []byte }

// Save copies the state.
func (f *Fixture) Save() State {
	s := State{height: f.Ctx.BlockHeight(), entries: f.entries()}
	for _, v := range f.Staking.Validators {
		s.validators = append(s.validators, *v)
	}
	return s
}

func (f *Fixture) entries() (all []entry) {
	it := f.Ctx.KVStore(f.StoreKey).Iterator(nil, nil)
	defer func() { require.NoError(f.t, it.Close()) }()
	for ; it.Valid(); it.Next() {
		all = append(all, entry{bytes.Clone(it.Key()), bytes.Clone(it.Value())})
	}
	return all
}

// Load puts a state back, as a rollback does. Validators that were added since stay.
func (f *Fixture) Load(s State) {
	store := f.clear()
	for _, e := range s.entries {
		store.Set(e.key, e.value)
	}
	for i, v := range s.validators {
		*f.Staking.Validators[i] = v
	}
	f.Ctx = f.Ctx.WithBlockHeight(s.height)
}

// Reborn exports the module's state and imports it, with what edits make of it, into an
// empty chain of this id.
func (f *Fixture) Reborn(chainID string, edits ...func(*types.GenesisState)) {
	f.t.Helper()
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(f.t, err)
	for _, edit := range edits {
		edit(gs)
	}
	require.NoError(f.t, gs.Validate())
	f.clear()
	f.Ctx = f.Ctx.WithChainID(chainID).WithBlockHeight(1)
	require.NoError(f.t, f.Keeper.InitGenesis(f.Ctx, *gs))
}

func (f *Fixture) clear() storetypes.KVStore {
	store := f.Ctx.KVStore(f.StoreKey)
	for _, e := range f.entries() {
		store.Delete(e.key)
	}
	return store
}
