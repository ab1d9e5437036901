package cli

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
)

// typeAtPrompt makes standard input a terminal at which somebody types lines.
func typeAtPrompt(t *testing.T, lines string) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine makes no terminals: %v", err)
	}
	fd := int(keyboard.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	stdin := os.Stdin
	os.Stdin = terminal
	t.Cleanup(func() {
		os.Stdin = stdin
		require.NoError(t, terminal.Close())
		require.NoError(t, keyboard.Close())
	})
	_, err = keyboard.WriteString(lines)
	require.NoError(t, err)
}

// A passphrase that is typed wrong the second time leaves nothing behind, so that
// init can be called again.
func TestInitWithAMistypedPassphrase(t *testing.T) {
	home := t.TempDir()
	_, err := run(t, home, "mpc", "identity") // any command writes the default configuration
	require.Error(t, err)
	before := nodehome.Files(t, home)
	typeAtPrompt(t, "horse\ncow\n")
	_, err = run(t, home, "init", "alice", "--chain-id", "seq-1")
	require.ErrorContains(t, err, "differ")
	require.Equal(t, before, nodehome.Files(t, home))

	typeAtPrompt(t, "horse\nhorse\n")
	_, err = run(t, home, "init", "alice", "--chain-id", "seq-1")
	require.NoError(t, err)
	_, err = run(t, home, "mpc", "identity")
	require.NoError(t, err)
}

// Who calls init a second time is told so before a passphrase is asked for, which would
// be for nothing.
func TestInitOfAHomeThatIsThere(t *testing.T) {
	home := fullNode(t)
	before := nodehome.Files(t, home)
	typeAtPrompt(t, "horse\ncow\n") // asked for, these would be the error
	_, err := run(t, home, "init", "alice", "--chain-id", "seq-1")
	require.ErrorContains(t, err, "there is a genesis file already")
	require.ErrorContains(t, err, "--overwrite")
	require.ErrorContains(t, err, "mpc identity create")
	require.Equal(t, before, nodehome.Files(t, home))
}

// A new passphrase is typed twice, and never shown.
func TestPassphraseChangeAtAPrompt(t *testing.T) {
	home := validator(t)
	typeAtPrompt(t, "cow\ncalf\n")
	_, err := run(t, home, "mpc", "passphrase", "change")
	require.ErrorContains(t, err, "differ")
	_, err = run(t, home, "mpc", "keys")
	require.NoError(t, err, "nothing changed")

	typeAtPrompt(t, "horse\ncow\ncow\n")
	out, err := run(t, home, "mpc", "passphrase", "change", "--mpc-passphrase", "prompt")
	require.NoError(t, err)
	require.NotContains(t, out, "cow")
	_, err = run(t, home, "mpc", "keys")
	require.ErrorContains(t, err, "wrong passphrase")
}
