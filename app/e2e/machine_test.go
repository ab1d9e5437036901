package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/doctor"
)

// machineTimeLimit is some four times what the test takes on two cores.
const machineTimeLimit = 5 * time.Minute

// TestAnotherMachine types what the README says on a validator that gets another machine:
// first it is moved, then its disk is lost, and there are a backup of its MPC folder and the
// files that are to be kept beside. Each time it signs blocks and takes part as before: with the
// key that it had, and then with a new one.
func TestAnotherMachine(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), machineTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = time.Second // who misses half of a hundred blocks is jailed
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := startNetwork(t, ctx, cfg)
	m := &machine{network: n, node: n.Node(3), dir: t.TempDir()}
	m.settles()
	m.types(ctx, m.readmeLines("Keep the folder `config` once", "If the disk is lost"))
	secret := m.backsUp(ctx)

	m.types(ctx, m.readmeLines("### Move a node", "### Deleting for good"))
	m.signsBlocks(ctx)

	m.losesDisk(ctx, secret)
	require.NoError(t, m.node.Stop())
	m.types(ctx, m.readmeLines("Where the chain refuses that", "### Move a node"), "HEIGHT", fmt.Sprint(m.height(ctx)+5))
	require.NoError(t, m.node.Start())
	require.NoError(t, m.node.WaitReady(ctx))
	m.signsBlocks(ctx)

	m.types(ctx, m.losesDisk(ctx, secret))
	m.signsBlocks(ctx)
	m.agree(ctx)
}

// machine is where a validator of the network is, in the home of a person.
type machine struct {
	*network
	node *localnet.Node
	dir  string
}

func (m *machine) home() string { return filepath.Join(m.dir, ".sequencerd") }

// settles puts the node's home where the README has it.
func (m *machine) settles() {
	t := m.t
	require.NoError(t, m.node.Stop())
	require.NoError(t, os.Rename(m.node.Info().Home, m.home()))
	require.NoError(t, os.Symlink(m.home(), m.node.Info().Home))
	require.NoError(t, m.node.Start())
}

// backsUp makes a backup of the running node where the README has it, and returns what opens
// it.
func (m *machine) backsUp(ctx context.Context) (secret string) {
	t := m.t
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	secret = filepath.Join(m.dir, "age.txt")
	require.NoError(t, os.WriteFile(secret, []byte(id.String()+"\n"), 0o600))
	require.NoError(t, m.node.WaitReady(ctx))
	m.operate(ctx, m.node, "mpc", "backup", "create", m.backup(), "--recipient", id.Recipient().String())
	return secret
}

func (m *machine) backup() string { return filepath.Join(m.dir, "backup") }

// types does what lines of the README say, with other names where the test has them.
func (m *machine) types(ctx context.Context, lines []string, names ...string) {
	t := m.t
	person := &newcomer{network: m.network, node: m.node, dir: m.dir}
	names = append(names, "--from alice", "--from validator", "init alice --chain-id seq-1", "init node3 --chain-id "+m.Manifest().ChainID,
		"/mnt/backup/node0", m.backup())
	for _, line := range lines {
		t.Log("$ " + line)
		command, _, _ := strings.Cut(strings.NewReplacer(names...).Replace(line), " #")
		command = strings.TrimSpace(command)
		switch {
		case strings.HasPrefix(command, "systemctl disable --now sequencerd"):
			require.NoError(t, m.node.Stop())
		case command == "sequencerd start":
			require.NoError(t, m.node.Start())
			require.NoError(t, m.node.WaitReady(ctx))
		case strings.HasPrefix(command, "sequencerd keys add alice --recover"):
			command = "cp -r ~/.sequencerd.moved/keyring-test ~/.sequencerd/"
			fallthrough
		default:
			if strings.HasPrefix(command, "sequencerd tx ") {
				person.sent(ctx, m.home(), command)
				continue
			}
			out, err := person.run(ctx, command)
			require.NoError(t, err, out)
		}
	}
}

// losesDisk ends the node, and makes it anew up to its start: it takes part in MPC, and signs no
// blocks. It returns what is to be typed then.
func (m *machine) losesDisk(ctx context.Context, secret string) (rest []string) {
	t := m.t
	t.Helper()
	require.NoError(t, m.node.Kill())
	require.NoError(t, os.RemoveAll(m.home()))
	lines := m.readmeLines("If the disk is lost", "Where the chain refuses that")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "sequencerd tx slashing ") })
	require.Positive(t, i)
	m.types(ctx, lines[:i], "key.txt", secret)
	m.eventually(ctx, "the doctor warns of the other key, once nobody signed for some blocks", func() bool { return m.finds(ctx).Level == doctor.Warning })
	require.Contains(t, m.finds(ctx).Detail, "has another one")
	return lines[i+1:] // it is not jailed yet
}

// finds is what the doctor says of the key that blocks are signed with; nothing while the node
// catches up.
func (m *machine) finds(ctx context.Context) doctor.Finding {
	r, err := m.doctor(ctx, m.node)
	require.NoError(m.t, err)
	i := slices.IndexFunc(r.Findings, func(f doctor.Finding) bool { return f.Check == "consensus key" })
	if i < 0 {
		return doctor.Finding{}
	}
	return r.Findings[i]
}

// signsBlocks: the node's key is the validator's, and signs blocks that come.
func (m *machine) signsBlocks(ctx context.Context) {
	m.t.Helper()
	m.eventually(ctx, "the node has the key of its validator", func() bool { return m.finds(ctx).Level == doctor.OK })
	address, _, _ := strings.Cut(m.finds(ctx).Detail, ",")
	from := m.height(ctx)
	rpc, err := m.Node(0).RPC()
	require.NoError(m.t, err)
	m.eventually(ctx, "a block is signed by "+address, func() bool {
		height := m.height(ctx)
		if height <= from {
			return false
		}
		commit, err := rpc.Commit(ctx, &height)
		require.NoError(m.t, err)
		for _, s := range commit.Commit.Signatures {
			if s.ValidatorAddress.String() == address && len(s.Signature) > 0 {
				return true
			}
		}
		return false
	})
}
