package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// newcomer is somebody who joins the chain by what the README says, in a home directory
// and a working directory of its own.
type newcomer struct {
	*network
	node *localnet.Node
	// dir is both directories.
	dir string
	// rest are the commands that were not typed yet.
	rest []string
	// account and operator are its addresses, once it has them.
	account, operator string
}

// joinCommands are the README's commands of one who joins a chain.
func (n *network) joinCommands() []string {
	all := wholeCommands(n.readmeLines("## Run a node", "**To begin a chain**"))
	return slices.DeleteFunc(all, func(line string) bool { // the test's own binary is installed already
		return strings.HasPrefix(line, "make install") || strings.HasPrefix(strings.TrimSpace(line), "#")
	})
}

// wholeCommands puts the lines of a here-document together.
func wholeCommands(lines []string) (whole []string) {
	const begin, end = "<<EOF", "EOF"
	open := false
	for _, line := range lines {
		if open {
			whole[len(whole)-1] += "\n" + line
			open = line != end
			continue
		}
		whole = append(whole, line)
		open = strings.HasSuffix(line, begin)
	}
	return whole
}

// follow adds a fifth node by the README's commands up to its start. It follows the
// chain, takes no part, and all agree on the state.
func (n *network) follow(ctx context.Context, key mpctypes.Key) *newcomer {
	t := n.t
	node, err := n.AddGuest("alice")
	require.NoError(t, err)
	c := &newcomer{network: n, node: node, dir: filepath.Dir(node.Info().Home), rest: n.joinCommands()}
	require.NoError(t, os.Mkdir(c.dir, 0o700))
	c.typesUntil(ctx, "sequencerd init ")
	c.moves()
	genesis, err := os.ReadFile(filepath.Join(n.Node(0).Info().Home, "config", "genesis.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(c.dir, "genesis.json"), genesis, 0o600))
	c.typesUntil(ctx, "sequencerd start")

	height := n.height(ctx)
	require.NoError(t, n.WaitHeight(ctx, height))
	status := n.statusOf(ctx, node)
	require.Empty(t, status.Operator)
	require.Positive(t, status.Peers, "it has the channel")

	late := digests("late", 1)
	n.askSignatures(ctx, key.Id, late)
	n.awaitSignatures(ctx, key, late)
	n.agree(ctx)
	return c
}

// joins has the newcomer become a validator and register, by the rest of the README's
// commands. Then it is named for a key, and must sign.
func (c *newcomer) joins(ctx context.Context) {
	t := c.t
	c.typesUntil(ctx, "sequencerd mpc status")
	require.Empty(t, c.rest, "the README says more")
	require.NoError(t, c.node.WaitReady(ctx))
	require.Equal(t, c.operator, c.statusOf(ctx, c.node).Operator)

	members := append(c.operators(0, 1), c.operator)
	key := c.makeKey(ctx, "joined", 2, members...)
	require.ElementsMatch(t, members, key.Participants)
	all := digests("joined", 2)
	c.askSignatures(ctx, key.Id, all)
	c.awaitSignatures(ctx, key, all)
	c.agree(ctx)
}

// typesUntil types commands up to one that begins with a text.
func (c *newcomer) typesUntil(ctx context.Context, last string) {
	c.t.Helper()
	for len(c.rest) > 0 {
		line := c.rest[0]
		c.rest = c.rest[1:]
		c.does(ctx, line)
		if strings.HasPrefix(line, last) {
			return
		}
	}
	require.FailNow(c.t, "the README has no "+last)
}

// does is what a person does who reads a line of the README and the comment behind it.
func (c *newcomer) does(ctx context.Context, line string) {
	t := c.t
	t.Log("alice$ " + line)
	command, comment, _ := strings.Cut(line, "#")
	command = strings.TrimSpace(command)
	switch {
	case command == "sequencerd start":
		require.NoError(t, c.node.Start())
		return
	case strings.HasPrefix(command, "sequencerd tx bank send "): // another one, who has coins
		home := c.Node(0).Info().Home
		c.sent(ctx, home, strings.NewReplacer("THEIRS", "validator", "ADDRESS", c.account).Replace(command)+" --home "+home)
		return
	case strings.HasPrefix(command, "sequencerd tx "), strings.HasPrefix(command, "sequencerd mpc register "):
		c.sent(ctx, c.node.Info().Home, command)
		return
	}
	command = strings.ReplaceAll(command, "ID@HOST:26656,...", c.peers())
	if wanted := regexp.MustCompile(`^ again, until it (?:says|shows) (.*)$`).FindStringSubmatch(comment); wanted != nil {
		word := strings.NewReplacer("the operator, and whom it reaches", c.operator).Replace(wanted[1])
		c.eventually(ctx, line, func() bool {
			out, err := c.run(ctx, command)
			return err == nil && strings.Contains(out, word)
		})
		return
	}
	out, err := c.run(ctx, command)
	require.NoError(t, err, out)
	if strings.HasPrefix(command, "sequencerd keys show ") {
		c.account = strings.TrimSpace(out)
		out, err = c.run(ctx, "sequencerd keys show alice --bech val -a")
		require.NoError(t, err, out)
		c.operator = strings.TrimSpace(out)
	}
}

// sent types a command that sends a transaction, says yes, and waits until a block has it.
func (c *newcomer) sent(ctx context.Context, home, command string) {
	c.t.Helper()
	out, err := c.run(ctx, command)
	require.NoError(c.t, err, out)
	require.Contains(c.t, out, "code: 0", out)
	hash := regexp.MustCompile(`(?m)^txhash: ([0-9A-F]{64})$`).FindStringSubmatch(out)
	require.NotNil(c.t, hash, out)
	c.eventually(ctx, command, func() bool {
		out, err := c.run(ctx, fmt.Sprintf("sequencerd query tx %s --home %s", hash[1], home))
		if err != nil {
			return false // it is in no block yet
		}
		require.Regexp(c.t, `(?m)^code: 0$`, out)
		return true
	})
}

// run runs a command where the newcomer is, who answers every question with yes. It
// returns all that the person sees.
func (c *newcomer) run(ctx context.Context, command string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.Stdin = c.dir, strings.NewReader("y\n")
	cmd.Env = append(os.Environ(), "HOME="+c.dir, fmt.Sprintf("PATH=%s:%s", filepath.Dir(binary), os.Getenv("PATH")))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// peers are those of the chain that the newcomer connects to first.
func (c *newcomer) peers() string {
	var peers []string
	for i := range 2 {
		info := c.Node(i).Info()
		peers = append(peers, info.NodeID+"@"+info.P2P)
	}
	return strings.Join(peers, ",")
}

// moves lets the newcomer's node listen where the machine has room for it beside the
// others, and takes a keyring that asks for no password: what a test needs, and no
// operator.
func (c *newcomer) moves() {
	info := c.node.Info()
	for file, changes := range map[string][]string{
		"config.toml": {
			`laddr = "tcp://0.0.0.0:26656"`, fmt.Sprintf(`laddr = "tcp://%s"`, info.P2P),
			`laddr = "tcp://127.0.0.1:26657"`, fmt.Sprintf(`laddr = %q`, info.RPC),
			`pprof_laddr = "localhost:6060"`, `pprof_laddr = ""`,
			`addr_book_strict = true`, `addr_book_strict = false`,
			`allow_duplicate_ip = false`, `allow_duplicate_ip = true`,
		},
		"app.toml":    {`address = "localhost:9090"`, fmt.Sprintf(`address = %q`, info.GRPC)},
		"client.toml": {`node = "tcp://localhost:26657"`, fmt.Sprintf(`node = %q`, info.RPC), `keyring-backend = "os"`, `keyring-backend = "test"`},
	} {
		replaceInFile(c.t, filepath.Join(info.Home, "config", file), changes...)
	}
}

// replaceInFile replaces texts, each of which must be there, by the one after it.
func replaceInFile(t *testing.T, path string, changes ...string) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	text := string(b)
	for pair := range slices.Chunk(changes, 2) {
		require.Contains(t, text, pair[0], path)
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}
