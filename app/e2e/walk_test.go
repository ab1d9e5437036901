package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// walks types what the README says in its section on a local network, in the other
// terminal: it makes the key treasury and has it sign a message and a transaction.
func (n *network) walks(ctx context.Context) {
	t := n.t
	out := n.scripted(ctx, strings.Join(n.walkLines()[walkFunctions:], "\n"))
	require.Contains(t, out, "KEY_STATUS_READY")
	require.Contains(t, out, "SIGNATURE_STATUS_READY")
	require.Contains(t, out, "finished", "what an Ethereum wallet would have signed")
	require.Contains(t, out, "READY  ", "this node's shares")
	require.Contains(t, out, "0.000000001 ether", "what the transaction says")
	var tx ethtypes.Transaction
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.NoError(t, tx.UnmarshalBinary(common.FromHex(lines[len(lines)-1])), "what eth_sendRawTransaction takes")
	sender, err := ethtypes.Sender(ethtypes.LatestSignerForChainID(tx.ChainId()), &tx)
	require.NoError(t, err)
	key, err := n.requester.Query.Key(ctx, &mpctypes.QueryKeyRequest{KeyId: "treasury"})
	require.NoError(t, err)
	require.Equal(t, key.Addresses.Ethereum, sender.Hex())
	require.Equal(t, "11155111", tx.ChainId().String())
}

// walkFunctions is how many lines say what ask, query and await are.
const walkFunctions = 8

func (n *network) walkLines() []string {
	lines := n.readmeLines("In another terminal:", "## Run a node")
	require.Equal(n.t, "}", lines[walkFunctions-1][len(lines[walkFunctions-1])-1:], "where the functions end")
	return lines
}

// scripted runs lines in a shell that has the README's functions, where build has the program
// and the network. It returns what they say.
func (n *network) scripted(ctx context.Context, script string) string {
	t := n.t
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "build"), 0o700))
	require.NoError(t, os.Symlink(binary, filepath.Join(dir, "build", "sequencerd")))
	require.NoError(t, os.Symlink(n.Dir(), filepath.Join(dir, "build", "net")))
	cmd := exec.CommandContext(ctx, "bash", "-e", "-c", strings.Join(append(n.walkLines()[:walkFunctions], script), "\n"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Logf("%s\n%s", script, out)
	return string(out)
}
