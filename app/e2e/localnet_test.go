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
)

// localnetTimeLimit is many times what the test takes on two cores.
const localnetTimeLimit = 5 * time.Minute

// "sequencerd localnet" runs until Ctrl-C, then ends well and leaves no node
// behind. Meanwhile a second one leaves its network alone.
func TestLocalnetCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), localnetTimeLimit)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "net")
	args := []string{"localnet", "--validators", "2", "--output", dir}
	cmd := exec.CommandContext(ctx, binary, args...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said := bufio.NewScanner(stderr)
	makesBlocks(t, said, 2)

	second, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(second), "runs already")

	pids := nodePIDs(t, dir)
	for _, pid := range pids {
		require.NoError(t, syscall.Kill(pid, 0), "it runs")
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var last bytes.Buffer
	for said.Scan() {
		last.WriteString(said.Text() + "\n")
	}
	require.NoError(t, cmd.Wait(), "exit status 0; it said: %s", last.String())
	for _, pid := range pids {
		require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "a node is left")
	}
	for _, pid := range nodePIDs(t, dir) {
		require.Zero(t, pid)
	}
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
