package localnet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"the default", func(*Config) {}, ""},
		{"no folder", func(c *Config) { c.Dir = "" }, "--output"},
		{"no binary", func(c *Config) { c.Binary = "" }, "sequencerd"},
		{"no validators", func(c *Config) { c.Validators = 0 }, "1 to 16"},
		{"too many validators", func(c *Config) { c.Validators = 17 }, "1 to 16"},
		{"more sentries than validators", func(c *Config) { c.Sentries = 5 }, "0 to 4 sentries"},
		{"unknown transport", func(c *Config) { c.Transport = "tor" }, "MPC goes over"},
		{"no time", func(c *Config) { c.BlockTime = 0 }, "time between blocks"},
		{"no chain id", func(c *Config) { c.ChainID = "" }, "chain id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultConfig("dir", "binary")
			c.change(&cfg)
			if err := cfg.validate(); c.want == "" {
				require.NoError(t, err)
				require.NotNil(t, cfg.Progress)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

func TestPeersOfANode(t *testing.T) {
	nodes := []Info{{Name: "a", NodeID: "1", P2P: "h:1"}, {Name: "b", NodeID: "2", P2P: "h:2"}, {Name: "c", NodeID: "3", P2P: "h:3"}}
	require.Equal(t, "1@h:1,3@h:3", peersOf(nodes, nodes[1]))
	require.Empty(t, peersOf(nodes[:1], nodes[0]))

	nodes = []Info{
		{Name: "a", NodeID: "1", P2P: "h:1", Behind: sentryOf(0, 2)}, {Name: "b", NodeID: "2", P2P: "h:2", Behind: sentryOf(1, 2)},
		{Name: "c", NodeID: "3", P2P: "h:3", Behind: sentryOf(2, 2)},
		{Name: "sentry0", NodeID: "4", P2P: "h:4"}, {Name: "sentry1", NodeID: "5", P2P: "h:5"}, {Name: "follower", NodeID: "6", P2P: "h:6"},
	}
	require.Equal(t, []string{"4@h:4", "5@h:5", "4@h:4"}, []string{peersOf(nodes, nodes[0]), peersOf(nodes, nodes[1]), peersOf(nodes, nodes[2])})
	require.Equal(t, "1@h:1,3@h:3,5@h:5,6@h:6", peersOf(nodes, nodes[3]))
	require.Equal(t, "4@h:4,5@h:5", peersOf(nodes, nodes[5]))
	require.Equal(t, 2, (&Manifest{Nodes: nodes}).Sentries())
	require.Empty(t, libp2pPeersOf(nodes, nodes[3]))
	nodes[0].LibP2P, nodes[0].LibP2PID = "h:7", "x"
	nodes[4].LibP2P, nodes[4].LibP2PID = "h:8", "y"
	require.Equal(t, "x@h:7,y@h:8", libp2pPeersOf(nodes, nodes[3]))
}

// fakeNetwork has one node whose program is a shell script.
func fakeNetwork(t *testing.T, script string) *Network {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(binary, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	cfg := DefaultConfig(dir, binary)
	require.NoError(t, cfg.validate())
	return newNetwork(cfg, Manifest{ChainID: "c", BlockTime: "2s", Nodes: []Info{{
		Name: "node0", Operator: "op", Home: dir, Log: filepath.Join(dir, "node0.log"), RPC: "tcp://127.0.0.1:1", PID: 99,
	}}})
}

func TestNodeLivesAndDies(t *testing.T) {
	n := fakeNetwork(t, "echo hello; exec sleep 600")
	node := n.Node(0)
	require.Zero(t, node.Info().PID, "a number in an old manifest says nothing")
	require.ErrorIs(t, node.Stop(), ErrNotRunning)
	require.ErrorIs(t, node.Kill(), ErrNotRunning)

	require.NoError(t, n.Start())
	require.True(t, node.Running())
	require.Error(t, node.Start(), "twice")
	m, err := readManifest(n.Dir())
	require.NoError(t, err)
	require.Equal(t, node.Info().PID, m.Nodes[0].PID)
	require.Positive(t, m.Nodes[0].PID)

	first := node.Info().PID
	require.NoError(t, node.Restart())
	require.NotEqual(t, first, node.Info().PID)
	require.NoError(t, node.Kill())
	require.False(t, node.Running())

	// A node that stands still is stopped all the same.
	require.NoError(t, node.Start())
	require.NoError(t, node.Pause())
	began := time.Now()
	require.NoError(t, n.Close())
	require.Less(t, time.Since(began), stopGrace)
	require.False(t, node.Running())

	again, err := Load(n.Dir(), "binary", nil)
	require.NoError(t, err)
	require.Equal(t, 1, again.Len())
	require.Equal(t, 2*time.Second, again.cfg.BlockTime)
	require.False(t, again.Node(0).Running())
}

func TestWaitingForANodeThatEnds(t *testing.T) {
	n := fakeNetwork(t, "echo cannot start >&2; exit 3")
	require.NoError(t, n.Start())
	err := n.Node(0).WaitHeight(t.Context(), 1)
	require.ErrorIs(t, err, ErrNotRunning)
	require.ErrorContains(t, err, n.Node(0).Info().Log)
	log, err := os.ReadFile(n.Node(0).Info().Log)
	require.NoError(t, err)
	require.Equal(t, "cannot start\n", string(log))
}

// Whoever closes or waits for a network hears of a node that died, but not of one
// that was ended on purpose.
func TestNodeThatDies(t *testing.T) {
	for _, c := range []struct {
		name, script string
		end          func(*testing.T, *Node)
		want         string // nothing: well
	}{
		{"by itself", "exit 3", func(t *testing.T, node *Node) { <-node.process.done }, "exit status 3"},
		{"by another's hand", "exec sleep 600", func(t *testing.T, node *Node) {
			require.NoError(t, syscall.Kill(node.Info().PID, syscall.SIGKILL))
			<-node.process.done
		}, "signal: killed"},
		{"killed", "exec sleep 600", func(t *testing.T, node *Node) { require.NoError(t, node.Kill()) }, ""},
		{"stopped", "exec sleep 600", func(t *testing.T, node *Node) { require.NoError(t, node.Stop()) }, ""},
		{"never started", "", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := fakeNetwork(t, c.script)
			if c.end != nil {
				require.NoError(t, n.Start())
				c.end(t, n.Node(0))
			}
			waited, closed := n.WaitHeight(t.Context(), 1), n.Close()
			if c.want == "" {
				require.NoError(t, waited)
				require.NoError(t, closed)
				return
			}
			require.ErrorIs(t, waited, ErrNotRunning)
			for _, err := range []error{waited, closed, n.Node(0).Stop()} {
				require.ErrorContains(t, err, c.want)
				require.ErrorContains(t, err, n.Node(0).Info().Log)
			}

			require.NoError(t, os.WriteFile(n.cfg.Binary, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700))
			require.NoError(t, n.Start())
			require.NoError(t, n.Node(0).Kill())
			require.NoError(t, n.Close(), "that was another life")
		})
	}
}

// A node that is asked to stop and fails at it is an error, once.
func TestNodeThatStopsBadly(t *testing.T) {
	n := fakeNetwork(t, "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
	ready := func() bool {
		log, err := os.ReadFile(n.Node(0).Info().Log)
		return err == nil && strings.Contains(string(log), "ready")
	}
	require.NoError(t, n.Start())
	require.Eventually(t, ready, 10*time.Second, time.Millisecond)
	err := n.Node(0).Stop()
	require.ErrorContains(t, err, "exit status 5")
	require.ErrorContains(t, err, n.Node(0).Info().Log)
	require.NoError(t, n.Close())

	require.NoError(t, os.Remove(n.Node(0).Info().Log))
	require.NoError(t, n.Start())
	require.Eventually(t, ready, 10*time.Second, time.Millisecond)
	require.ErrorContains(t, n.Close(), "exit status 5")
}

// A network that runs is left alone by whoever else would start it.
func TestNetworkThatRunsAlready(t *testing.T) {
	n := fakeNetwork(t, "exec sleep 600")
	require.NoError(t, n.Start())
	pid := n.Node(0).Info().PID
	second, err := Load(n.Dir(), "binary", nil)
	require.NoError(t, err)
	require.ErrorContains(t, second.Start(), "runs already")
	require.NoError(t, second.Close())
	require.True(t, n.Node(0).Running())
	m, err := readManifest(n.Dir())
	require.NoError(t, err)
	require.Equal(t, pid, m.Nodes[0].PID)

	require.NoError(t, n.Close())
	require.Error(t, second.Start(), "its program is not there, but nobody else is in the way")
	require.NoError(t, second.Close())
	require.NoError(t, n.Start())
	require.NoError(t, n.Close())
}

func TestProgramThatIsNotThere(t *testing.T) {
	n := fakeNetwork(t, "")
	n.Node(0).binary = filepath.Join(n.Dir(), "missing")
	require.ErrorIs(t, n.Start(), os.ErrNotExist)
	require.NoError(t, n.Close())
}

func TestLoadWithoutANetwork(t *testing.T) {
	_, err := Load(t.TempDir(), "binary", nil)
	require.True(t, errors.Is(err, os.ErrNotExist))
}
