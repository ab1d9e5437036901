package storage

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wherever writing the mark is torn, it says what it said before.
func TestTornMark(t *testing.T) {
	k, err := newKeys(make([]byte, 32))
	require.NoError(t, err)
	dir := t.TempDir()
	m, err := createMark(dir)
	require.NoError(t, err)
	defer m.close()
	require.NoError(t, m.write(k, 1))
	for g := uint64(2); g < 6; g++ {
		path := filepath.Join(dir, markName)
		old, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, m.write(k, g))
		written, err := os.ReadFile(path)
		require.NoError(t, err)
		got, err := m.read(k)
		require.NoError(t, err)
		require.Equal(t, g, got)
		for left := range written {
			torn := append(written[:left:left], old[min(left, len(old)):]...)
			if string(torn) == string(written) {
				continue // what is left is the same in both
			}
			require.NoError(t, os.WriteFile(path, torn, 0o600))
			got, err := m.read(k)
			require.NoError(t, err)
			require.Equalf(t, g-1, got, "%d bytes left", left)
		}
		require.NoError(t, os.WriteFile(path, written, 0o600))
	}
	other, err := newKeys([]byte("another key of thirty-two bytes."))
	require.NoError(t, err)
	_, err = m.read(other)
	require.ErrorIs(t, err, ErrFilesDamaged)
}
