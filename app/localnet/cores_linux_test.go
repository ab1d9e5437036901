package localnet

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// allowed is what the kernel says of the cores of a process or thread.
func allowed(t *testing.T, id string) string {
	t.Helper()
	status, err := os.ReadFile("/proc/" + id + "/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		if list, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
			return strings.TrimSpace(list)
		}
	}
	t.Fatal("the kernel names no cores of " + id)
	return ""
}

// A node runs on the cores that its network names, after a restart too, and this
// process on all that it had.
func TestNodesKeepToTheirCores(t *testing.T) {
	usable, err := FirstCores(maxCores)
	require.NoError(t, err)
	last := usable[len(usable)-1]
	before := allowed(t, "self")

	n := fakeNetwork(t, "exec sleep 600")
	n = newNetwork(Config{Dir: n.cfg.Dir, Binary: n.cfg.Binary, Cores: []int{last}}, n.manifest)
	require.NoError(t, n.Start())
	node := n.Node(0)
	require.Equal(t, fmt.Sprint(last), allowed(t, fmt.Sprint(node.Info().PID)))
	require.NoError(t, node.Restart())
	require.Equal(t, fmt.Sprint(last), allowed(t, fmt.Sprint(node.Info().PID)))
	require.NoError(t, n.Close())
	require.Equal(t, before, allowed(t, "self"))
	again, err := FirstCores(maxCores)
	require.NoError(t, err)
	require.Equal(t, usable, again)

	all := fakeNetwork(t, "exec sleep 600")
	require.NoError(t, all.Start())
	require.Equal(t, before, allowed(t, fmt.Sprint(all.Node(0).Info().PID)), "no cores are named")
	require.NoError(t, all.Close())
}

func TestFirstCores(t *testing.T) {
	all, err := FirstCores(maxCores)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	one, err := FirstCores(1)
	require.NoError(t, err)
	require.Equal(t, all[:1], one)

	cfg := DefaultConfig("dir", "binary")
	cfg.Cores = one
	require.NoError(t, cfg.validate())
	require.Equal(t, 1, cfg.cores())
	for _, core := range []int{-1, all[len(all)-1] + 1, maxCores, maxCores + 1} {
		cfg.Cores = []int{all[0], core}
		require.ErrorContains(t, cfg.validate(), fmt.Sprintf("core %d is none", core))
	}
}
