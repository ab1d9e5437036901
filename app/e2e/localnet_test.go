package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// localnetTimeLimit is many times what the test takes on two cores.
const localnetTimeLimit = 5 * time.Minute

// "sequencerd localnet --mpc-transport libp2p" makes a network whose nodes reach each
// other over libp2p. It runs until Ctrl-C, then ends well and leaves no node behind.
// Meanwhile a second one leaves its network alone.
func TestLocalnetCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), localnetTimeLimit)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "net")
	args := []string{"localnet", "--validators", "2", "--mpc-transport", mpcnode.TransportLibP2P, "--block-time", shortBlocks.String(), "--output", dir}
	command := startLocalnet(t, ctx, 2, args...)

	made, err := localnet.Load(dir, binary, nil)
	require.NoError(t, err)
	n := &network{Network: made, t: t}
	require.Equal(t, mpcnode.TransportLibP2P, n.Manifest().Transport)
	n.allReachable(ctx)
	for i := range n.Len() {
		require.NotEmpty(t, n.Node(i).Info().LibP2PID)
	}

	second, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(second), "runs already")

	pids := nodePIDs(t, dir)
	for _, pid := range pids {
		require.NoError(t, syscall.Kill(pid, 0), "it runs")
	}
	command.interrupt(t)
	for _, pid := range pids {
		require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "a node is left")
	}
	for _, pid := range nodePIDs(t, dir) {
		require.Zero(t, pid)
	}
}

// command is a "sequencerd localnet" that runs.
type command struct {
	*exec.Cmd
	said *bufio.Scanner
}

// startLocalnet runs a command that ends with the context at the latest, and waits until
// its nodes make blocks.
func startLocalnet(t *testing.T, ctx context.Context, nodes int, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.CommandContext(ctx, binary, args...)}
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	c.said = bufio.NewScanner(stderr)
	makesBlocks(t, c.said, nodes)
	return c
}

// interrupt is Ctrl-C; the command must end well.
func (c *command) interrupt(t *testing.T) {
	t.Helper()
	require.NoError(t, c.Process.Signal(os.Interrupt))
	var last bytes.Buffer
	for c.said.Scan() {
		last.WriteString(c.said.Text() + "\n")
	}
	require.NoError(t, c.Wait(), "exit status 0; it said: %s", last.String())
}

// makesBlocks waits until a network says that all its nodes have a block.
func makesBlocks(t *testing.T, said *bufio.Scanner, nodes int) {
	t.Helper()
	for said.Scan() {
		line := said.Text()
		t.Log(line)
		if strings.Count(line, " block ") == nodes && !strings.Contains(line, " block 0,") {
			return
		}
	}
	require.FailNow(t, "it ended before there were blocks", "%v", said.Err())
}

// nodePIDs are those of localnet.json.
func nodePIDs(t *testing.T, dir string) (pids []int) {
	t.Helper()
	bz, err := os.ReadFile(filepath.Join(dir, localnet.ManifestName))
	require.NoError(t, err)
	var m localnet.Manifest
	require.NoError(t, json.Unmarshal(bz, &m))
	for _, node := range m.Nodes {
		pids = append(pids, node.PID)
	}
	require.Len(t, pids, 2)
	return pids
}
