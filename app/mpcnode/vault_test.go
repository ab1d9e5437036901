package mpcnode

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/testutil/vaultfiles"
)

func vaultConfig(t *testing.T, passphrase string) (Config, string) {
	t.Helper()
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "pass"), []byte(passphrase), 0o600))
	cfg := DefaultConfig()
	cfg.Passphrase = "file:pass"
	return cfg, home
}

// makeVault is CreateVault of one whose passphrase "horse" costs nothing to try.
func makeVault(t *testing.T, cfg Config, home string) *Vault {
	t.Helper()
	paths := cfg.PathsOf(home)
	vaultfiles.Make(t, paths.Database, paths.Identity, "horse")
	v, err := openVault(paths, []byte("horse"))
	require.NoError(t, err)
	return v
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
	made := makeVault(t, cfg, home)
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
		{"other passphrase", func(t *testing.T, p Paths) {
			require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(p.Folder), "pass"), []byte("cow"), 0o600))
		}, storage.ErrWrongPassphrase},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, home := vaultConfig(t, "horse")
			made := makeVault(t, cfg, home)
			require.NoError(t, made.Close())
			c.damage(t, cfg.PathsOf(home))
			_, err := OpenVault(cfg, home)
			require.ErrorIs(t, err, c.want)

			cfg.Enabled = false
			v, err := OpenVault(cfg, home)
			require.NoError(t, err, "without MPC nothing is opened")
			require.NoError(t, v.Close())
		})
	}
}

// A node that lost its database still starts, also without its passphrase, and says so.
// With it its identity is there to say so on chain.
func TestVaultThatLostItsDatabase(t *testing.T) {
	cfg, home := vaultConfig(t, "horse")
	made := makeVault(t, cfg, home)
	public := made.PublicKeys()
	require.Len(t, public, 1)
	require.NoError(t, made.Lost())
	require.NoError(t, made.Close())
	paths := cfg.PathsOf(home)
	require.NoError(t, os.RemoveAll(paths.Database))

	lost, err := OpenVault(cfg, home)
	require.NoError(t, err)
	require.False(t, lost.Present())
	require.Empty(t, lost.Keys(), "it takes part in nothing")
	require.Len(t, lost.LostKeys(), 1)
	require.Equal(t, public[0], lost.LostKeys()[0].Public())
	require.ErrorIs(t, lost.Lost(), ErrNoDatabase)
	require.NotContains(t, lost.Lost().Error(), "nor can it")
	opened := lost.LostKeys()[0]
	require.NoError(t, lost.Close())
	require.Equal(t, make([]byte, len(opened)), []byte(opened), "wiped")
	require.Empty(t, lost.LostKeys())

	wrong := cfg
	require.NoError(t, os.WriteFile(filepath.Join(home, "wrong"), []byte("cow"), 0o600))
	wrong.Passphrase = "file:wrong"
	lost, err = OpenVault(wrong, home)
	require.NoError(t, err)
	require.Empty(t, lost.LostKeys())
	require.ErrorIs(t, lost.Lost(), storage.ErrWrongPassphrase)
	require.NoError(t, lost.Close())

	cfg.Passphrase = "file:missing"
	lost, err = OpenVault(cfg, home)
	require.NoError(t, err)
	require.False(t, lost.Present())
	require.Empty(t, lost.Keys(), "it signs nothing")
	require.Empty(t, lost.LostKeys())
	require.ErrorContains(t, lost.Lost(), "nor can it say on chain")
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

// Whatever is damaged or gone, the node starts and says so, and what is there stays as
// it is, to the byte.
func TestVaultThatIsDamaged(t *testing.T) {
	overwrite := func(path string, edit func([]byte)) func(*testing.T, Paths) {
		return func(t *testing.T, p Paths) {
			names, err := filepath.Glob(filepath.Join(p.Folder, path))
			require.NoError(t, err)
			require.NotEmpty(t, names)
			for _, name := range names {
				b, err := os.ReadFile(name)
				require.NoError(t, err)
				edit(b)
				require.NoError(t, os.WriteFile(name, b, 0o600))
			}
		}
	}
	flip := func(b []byte) {
		for i := range b {
			b[i] ^= 0x55
		}
	}
	for name, c := range map[string]struct {
		damage func(*testing.T, Paths)
		reason types.Reason
		want   error
		public int
	}{
		"journals": {overwrite("db/*/*.log", flip), types.ErrDatabaseDamaged, nil, 1},
		"entry points": {
			overwrite("db/*/CURRENT", flip), types.ErrDatabaseDamaged, storage.ErrFilesDamaged, 1,
		},
		"half of the database": {
			func(t *testing.T, p Paths) { require.NoError(t, os.RemoveAll(filepath.Join(p.Database, "main"))) },
			types.ErrDatabaseDamaged, storage.ErrFilesDamaged, 1,
		},
		"the identity": {overwrite("identity.json", flip), types.ErrIdentityLost, storage.ErrIdentityDamaged, 0},
		"no identity": {
			func(t *testing.T, p Paths) { require.NoError(t, os.Remove(p.Identity)) }, types.ErrIdentityLost, ErrNoIdentity, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, home := vaultConfig(t, "horse")
			made := makeVault(t, cfg, home)
			require.NoError(t, made.Database().BindDigest("s", types.Hash{1}, []byte{1}))
			require.NoError(t, made.Close())
			paths := cfg.PathsOf(home)
			c.damage(t, paths)
			before := folderContent(t, paths.Folder)

			lost, err := OpenVault(cfg, home)
			require.NoError(t, err)
			require.False(t, lost.Present())
			require.Empty(t, lost.Keys(), "it takes part in nothing")
			require.Len(t, lost.LostKeys(), c.public, "what is left of it says that the shares are missing")
			require.Len(t, lost.PublicKeys(), c.public)
			require.Equal(t, c.reason, types.ReasonOf(lost.Lost()))
			if c.want != nil {
				require.ErrorIs(t, lost.Lost(), c.want)
			}
			require.NoError(t, lost.Close())
			require.Equal(t, before, folderContent(t, paths.Folder))
		})
	}
}

// folderContent is all files of a folder.
func folderContent(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	}))
	return all
}

// A new identity beside a database, and a new database beside an identity: what is there
// stays, and must open with the passphrase.
func TestVaultThatIsMadeWhole(t *testing.T) {
	cfg, home := vaultConfig(t, "horse")
	made := makeVault(t, cfg, home)
	require.NoError(t, made.Database().BindDigest("s", types.Hash{1}, []byte{1}))
	require.NoError(t, made.Close())
	paths := cfg.PathsOf(home)
	require.NoError(t, os.Remove(paths.Identity))
	_, err := CreateIdentityBeside(paths, []byte("cow"))
	require.ErrorIs(t, err, storage.ErrWrongPassphrase)
	require.NoFileExists(t, paths.Identity)
	key, err := CreateIdentityBeside(paths, []byte("horse"))
	require.NoError(t, err)
	opened, err := OpenVault(cfg, home)
	require.NoError(t, err)
	require.Equal(t, key, opened.PublicKeys()[0])
	require.ErrorIs(t, opened.Database().BindDigest("s", types.Hash{1}, []byte{2}), types.ErrDigestBound, "the database is the old one")
	require.NoError(t, opened.Close())

	require.ErrorIs(t, CreateDatabaseBeside(paths, []byte("horse")), storage.ErrExists)
	require.NoError(t, os.RemoveAll(paths.Database))
	require.ErrorIs(t, CreateDatabaseBeside(paths, []byte("cow")), storage.ErrWrongPassphrase)
	require.NoDirExists(t, paths.Database)
	require.NoError(t, CreateDatabaseBeside(paths, []byte("horse")))
	opened, err = OpenVault(cfg, home)
	require.NoError(t, err)
	require.Equal(t, key, opened.PublicKeys()[0], "the identity is the old one")
	require.NoError(t, opened.Close())
}
