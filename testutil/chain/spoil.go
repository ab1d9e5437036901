package chain

import (
	"bytes"
	"context"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/collections"
	corestore "cosmossdk.io/core/store"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
)

// Garble makes the values below a prefix unreadable whose keys have name in them, of
// which there must be some.
func (f *Fixture) Garble(prefix collections.Prefix, name string) {
	f.t.Helper()
	store := f.Ctx.KVStore(f.StoreKey)
	var keys [][]byte
	entries := storetypes.KVStorePrefixIterator(store, prefix.Bytes())
	for ; entries.Valid(); entries.Next() {
		if bytes.Contains(entries.Key(), []byte(name)) {
			keys = append(keys, entries.Key())
		}
	}
	require.NoError(f.t, entries.Close())
	require.NotEmpty(f.t, keys)
	for _, key := range keys {
		store.Set(key, []byte{0xff})
	}
}

// spoilable is the store of a fixture that a test may spoil.
type spoilable struct {
	corestore.KVStoreService
	f *Fixture
}

// OpenKVStore implements corestore.KVStoreService.
func (s spoilable) OpenKVStore(ctx context.Context) corestore.KVStore {
	return spoilableStore{s.KVStoreService.OpenKVStore(ctx), s.f}
}

type spoilableStore struct {
	corestore.KVStore
	f *Fixture
}

func (s spoilableStore) touch(key []byte) error {
	if s.f.Spoiled == nil {
		return nil
	}
	return s.f.Spoiled(key)
}

// Get implements corestore.KVStore.
func (s spoilableStore) Get(key []byte) ([]byte, error) {
	if err := s.touch(key); err != nil {
		return nil, err
	}
	return s.KVStore.Get(key)
}

// Has implements corestore.KVStore.
func (s spoilableStore) Has(key []byte) (bool, error) {
	if err := s.touch(key); err != nil {
		return false, err
	}
	return s.KVStore.Has(key)
}

// Set implements corestore.KVStore.
func (s spoilableStore) Set(key, value []byte) error {
	if err := s.touch(key); err != nil {
		return err
	}
	return s.KVStore.Set(key, value)
}

// Delete implements corestore.KVStore.
func (s spoilableStore) Delete(key []byte) error {
	if err := s.touch(key); err != nil {
		return err
	}
	return s.KVStore.Delete(key)
}
