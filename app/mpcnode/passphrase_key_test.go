package mpcnode

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
)

func TestPassphraseSourceIsStored(t *testing.T) {
	var whole bytes.Buffer
	require.NoError(t, template.Must(template.New("app.toml").Parse(Template)).Execute(&whole, DefaultAppConfig("0useq")))
	for _, c := range []struct{ name, before, after string }{
		{"the template", whole.String(), strings.Replace(whole.String(), `passphrase = "prompt"`, `passphrase = "file:a \"b\""`, 1)},
		{"no section", "x = 1\n", "x = 1\n\n[mpc]\npassphrase = \"file:a \\\"b\\\"\"\n"},
		{"no key", "[mpc]\ndir = \"mpc\"\n", "[mpc]\npassphrase = \"file:a \\\"b\\\"\"\ndir = \"mpc\"\n"},
		{"keys of other sections", "[a]\npassphrase = 1\n[mpc] # here\n  passphrase=\"prompt\"\n[b]\npassphrase = 2\n", "[a]\npassphrase = 1\n[mpc] # here\npassphrase = \"file:a \\\"b\\\"\"\n[b]\npassphrase = 2\n"},
		{"the same already", "[mpc]\npassphrase = 'file:a \"b\"'", "[mpc]\npassphrase = 'file:a \"b\"'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const source = `file:a "b"`
			path := filepath.Join(t.TempDir(), "app.toml")
			require.NoError(t, os.WriteFile(path, []byte(c.before), 0o640))
			require.NoError(t, StorePassphraseSource(path, source))
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, c.after, string(text))
			got, err := StoredPassphraseSource(path)
			require.NoError(t, err)
			require.Equal(t, source, got)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
		})
	}
}

// What a line cannot change is left to its owner.
func TestPassphraseSourceOfAnUnusualFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.toml")
	const text = "mpc.passphrase = \"prompt\"\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.ErrorContains(t, StorePassphraseSource(path, "env:X"), "set it yourself")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, text, string(after))
	got, err := StoredPassphraseSource(path)
	require.NoError(t, err)
	require.Equal(t, "prompt", got)
	require.ErrorIs(t, StorePassphraseSource(path+"x", "env:X"), os.ErrNotExist)
}
