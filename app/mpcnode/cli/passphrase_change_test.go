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

// A copy of the database from before a change is put back: what starts, or looks, says which
// file does not open and what to do, and that mends it.
func TestPassphraseOfAnOlderCopy(t *testing.T) {
	home := validator(t)
	paths := mpcnode.DefaultConfig().PathsOf(home)
	snapshot := filepath.Join(t.TempDir(), "db")
	require.NoError(t, os.CopyFS(snapshot, os.DirFS(paths.Database)))
	nodehome.WritePassphrase(t, home, "next", "cow")
	change := []string{"mpc", "passphrase", "change"}
	_, err := run(t, home, append(change, "--new-mpc-passphrase", "file:config/next", "--write-source")...)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(paths.Database))
	require.NoError(t, os.CopyFS(paths.Database, os.DirFS(snapshot)))

	cfg := mpcnode.DefaultConfig()
	cfg.Passphrase = "file:config/next"
	_, err = mpcnode.OpenVault(cfg, home)
	require.ErrorIs(t, err, mpcnode.ErrPassphrasesDiffer)
	require.ErrorContains(t, err, "--mpc-passphrase prompt --new-mpc-passphrase")
	require.ErrorIs(t, err, storage.ErrWrongPassphrase)
	require.ErrorContains(t, err, paths.Database)
	require.ErrorContains(t, err, "sequencerd mpc passphrase change")
	text, err := run(t, home, "mpc", "doctor")
	require.Error(t, err)
	require.Regexp(t, `(?m)^problem +database +that of file:config/next opens the identity, and not the database in `, text)
	require.Contains(t, text, "sequencerd mpc passphrase change --mpc-passphrase prompt --new-mpc-passphrase file:config/next")
	require.NotContains(t, text, "storage_failed")

	_, err = run(t, home, append(change, "--mpc-passphrase", "file:config/pass", "--new-mpc-passphrase", "file:config/next")...)
	require.NoError(t, err)
	vault, err := mpcnode.OpenVault(cfg, home)
	require.NoError(t, err)
	require.NoError(t, vault.Close())
	text, _ = run(t, home, "mpc", "doctor")
	require.Regexp(t, `(?m)^ok +database +whole`, text)
}
