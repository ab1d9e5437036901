package chain

import (
	"context"

	corestore "cosmossdk.io/core/store"
)

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
