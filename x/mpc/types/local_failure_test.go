package types_test

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/store/v2/dbadapter"
	"github.com/cosmos/cosmos-sdk/store/v2/iavl"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// brokenDB is a database whose disk fails when it is told to.
type brokenDB struct {
	dbm.DB
	broken bool
}

var errDisk = errors.New("leveldb/table: corruption on data-block")

func (d *brokenDB) Get(key []byte) ([]byte, error) {
	if d.broken {
		return nil, errDisk
	}
	return d.DB.Get(key)
}

// committed is a store of a chain with something in it, opened again.
func committed(t *testing.T, db dbm.DB) storetypes.CommitKVStore {
	t.Helper()
	load := func(id storetypes.CommitID) storetypes.CommitKVStore {
		s, err := iavl.LoadStore(db, log.NewNopLogger(), storetypes.NewKVStoreKey("mpc"), id, 0, false)
		require.NoError(t, err)
		return s
	}
	s := load(storetypes.CommitID{})
	for i := range 100 {
		s.Set(fmt.Append(nil, "key", i), []byte("value"))
	}
	return load(s.Commit())
}

func TestLocalFailure(t *testing.T) {
	db := &brokenDB{DB: dbm.NewMemDB()}
	tree := committed(t, db)
	db.broken = true
	for name, c := range map[string]struct {
		do   func()
		want bool
	}{
		"a tree that cannot be read":     {func() { tree.Get([]byte("key1")) }, true},
		"a database that cannot be read": {func() { dbadapter.Store{DB: db}.Get([]byte("key1")) }, true},
		"a tree, by a hook that had a look": {func() {
			defer func() { panic(recover()) }()
			tree.Get([]byte("key1"))
		}, true},
		"a disk error on its way up": {func() { panic(fmt.Errorf("read key: %w", &fs.PathError{Op: "read", Path: "x", Err: syscall.EIO})) }, true},
		"too many open files":        {func() { panic(fmt.Errorf("open: %w", syscall.EMFILE)) }, true},
		"a module's mistake":         {func() { panic(errors.New("leveldb is a nice word")) }, false},
		"a nil map":                  {func() { var m map[string]int; m["a"] = 1 }, false},
		"a key that is nil":          {func() { tree.Set(nil, []byte("value")) }, false},
		"words":                      {func() { panic("something") }, false},
		"no gas left":                {func() { storetypes.NewGasMeter(1).ConsumeGas(2, "test") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			caught := false
			func() {
				defer func() {
					r := recover()
					caught = r != nil
					require.Equal(t, c.want, types.LocalFailure(r), "%v", r)
				}()
				c.do()
			}()
			require.True(t, caught)
		})
	}
}
