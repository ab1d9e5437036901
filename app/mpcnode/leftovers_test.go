package mpcnode

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// A node removes what an interrupted command left, names what may be somebody's copy, and starts.
func TestNodeTellsOfLeftovers(t *testing.T) {
	cfg, home := vaultConfig(t, "horse")
	require.NoError(t, makeVault(t, cfg, home).Close())
	folder := cfg.PathsOf(home).Folder
	left, copied, identity := filepath.Join(folder, ".db.incomplete-7"), filepath.Join(folder, ".db-20261127"), filepath.Join(folder, ".identity.json.incomplete-8")
	for _, dir := range []string{left, copied, identity} {
		require.NoError(t, os.MkdirAll(dir, 0o700))
	}
	require.ElementsMatch(t, []string{left, copied, identity}, FindLeftovers(cfg.PathsOf(home)).Kept)
	vault, err := OpenVault(cfg, home)
	require.NoError(t, err)
	m, closeVault := startingMemberOf(t, cfg, home, vault)
	var told bytes.Buffer
	m.log = slog.New(slog.NewTextHandler(&told, nil))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	group := new(errgroup.Group)
	require.NoError(t, m.start(ctx, group, waits(false)))
	cancel()
	require.NoError(t, group.Wait())
	closeVault()
	require.NoDirExists(t, left)
	require.Contains(t, told.String(), "path="+left)
	for _, dir := range []string{copied, identity} {
		require.DirExists(t, dir)
		require.Contains(t, told.String(), "path="+dir)
	}
}
