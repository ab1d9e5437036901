package mpcnode

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func source(t *testing.T, text string) PassphraseSource {
	t.Helper()
	s, err := ParsePassphraseSource(text)
	require.NoError(t, err)
	require.Equal(t, text, s.String())
	return s
}

func TestPassphraseFromFile(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		require.NoError(t, os.WriteFile(filepath.Join(home, name), []byte(text), mode))
	}
	write("good", "correct horse\r\nsecond line\n", 0o600)
	write("bare", "no line end", 0o600)
	write("empty", "\n", 0o600)
	write("open", "secret", 0o644)
	write("long", strings.Repeat("x", MaxPassphraseBytes+1), 0o600)
	write("longest", strings.Repeat("x", MaxPassphraseBytes)+"\n", 0o600)

	for _, c := range []struct{ name, want, complains string }{
		{"good", "correct horse", ""},
		{"bare", "no line end", ""},
		{"longest", strings.Repeat("x", MaxPassphraseBytes), ""},
		{"empty", "", "is empty"},
		{"open", "", "chmod 600"},
		{"long", "", "more than 1024 bytes"},
		{"missing", "", "umask 077"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := source(t, "file:"+c.name).Read(home, "x")
			if c.complains != "" {
				require.ErrorContains(t, err, c.complains)
				require.NotContains(t, err.Error(), "secret")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
}

func TestPassphraseFromEnvironmentIsRemoved(t *testing.T) {
	t.Setenv("MPC_TEST_PASSPHRASE", "horse")
	got, err := source(t, "env:MPC_TEST_PASSPHRASE").Read("", "x")
	require.NoError(t, err)
	require.Equal(t, "horse", string(got))
	_, there := os.LookupEnv("MPC_TEST_PASSPHRASE")
	require.False(t, there, "children would inherit it")
	require.Contains(t, Template, "/proc/PID/environ", "app.toml says where it stays")
	_, err = source(t, "env:MPC_TEST_PASSPHRASE").Read("", "x")
	require.ErrorContains(t, err, "is empty")
}

func TestPassphraseFromCredential(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mpc"), []byte("horse\n"), 0o400))
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	got, err := source(t, "credential:mpc").Read("", "x")
	require.NoError(t, err)
	require.Equal(t, "horse", string(got))

	t.Setenv("CREDENTIALS_DIRECTORY", "")
	_, err = source(t, "credential:mpc").Read("", "x")
	require.ErrorContains(t, err, "LoadCredential")
}

// Whoever writes the passphrase where its source belongs does not find it in logs.
func TestMalformedSourceIsNotShown(t *testing.T) {
	for text, shown := range map[string]string{
		"correct-horse":            "",
		"correct:horse":            "",
		"credential:correct/horse": `"credential:"`,
		"prompt:correct-horse":     `"prompt:"`,
		"file:":                    `"file:"`,
		"file":                     "",
		"":                         "",
	} {
		_, err := ParsePassphraseSource(text)
		require.ErrorContains(t, err, "none of: prompt", text)
		require.NotContains(t, err.Error(), "horse")
		require.NotContains(t, err.Error(), "correct")
		if shown == "" {
			require.NotContains(t, err.Error(), "begins with")
		} else {
			require.ErrorContains(t, err, shown)
		}
		cfg := DefaultConfig()
		cfg.Passphrase = text
		require.NotContains(t, cfg.Validate().Error(), "horse")
	}
}

// Tests have no terminal, as daemons have none.
func TestPromptWithoutTerminalSaysWhatToDo(t *testing.T) {
	stdin := os.Stdin
	t.Cleanup(func() { os.Stdin = stdin })
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	os.Stdin = null
	_, err = source(t, "prompt").Read("", "x")
	require.ErrorContains(t, err, "file:PATH")
	_, err = source(t, "prompt").ReadNew("", "x")
	require.ErrorContains(t, err, "file:PATH")
}

// What is missing is named, with what to do.
func TestPassphraseThatIsNotThere(t *testing.T) {
	home := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", home)
	for text, complains := range map[string]string{
		"file:sub/missing":            "mkdir -p " + home + "/sub && (umask 077; head -c 32 /dev/urandom | base64 > " + home + "/sub/missing)",
		"credential:missing":          "no such file",
		"env:MPC_TEST_PASSPHRASE_NOT": "env:MPC_TEST_PASSPHRASE_NOT is empty",
	} {
		_, err := source(t, text).Read(home, "x")
		require.ErrorContains(t, err, complains, text)
	}
}
