package storage

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// newIdentity makes an identity file with some keys, oldest first.
func newIdentity(t testing.TB, n int) (path string, public []ed25519.PublicKey) {
	path = filepath.Join(t.TempDir(), "identity.json")
	key, err := CreateIdentity(path, passphrase, cheap)
	require.NoError(t, err)
	public = append(public, key)
	for range n - 1 {
		key, err := AddIdentityKey(path, passphrase, Options{})
		require.NoError(t, err)
		public = append(public, key)
	}
	return path, public
}

func TestIdentity(t *testing.T) {
	path, public := newIdentity(t, 3)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	read, err := ReadIdentityPublic(path)
	require.NoError(t, err)
	require.Equal(t, public, read)

	id, err := LoadIdentity(path, passphrase)
	require.NoError(t, err)
	require.Equal(t, public, id.PublicKeys())
	require.Equal(t, public[2], id.Current().Public())
	for _, p := range public {
		k, ok := id.Key(p)
		require.True(t, ok)
		require.True(t, ed25519.Verify(p, []byte("message"), ed25519.Sign(k, []byte("message"))))
	}
	_, ok := id.Key(make(ed25519.PublicKey, ed25519.PublicKeySize))
	require.False(t, ok)

	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "temporary files stay behind")
}

func TestIdentityShowsNoPrivateKey(t *testing.T) {
	path, _ := newIdentity(t, 1)
	id, err := LoadIdentity(path, passphrase)
	require.NoError(t, err)
	seed := id.Current().Seed()
	shown := fmt.Sprintf("%v %+v %#v %s", id, id, id, id)
	marshalled, err := json.Marshal(id)
	require.NoError(t, err)
	onDisk, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, text := range []string{shown, string(marshalled), string(onDisk)} {
		require.NotContains(t, text, fmt.Sprint(seed)[1:20])
		require.NotContains(t, text, fmt.Sprintf("%#v", seed)[7:40])
		require.NotContains(t, text, base64.StdEncoding.EncodeToString(seed)[:20])
	}
	id.Wipe()
	require.Equal(t, make([]byte, ed25519.PrivateKeySize), []byte(id.Current()))
}

func TestIdentityErrors(t *testing.T) {
	path, public := newIdentity(t, 2)
	good, err := os.ReadFile(path)
	require.NoError(t, err)

	_, err = CreateIdentity(path, passphrase, cheap)
	require.ErrorIs(t, err, ErrIdentityExists)
	_, err = CreateIdentity(path+"2", nil, cheap)
	require.ErrorIs(t, err, ErrEmptyPassphrase)
	_, err = LoadIdentity(path, nil)
	require.ErrorIs(t, err, ErrEmptyPassphrase)
	_, err = LoadIdentity(path, []byte("another"))
	require.ErrorIs(t, err, ErrWrongPassphrase)
	_, err = AddIdentityKey(path, []byte("another"), Options{})
	require.ErrorIs(t, err, ErrWrongPassphrase)
	_, err = LoadIdentity(path+"2", passphrase)
	require.ErrorIs(t, err, ErrNoIdentity)
	_, err = ReadIdentityPublic(path + "2")
	require.ErrorIs(t, err, ErrNoIdentity)
	require.Equal(t, types.ErrStorage, types.ReasonOf(err))

	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, good, after)
	read, err := ReadIdentityPublic(path)
	require.NoError(t, err)
	require.Equal(t, public, read)
}

// writeNew decides, not the look at the path before the work.
func TestWriteNewReplacesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, writeNew(path, []byte("one")))
	require.ErrorIs(t, writeNew(path, []byte("two")), os.ErrExist)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "one", string(b))
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// Somebody who knows the format, checksum included, but not the passphrase.
func TestDoctoredIdentity(t *testing.T) {
	path, _ := newIdentity(t, 2)
	other, _ := newIdentity(t, 1)
	load := func(path string) identityFile {
		f, err := readIdentityFile(path)
		require.NoError(t, err)
		return f
	}
	foreign := load(other)
	for name, c := range map[string]struct {
		edit func(*identityFile)
		want error
	}{
		"public key exchanged": {func(f *identityFile) { f.public[1] = foreign.public[0] }, ErrIdentityMismatch},
		"order changed":        {func(f *identityFile) { f.public[0], f.public[1] = f.public[1], f.public[0] }, ErrIdentityMismatch},
		"public key removed":   {func(f *identityFile) { f.public = f.public[:1] }, ErrIdentityMismatch},
		"public key added":     {func(f *identityFile) { f.public = append(f.public, foreign.public[0]) }, ErrIdentityMismatch},
		"passes changed":       {func(f *identityFile) { f.kdf.Time = 2 }, ErrWrongPassphrase},
		"salt changed":         {func(f *identityFile) { f.salt = foreign.salt }, ErrWrongPassphrase},
		"gigabytes":            {func(f *identityFile) { f.kdf.MemoryKiB = 1 << 22 }, ErrIdentityDamaged},
		"seal format":          {func(f *identityFile) { f.sealed[0] = 0 }, ErrIdentityDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			f := load(path)
			c.edit(&f)
			edited := filepath.Join(t.TempDir(), "identity.json")
			require.NoError(t, writeNew(edited, f.encode()))
			_, err := LoadIdentity(edited, passphrase)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestDamagedIdentity(t *testing.T) {
	path, _ := newIdentity(t, 2)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	check := func(b []byte, what string, at int) {
		_, err := parseIdentityFile(b)
		require.Truef(t, errors.Is(err, ErrIdentityDamaged) || errors.Is(err, ErrNewerFormat), "%s at %d: %v", what, at, err)
	}
	for at := range good {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		check(bad, "flip", at)
		check(good[:at], "cut", at)
	}
	check(append(bytes.Clone(good), '\n'), "longer", len(good))
	check(bytes.Repeat([]byte{' '}, maxIdentityFileBytes+1), "too long", 0)
	_, err = parseIdentityFile([]byte(strings.Replace(string(good), `"version": 1`, `"version": 2`, 1)))
	require.ErrorIs(t, err, ErrNewerFormat)
}

func TestIdentityHoldsABoundedNumberOfKeys(t *testing.T) {
	var id Identity
	random := steady(t)
	for range maxIdentityKeys {
		_, err := id.add(random)
		require.NoError(t, err)
	}
	_, err := id.add(random)
	require.ErrorIs(t, err, ErrInvalid)
	f, err := sealIdentity(id, passphrase, *cheap.KDF, random)
	require.NoError(t, err)
	_, err = parseIdentityFile(f.encode())
	require.NoError(t, err, "a full file is short enough to be read")
}

func TestIdentityGolden(t *testing.T) {
	random := steady(t)
	var id Identity
	for range 2 {
		_, err := id.add(random)
		require.NoError(t, err)
	}
	f, err := sealIdentity(id, passphrase, *cheap.KDF, random)
	require.NoError(t, err)
	golden(t, "identity.json", f.encode())

	opened, err := LoadIdentity(filepath.Join("testdata", "identity.json"), passphrase)
	require.NoError(t, err)
	require.Equal(t, id.PublicKeys(), opened.PublicKeys())
}

func FuzzIdentity(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "identity.json"))
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := parseIdentityFile(b)
		if err == nil {
			require.Equal(t, b, file.encode())
		}
	})
}
