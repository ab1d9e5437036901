package cli

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// A folder has one owner, which list shows; after the chain got another id the next backup
// is a full one, which is said.
func TestBackupFolderHasOneOwner(t *testing.T) {
	t.Parallel()
	home, other := validator(t), validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, _ := ageKeys(t)
	create := []string{"mpc", "backup", "create", folder, "--recipient", to}
	_, err := run(t, home, create...)
	require.NoError(t, err)
	_, err = run(t, other, create...)
	require.ErrorIs(t, err, backup.ErrOtherNode)
	require.ErrorContains(t, err, "a folder of its own")
	require.NoFileExists(t, filepath.Join(folder, "000002.age"))

	genesis := filepath.Join(home, "config", "genesis.json")
	text, err := os.ReadFile(genesis)
	require.NoError(t, err)
	require.Contains(t, string(text), `"seq-1"`)
	require.NoError(t, os.WriteFile(genesis, []byte(strings.Replace(string(text), `"seq-1"`, `"seq-2"`, 1)), 0o600))
	said, err := complains(t, home, create...)
	require.NoError(t, err)
	require.Contains(t, said, "this backup is a full one: the chain is seq-2 now, and was seq-1")

	out, err := run(t, home, "mpc", "backup", "list", folder)
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(out, "full"))
	public, err := storage.ReadIdentityPublic(mpcnode.DefaultConfig().PathsOf(home).Identity)
	require.NoError(t, err)
	for _, want := range []string{"seq-1", "seq-2", hex.EncodeToString(public[0])[:16]} {
		require.Contains(t, out, want)
	}
}
