package cmd

import (
	"encoding/json"
	"path/filepath"
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
