package relay

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The URL is what is said, or stands where that says, and is in no error.
func TestReadURL(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(home, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	absolute := write("rpc.url", "https://x/KEY\nmore\n", 0o600)
	write("open.url", "https://x/KEY\n", 0o644)
	write("empty.url", "\n", 0o600)
	write("bad.url", "https://x:KEY/", 0o600)
	t.Setenv("RELAY_TEST_RPC", " wss://x/KEY ")
	t.Setenv("RELAY_TEST_BAD", "https://x/%KEY")
	t.Setenv("RELAY_TEST_EMPTY", "")
	for text, want := range map[string]string{
		"http://localhost:8545": "http://localhost:8545",
		"/run/geth.ipc":         "/run/geth.ipc",
		"env:RELAY_TEST_RPC":    "wss://x/KEY",
		"file:rpc.url":          "https://x/KEY",
		"file:" + absolute:      "https://x/KEY",
	} {
		got, err := readURL(text, home)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, says := range map[string]string{
		"":                     "give the URL of a node of the other chain, or env:NAME or file:PATH",
		"env:":                 "env: is followed by the name of a variable",
		"env:https://x/KEY":    "env: is followed by the name of a variable",
		"env:RELAY_TEST_EMPTY": "env:RELAY_TEST_EMPTY is empty",
		"env:RELAY_TEST_BAD":   "it is no URL",
		"file:":                "file: is followed by the path of a file",
		"file:https://x/KEY":   "file: is followed by the path of a file",
		"file:empty.url":       "file:empty.url is empty",
		"file:bad.url":         "it is no URL",
		"file:none.url":        "none.url: no such file or directory",
		"file:open.url":        "others can read it (mode 0644), and the URL may have a key in it; run: chmod 600 ",
		"https://x:KEY/":       "it is no URL",
	} {
		_, err := readURL(text, home)
		require.ErrorContains(t, err, says, text)
		require.NotContains(t, err.Error(), "KEY", text)
	}
}

// A node that is away when the relay starts is said without its URL.
func TestDialSaysNoURL(t *testing.T) {
	for _, url := range []string{"eth.example/v3/KEY", "ws://127.0.0.1:1/KEY"} {
		err := run(t.Context(), url, nil, Options{}, nil)
		require.ErrorContains(t, err, "--rpc: ", url)
		require.NotContains(t, err.Error(), "KEY", url)
	}
}
