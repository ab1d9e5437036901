package nodehome

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/testutil/vaultfiles"
)

// Passphrase is that of AddVault.
const Passphrase = "horse"

// AddVault gives a home an identity and a database with Passphrase from config/pass.
// It has no pre-parameters, and trying the passphrase costs nothing.
func AddVault(t *testing.T, home string) {
	t.Helper()
	WritePassphrase(t, home, "pass", Passphrase)
	Edit(t, home, "app.toml", `passphrase = "prompt"`, `passphrase = "file:config/pass"`)
	paths := mpcnode.DefaultConfig().PathsOf(home)
	vaultfiles.Make(t, paths.Database, paths.Identity, Passphrase)
}

// WritePassphrase makes a file in config.
func WritePassphrase(t *testing.T, home, name, passphrase string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(home, "config", name), []byte(passphrase+"\n"), 0o600))
}

// Edit replaces text in a configuration file.
func Edit(t *testing.T, home, file, old, replacement string) {
	t.Helper()
	path := filepath.Join(home, "config", file)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600))
}

// Files is everything in a folder.
func Files(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			files[path] = ""
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	}))
	return files
}
