package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"

	"github.com/sequencer-mpc/sequencer/app"
)

// What the SDK's commands do with the state of a node that does not run, they do with this
// application's.
func TestStateIsPruned(t *testing.T) {
	home := fullNode(t)
	someBlocks(t, home, 6)
	out, err := run(t, home, "prune", "custom", "--pruning-keep-recent", "2", "--pruning-interval", "10") // app.toml has no interval
	require.NoError(t, err)
	require.Contains(t, out, "successfully pruned")

	db, err := dbm.NewDB("application", dbm.GoLevelDBBackend, filepath.Join(home, "data"))
	require.NoError(t, err)
	a := app.New(log.NewNopLogger(), db, false, simtestutil.EmptyAppOptions{}, baseapp.SetChainID("seq-1"))
	require.Error(t, a.LoadVersion(3), "it is gone")
	require.NoError(t, a.LoadVersion(6))
	require.Equal(t, int64(6), a.LastBlockHeight())
	require.NoError(t, a.Close())
}

func TestNodeWithoutSnapshots(t *testing.T) {
	home := fullNode(t)
	someBlocks(t, home, 1)
	out, err := run(t, home, "snapshots", "list")
	require.NoError(t, err)
	require.Empty(t, out)
}

// A snapshot of a node that does not run gives another one, with nothing in its data, the same
// state.
func TestSnapshotIsRestored(t *testing.T) {
	home := fullNode(t)
	someBlocks(t, home, 4)
	out, err := run(t, home, "snapshots", "export")
	require.NoError(t, err, out)
	out, err = run(t, home, "snapshots", "list")
	require.NoError(t, err)
	require.Contains(t, out, "height: 4")
	before := stateHash(t, home)

	require.NoError(t, os.RemoveAll(filepath.Join(home, "data", "application.db")))
	out, err = run(t, home, "snapshots", "restore", "4", strconv.Itoa(snapshottypes.CurrentFormat))
	require.NoError(t, err, out)
	require.Equal(t, before, stateHash(t, home))
}

// stateHash is the hash of a stopped node's state at its last height.
func stateHash(t *testing.T, home string) []byte {
	t.Helper()
	db, err := dbm.NewDB("application", dbm.GoLevelDBBackend, filepath.Join(home, "data"))
	require.NoError(t, err)
	a := app.New(log.NewNopLogger(), db, true, simtestutil.EmptyAppOptions{}, baseapp.SetChainID("seq-1"))
	defer func() { require.NoError(t, a.Close()) }()
	require.Equal(t, int64(4), a.LastBlockHeight())
	return a.LastCommitID().Hash
}

func TestVersion(t *testing.T) {
	out, err := run(t, t.TempDir(), "version", "--long", "--output", "json")
	require.NoError(t, err)
	var info struct {
		Server string `json:"server_name"`
		SDK    string `json:"cosmos_sdk_version"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &info), out)
	require.Equal(t, app.Binary, info.Server)
	require.Contains(t, readText(t, "go.mod"), "github.com/cosmos/cosmos-sdk "+info.SDK)
}
