package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
)

const (
	// beginTimeLimit is many times what the test takes on two cores.
	beginTimeLimit = 10 * time.Minute
	// founders begin the chain.
	founders = 2
)

// TestBeginAChain begins a chain of two by what the README says, from the first command to
// blocks, and has them change a parameter: they must have the coins for it.
func TestBeginAChain(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), beginTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Validators = 1 // which never starts: a network is where there is room for nodes
	n := writeNetwork(t, ctx, cfg, binary)
	b := &beginning{network: n, rest: n.readmeLines("**To begin a chain**", "A new `app.toml`")}
	for range founders {
		b.founders = append(b.founders, n.founds(ctx))
	}
	b.goesRound(ctx)
	b.bond(ctx)
	b.start(ctx)
	b.propose(ctx)
}

// beginning is a chain that is being begun.
type beginning struct {
	*network
	founders []*newcomer
	// rest are the commands that were not typed yet.
	rest []string
}

// founds makes home and account of a founder by the README's first block.
func (n *network) founds(ctx context.Context) *newcomer {
	node, err := n.AddGuest("founder" + string(rune('0'+n.Len())))
	require.NoError(n.t, err)
	c := &newcomer{network: n, node: node, dir: filepath.Dir(node.Info().Home), rest: n.joinCommands()}
	require.NoError(n.t, os.Mkdir(c.dir, 0o700))
	c.typesUntil(ctx, "sequencerd init ")
	c.moves()
	c.typesUntil(ctx, "sequencerd keys add ")
	c.account = c.says(ctx, "sequencerd keys show alice -a")
	c.operator = c.says(ctx, "sequencerd keys show alice --bech val -a")
	return c
}

// says runs a command that must go well, and returns its line.
func (c *newcomer) says(ctx context.Context, command string) string {
	c.t.Helper()
	out, err := c.run(ctx, command)
	require.NoError(c.t, err, out)
	return strings.TrimSpace(out)
}

// next takes the next command, which must begin so.
func (b *beginning) next(begins string) string {
	b.t.Helper()
	require.NotEmpty(b.t, b.rest, "the README has no "+begins)
	line := strings.TrimSpace(b.rest[0])
	b.rest = b.rest[1:]
	require.True(b.t, strings.HasPrefix(line, begins), line)
	return line
}

// passes gives a founder's genesis file to another.
func (b *beginning) passes(from, to *newcomer) {
	const name = "config/genesis.json"
	text, err := os.ReadFile(filepath.Join(from.node.Info().Home, name))
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(to.node.Info().Home, name), text, 0o600))
}

// goesRound: each adds itself to one genesis, the last one says who may ask.
func (b *beginning) goesRound(ctx context.Context) {
	account, participant := b.next("sequencerd genesis add-genesis-account "), b.next("sequencerd mpc add-genesis-participant ")
	filter, move := b.next("jq "), b.next("mv ")
	for i, c := range b.founders {
		if i > 0 {
			b.passes(b.founders[i-1], c)
		}
		c.says(ctx, account)
		c.says(ctx, participant)
	}
	last := b.founders[founders-1]
	if _, err := exec.LookPath("jq"); err != nil {
		b.t.Log("there is no jq: its filter is applied by the test")
		replaceInFile(b.t, filepath.Join(last.node.Info().Home, "config", "genesis.json"), `"requesters": []`, `"requesters": ["`+last.account+`"]`)
		return
	}
	last.says(ctx, strings.Replace(filter, "seq1...", last.account, 1))
	last.says(ctx, move)
}

// bond: each makes its transaction, the first one collects them for all.
func (b *beginning) bond(ctx context.Context) {
	gentx, collect := b.next("sequencerd genesis gentx "), b.next("sequencerd genesis collect-gentxs")
	last, first := b.founders[founders-1], b.founders[0]
	for _, c := range b.founders {
		if c != last {
			b.passes(last, c)
		}
		c.says(ctx, gentx)
		made, err := filepath.Glob(filepath.Join(c.node.Info().Home, "config", "gentx", "*.json"))
		require.NoError(b.t, err)
		require.Len(b.t, made, 1)
		if c != first {
			text, err := os.ReadFile(made[0])
			require.NoError(b.t, err)
			require.NoError(b.t, os.WriteFile(filepath.Join(first.node.Info().Home, "config", "gentx", filepath.Base(made[0])), text, 0o600))
		}
	}
	first.says(ctx, collect)
	for _, c := range b.founders[1:] {
		b.passes(first, c)
	}
}

// start connects all, and waits for blocks and for everybody to take part in MPC.
func (b *beginning) start(ctx context.Context) {
	validate, start := b.next("sequencerd genesis validate"), b.next("sequencerd start")
	require.Empty(b.t, b.rest, "the README says more")
	require.Equal(b.t, "sequencerd start", start)
	var peers []string
	for _, c := range b.founders {
		peers = append(peers, c.says(ctx, "sequencerd comet show-node-id")+"@"+c.node.Info().P2P)
	}
	for i, c := range b.founders {
		c.says(ctx, `sed -i.old 's/^persistent_peers = .*/persistent_peers = "`+peers[1-i]+`"/' ~/.sequencerd/config/config.toml`)
		c.says(ctx, validate)
		require.NoError(b.t, c.node.Start())
	}
	for _, c := range b.founders {
		require.NoError(b.t, c.node.WaitHeight(ctx, 2))
		require.NoError(b.t, c.node.WaitReady(ctx))
		require.Equal(b.t, c.operator, b.statusOf(ctx, c.node).Operator)
	}
}

// propose types what the README says on changing a parameter, and both vote.
func (b *beginning) propose(ctx context.Context) {
	first := b.founders[0]
	says := func(command string) string { return first.says(ctx, command) }
	for _, line := range b.readmeLines("### The life of a key", "### Backups") {
		command, _, _ := strings.Cut(line, " #")
		command = strings.TrimSpace(command)
		switch {
		case strings.HasPrefix(command, "sequencerd query mpc params "):
			if !b.filters(first.dir, command, says) {
				says(command)
			}
		case strings.HasPrefix(command, "sequencerd tx mpc update-params-proposal "):
			first.sent(ctx, first.node.Info().Home, command)
		case strings.HasPrefix(command, "sequencerd tx gov vote "):
			for _, c := range b.founders {
				c.sent(ctx, c.node.Info().Home, command)
			}
		}
	}
	require.Contains(b.t, says("sequencerd query gov proposals"), "PROPOSAL_STATUS_VOTING_PERIOD")
	require.Contains(b.t, says("sequencerd query gov tally 1"), `yes_count: "2000000"`)
}
