package mpcnode

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

func vaultConfig(t *testing.T, passphrase string) (Config, string) {
	t.Helper()
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "pass"), []byte(passphrase), 0o600))
	cfg := DefaultConfig()
	cfg.Passphrase = "file:pass"
	return cfg, home
}

func TestVaultOpensAsItWasMade(t *testing.T) {
	cfg, home := vaultConfig(t, "horse")
	made, err := CreateVault(cfg, home, []byte("horse"))
	require.NoError(t, err)
	require.True(t, made.Present())
	require.Len(t, made.Keys(), 1)
	public := made.Keys()[0].Public()
	id, err := made.Database().AddPreparams([]byte("set"))
	require.NoError(t, err)

	// One process at a time.
	_, err = OpenVault(cfg, home)
	require.ErrorIs(t, err, storage.ErrInUse)
	require.NoError(t, made.Close())
	require.NoError(t, made.Close())

	opened, err := OpenVault(cfg, home)
	require.NoError(t, err)
	require.Equal(t, public, opened.Keys()[0].Public())
	unused, err := opened.Database().Preparams()
	require.NoError(t, err)
	require.Equal(t, []uint64{id}, unused)
	require.NoError(t, opened.Close())

	_, err = CreateVault(cfg, home, []byte("horse"))
	require.ErrorIs(t, err, storage.ErrExists, "nothing is overwritten")
}

func TestVaultOfTheNewestKeyLast(t *testing.T) {
	cfg, home := vaultConfig(t, "horse")
	made, err := CreateVault(cfg, home, []byte("horse"))
	require.NoError(t, err)
	require.NoError(t, made.Close())
	added, err := storage.AddIdentityKey(cfg.PathsOf(home).Identity, []byte("horse"), storage.Options{})
	require.NoError(t, err)
	opened, err := OpenVault(cfg, home)
	require.NoError(t, err)
	defer opened.Close()
	require.Len(t, opened.Keys(), 2)
	require.Equal(t, added, opened.Keys()[1].Public())
}

func TestVaultThatIsNotThere(t *testing.T) {
	cfg, home := vaultConfig(t, "horse")
	cfg.Passphrase = "file:missing" // must not be needed
	v, err := OpenVault(cfg, home)
	require.NoError(t, err)
	require.False(t, v.Present())
	require.Empty(t, v.Keys())
	require.NoError(t, v.Close())
}

func TestVaultThatIsNotWhole(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, p Paths)
		want   error
	}{
		{"no identity", func(t *testing.T, p Paths) { require.NoError(t, os.Remove(p.Identity)) }, ErrNoIdentity},
		{"other passphrase", func(t *testing.T, p Paths) {
			require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(p.Folder), "pass"), []byte("cow"), 0o600))
		}, storage.ErrWrongPassphrase},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, home := vaultConfig(t, "horse")
			made, err := CreateVault(cfg, home, []byte("horse"))
			require.NoError(t, err)
			require.NoError(t, made.Close())
			c.damage(t, cfg.PathsOf(home))
			_, err = OpenVault(cfg, home)
			require.ErrorIs(t, err, c.want)

			cfg.Enabled = false
			v, err := OpenVault(cfg, home)
			require.NoError(t, err, "without MPC nothing is opened")
			require.NoError(t, v.Close())
		})
	}
}

// A node that lost its database still starts, without its passphrase, and says so.
func TestVaultThatLostItsDatabase(t *testing.T) {
	cfg, home := vaultConfig(t, "horse")
	made, err := CreateVault(cfg, home, []byte("horse"))
	require.NoError(t, err)
	public := made.PublicKeys()
	require.Len(t, public, 1)
	require.NoError(t, made.Lost())
	require.NoError(t, made.Close())
	paths := cfg.PathsOf(home)
	require.NoError(t, os.RemoveAll(paths.Database))
	cfg.Passphrase = "file:missing"

	lost, err := OpenVault(cfg, home)
	require.NoError(t, err)
	require.False(t, lost.Present())
	require.Empty(t, lost.Keys(), "it signs nothing")
	require.Equal(t, public, lost.PublicKeys())
	require.ErrorIs(t, lost.Lost(), ErrNoDatabase)
	require.Equal(t, types.ErrDatabaseLost, types.ReasonOf(lost.Lost()))
	require.ErrorContains(t, lost.Lost(), "sequencerd mpc backup restore")
	require.NoError(t, lost.Close())
	require.NoDirExists(t, paths.Database, "nothing is made in its place")

	_, err = OpenVaultWith(paths, []byte("horse"))
	require.ErrorIs(t, err, ErrNoDatabase)

	// The identity is damaged as well.
	require.NoError(t, os.WriteFile(paths.Identity, []byte("{}"), 0o600))
	lost, err = OpenVault(cfg, home)
	require.NoError(t, err)
	require.ErrorIs(t, lost.Lost(), ErrNoDatabase)
	require.ErrorIs(t, lost.Lost(), storage.ErrIdentityDamaged)
	require.Empty(t, lost.PublicKeys())
}
