package storage

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.toml")
	for _, mode := range []os.FileMode{0o644, 0o600} {
		require.NoError(t, ReplaceFile(path, []byte(mode.String()), mode))
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, mode.String(), string(text))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), "whatever the mask")
	}
	require.Error(t, ReplaceFile(filepath.Join(dir, "missing", "app.toml"), nil, 0o600))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "temporary files stay behind")
}
