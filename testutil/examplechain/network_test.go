package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	"github.com/stretchr/testify/require"
)

const (
	chainID = "example-1"
	// stopGrace is how long a node may take to stop before it is killed.
	stopGrace = 20 * time.Second
)

// build compiles the program, which its operators are told to call by its own name.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "exampled")
	out, err := exec.Command("go", "build", "-ldflags", "-X github.com/sequencer-mpc/sequencer/mpc/types.Program=exampled", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// network is some validators on this machine.
type network struct {
	t      *testing.T
	binary string
	nodes  []*node
	// given are the addresses that freePort found: nobody listens on them yet.
	given map[string]bool
}

type node struct {
	home, p2p, rpc, grpc string
	// id is that of its node key.
	id     string
	client *rpchttp.HTTP
	ended  chan struct{}
}

// run runs a command of the program on the home of a node, as its operator would.
func (n *network) run(node *node, args ...string) string {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), n.binary, append(args, "--home", node.home)...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	require.NoError(n.t, err, "%v: %s", args, problems.String())
	return strings.TrimSpace(string(out))
}

// newNetwork writes the files of validators with MPC identities, as the README says for a
// chain that begins.
func newNetwork(t *testing.T, validators int) *network {
	t.Helper()
	n := &network{t: t, binary: build(t), given: make(map[string]bool)}
	keyring := []string{"--keyring-backend", "test"}
	var genesis string
	for i := range validators {
		node := &node{home: filepath.Join(t.TempDir(), fmt.Sprintf("node%d", i)), p2p: n.freePort(), rpc: n.freePort(), grpc: n.freePort()}
		n.nodes = append(n.nodes, node)
		require.NoError(t, os.MkdirAll(filepath.Join(node.home, "config"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(node.home, "config", "mpc.pass"), fmt.Appendf(nil, "horse-%d", i), 0o600))
		n.run(node, "init", filepath.Base(node.home), "--chain-id", chainID, "--mpc-passphrase", "file:config/mpc.pass")
		n.run(node, append([]string{"keys", "add", "validator"}, keyring...)...)
		node.id = n.run(node, "comet", "show-node-id")
		if i > 0 {
			n.copy(genesis, node.genesis())
		}
		n.run(node, append([]string{"genesis", "add-genesis-account", "validator", "2000000uex"}, keyring...)...)
		operator := n.run(node, append([]string{"keys", "show", "validator", "--bech", "val", "-a"}, keyring...)...)
		require.True(t, strings.HasPrefix(operator, "examplevaloper1"), operator)
		n.run(node, "mpc", "add-genesis-participant", operator)
		genesis = node.genesis()
	}
	first := n.nodes[0]
	gentxs := filepath.Join(first.home, "config", "gentx")
	require.NoError(t, os.MkdirAll(gentxs, 0o700))
	for i, node := range n.nodes {
		if node.genesis() != genesis {
			n.copy(genesis, node.genesis())
		}
		n.run(node, append([]string{"genesis", "gentx", "validator", "1000000uex", "--chain-id", chainID,
			"--output-document", filepath.Join(gentxs, fmt.Sprintf("%d.json", i))}, keyring...)...)
	}
	n.run(first, "genesis", "collect-gentxs")
	for _, node := range n.nodes[1:] {
		n.copy(first.genesis(), node.genesis())
	}
	return n
}

func (n *node) genesis() string { return filepath.Join(n.home, "config", "genesis.json") }

func (n *network) copy(from, to string) {
	n.t.Helper()
	text, err := os.ReadFile(from)
	require.NoError(n.t, err)
	require.NoError(n.t, os.WriteFile(to, text, 0o600))
}

// start starts the processes, which end with the test.
func (n *network) start() {
	n.t.Helper()
	for _, node := range n.nodes {
		var peers []string
		for _, peer := range n.nodes {
			if peer != node {
				peers = append(peers, peer.id+"@"+peer.p2p)
			}
		}
		log, err := os.Create(node.home + ".log")
		require.NoError(n.t, err)
		cmd := exec.Command(n.binary, "start", "--home", node.home, "--log_no_color", "--grpc.address", node.grpc,
			"--rpc.laddr", "tcp://"+node.rpc, "--rpc.pprof_laddr", "", "--p2p.laddr", "tcp://"+node.p2p, "--p2p.persistent_peers", strings.Join(peers, ","))
		cmd.Stdout, cmd.Stderr = log, log
		cmd.Env = append(os.Environ(), "EXAMPLED_P2P_ADDR_BOOK_STRICT=false", "EXAMPLED_P2P_ALLOW_DUPLICATE_IP=true",
			"EXAMPLED_CONSENSUS_TIMEOUT_COMMIT=500ms", "EXAMPLED_MPC_PARALLEL=1")
		require.NoError(n.t, cmd.Start())
		node.ended = make(chan struct{})
		go func() {
			defer close(node.ended)
			defer log.Close()
			if err := cmd.Wait(); err != nil {
				fmt.Fprintln(log, "ended:", err)
			}
		}()
		n.t.Cleanup(func() { n.stop(cmd.Process, node) })
		node.client, err = rpchttp.New("http://"+node.rpc, "/websocket")
		require.NoError(n.t, err)
	}
}

// stop ends a process, and shows the end of its log if the test has failed.
func (n *network) stop(process *os.Process, node *node) {
	_ = process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-node.ended:
	case <-time.After(stopGrace):
		n.t.Errorf("%s did not stop within %s", node.home, stopGrace)
		_ = process.Kill()
		<-node.ended
	}
	if text, err := os.ReadFile(node.home + ".log"); n.t.Failed() && err == nil {
		n.t.Logf("%s:\n%s", node.home, text[max(0, len(text)-4000):])
	}
}

// await asks a node until it says yes.
func (n *network) await(ctx context.Context, node *node, what string, yes func() bool) {
	n.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-node.ended:
			n.t.Fatalf("%s ended before %s", node.home, what)
		case <-ctx.Done():
			n.t.Fatalf("no %s of %s: %v", what, node.home, ctx.Err())
		case <-tick.C:
		}
	}
}

// freePort finds an address on loopback that nobody listens on, another one each time, below
// those ports that systems give to outgoing connections.
func (n *network) freePort() string {
	n.t.Helper()
	for {
		address := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(22000))
		if n.given[address] {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			require.NoError(n.t, l.Close())
			n.given[address] = true
			return address
		}
	}
}
