package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// Where nobody can be asked, init and what makes the identity later name their own flags:
// nobody has looked into app.toml yet.
func TestInitWithoutATerminal(t *testing.T) {
	stdin := os.Stdin
	t.Cleanup(func() { os.Stdin = stdin })
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	os.Stdin = null
	_, err = run(t, t.TempDir(), "init", "alice", "--chain-id", "seq-1")
	require.ErrorIs(t, err, mpcnode.ErrNoTerminal)
	require.ErrorContains(t, err, "--mpc-passphrase")
	require.ErrorContains(t, err, "--no-mpc")
	_, err = run(t, fullNode(t), "mpc", "identity", "create")
	require.ErrorIs(t, err, mpcnode.ErrNoTerminal)
	require.ErrorContains(t, err, "--mpc-passphrase")
	require.NotContains(t, err.Error(), "--no-mpc")
}

// Commands that send transactions know the chain from client.toml after init, whatever
// was called on the home before.
func TestInitNamesTheChain(t *testing.T) {
	for name, before := range map[string]func(t *testing.T, home string){
		"the first command": func(*testing.T, string) {},
		"after others": func(t *testing.T, home string) {
			_, err := run(t, home, "keys", "add", "alice", "--keyring-backend", "test")
			require.NoError(t, err)
		},
		"after another chain": func(t *testing.T, home string) {
			_, err := run(t, home, "init", "node", "--chain-id", "seq-0", "--no-mpc")
			require.NoError(t, err)
			require.NoError(t, os.Remove(filepath.Join(home, "config", "genesis.json")))
		},
		"without the line": func(t *testing.T, home string) {
			require.NoError(t, os.MkdirAll(filepath.Join(home, "config"), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(home, "config", "client.toml"), []byte("output = \"json\"\n"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			before(t, home)
			_, err := run(t, home, "init", "node", "--chain-id", "seq-1", "--no-mpc")
			require.NoError(t, err)
			text, err := os.ReadFile(filepath.Join(home, "config", "client.toml"))
			require.NoError(t, err)
			require.Equal(t, []string{`chain-id = "seq-1"`}, regexp.MustCompile(`(?m)^chain-id.*$`).FindAllString(string(text), -1))
			require.Contains(t, string(text), "output = ", "all else stays")
		})
	}
}
