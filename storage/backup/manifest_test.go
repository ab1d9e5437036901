package backup

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

var update = flag.Bool("update", false, "write the golden files anew")

// planned is the manifest of a database with these shares beside one that is READY.
func planned(t *testing.T, staged ...types.Record) Manifest {
	t.Helper()
	db := newDB(t)
	put(t, db, share("a", 0), ready(share("a", 0)), share("dead", 0))
	put(t, db, staged...)
	require.NoError(t, db.DestroyKey("dead"))
	require.NoError(t, db.BindDigest("s-1", types.Hash{1}, []byte{1}))
	b, err := Plan(db, []ed25519.PrivateKey{identity}, "seq-1", nil, false, at)
	require.NoError(t, err)
	return b.Manifest
}

// What was written once stays readable. Where nothing needs version 2 the bytes are those of
// version 1, for programs that know no other.
func TestManifestVersions(t *testing.T) {
	staged := share("a", 1)
	staged.Request = types.RequestID{Kind: types.KindReshare, ID: "a-2"}
	for name, c := range map[string]struct {
		manifest Manifest
		version  int
	}{
		"manifest1.json": {planned(t), 1},
		"manifest2.json": {planned(t, staged), 2},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.version, c.manifest.Version)
			text, err := c.manifest.encode()
			require.NoError(t, err)
			path := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.WriteFile(path, text, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), string(text))
			read, err := parseManifest(want)
			require.NoError(t, err)
			require.Equal(t, c.manifest, read)

			answer, err := json.Marshal(c.manifest)
			require.NoError(t, err)
			read, err = ParseAnswer(answer)
			require.NoError(t, err)
			require.Equal(t, c.manifest, read)
			for _, other := range []int{0, 3 - c.version} {
				wrong := c.manifest
				wrong.Version = other
				text, err := wrong.encode()
				require.NoError(t, err)
				_, err = parseManifest(text)
				require.ErrorIs(t, err, ErrDamaged, "there is one version for what it says")
			}
			newer := bytes.Replace(want, []byte(`"version": `), []byte(`"version": 9`), 1)
			_, err = parseManifest(newer)
			require.ErrorIs(t, err, ErrNewerFormat)
		})
	}
}

// What a manifest says that this program would not write is refused, beside a file and in the
// answer of a node.
func TestManifestOfAnotherProgram(t *testing.T) {
	m := planned(t)
	text, err := m.encode()
	require.NoError(t, err)
	_, err = parseManifest(bytes.Replace(text, []byte(`"epoch": 0,`), []byte(`"epoch": 0, "more": 1,`), 1))
	require.ErrorIs(t, err, ErrDamaged)
	answer, err := json.Marshal(m)
	require.NoError(t, err)
	_, err = ParseAnswer(bytes.Replace(answer, []byte(`"epoch":0,`), []byte(`"epoch":0,"more":1,`), 1))
	require.ErrorIs(t, err, ErrOtherProgram)
	_, err = ParseAnswer(text)
	require.ErrorIs(t, err, ErrOtherProgram)
}

func FuzzManifest(f *testing.F) {
	for _, name := range []string{"manifest1.json", "manifest2.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			require.ErrorIs(t, err, types.ErrBackup)
			return
		}
		again, err := m.encode()
		require.NoError(t, err)
		require.Equal(t, b, again)
		require.Equal(t, m.version(), m.Version)
	})
}
