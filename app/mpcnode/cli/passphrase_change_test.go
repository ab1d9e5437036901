package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
)

func TestPassphraseChange(t *testing.T) {
	home := validator(t)
	toml := func() string {
		text, err := os.ReadFile(filepath.Join(home, "config", "app.toml"))
		require.NoError(t, err)
		return string(text)
	}
	before := toml()
	change := []string{"mpc", "passphrase", "change"}

	nodehome.WritePassphrase(t, home, "next", "horse")
	_, err := run(t, home, append(change, "--new-mpc-passphrase", "file:config/next")...)
	require.ErrorIs(t, err, storage.ErrSamePassphrase)
	_, err = run(t, home, append(change, "--new-mpc-passphrase", "correct-horse")...)
	require.ErrorContains(t, err, "not the passphrase")
	require.NotContains(t, err.Error(), "correct-horse")

	// The new one in a file of its own, which app.toml is to name.
	nodehome.WritePassphrase(t, home, "next", "cow")
	out, err := run(t, home, append(change, "--new-mpc-passphrase", "file:config/next", "--write-source")...)
	require.NoError(t, err)
	require.NotContains(t, out, "cow")
	require.Contains(t, toml(), `passphrase = "file:config/next"`)
	_, err = run(t, home, "mpc", "keys")
	require.NoError(t, err, "app.toml names the new one")
	_, err = run(t, home, "mpc", "keys", "--mpc-passphrase", "file:config/pass")
	require.ErrorIs(t, err, storage.ErrWrongPassphrase)

	// Back, by environment: app.toml stays, which is said.
	t.Setenv("MPC_TEST_NEW", "horse")
	out, err = run(t, home, append(change, "--new-mpc-passphrase", "env:MPC_TEST_NEW")...)
	require.NoError(t, err)
	require.Contains(t, out, "file:config/next")
	nodehome.Edit(t, home, "app.toml", "file:config/next", "file:config/pass")
	require.Equal(t, before, toml())
	_, err = run(t, home, "mpc", "keys")
	require.NoError(t, err)
	lines := operations(t, home)
	require.Len(t, lines, 2, "what was refused leaves none")
	for _, line := range lines {
		require.Contains(t, line, ": "+audit.PassphraseChanged+": ")
	}
}

func TestPassphraseChangeNeedsAStoppedNode(t *testing.T) {
	home := validator(t)
	vault, err := mpcnode.OpenVault(mpcnode.Config{Enabled: true, Dir: "mpc", Passphrase: "file:config/pass"}, home)
	require.NoError(t, err)
	nodehome.WritePassphrase(t, home, "next", "cow")
	_, err = run(t, home, "mpc", "passphrase", "change", "--new-mpc-passphrase", "file:config/next")
	require.ErrorIs(t, err, storage.ErrInUse)
	require.ErrorContains(t, err, "stop the other node")
	require.NoError(t, vault.Close())
}
