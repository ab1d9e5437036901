package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// operate runs a command on the home of a node, as its operator would.
func (n *network) operate(ctx context.Context, node *localnet.Node, args ...string) string {
	n.t.Helper()
	out, err := exec.CommandContext(ctx, binary, append(args, "--home", node.Info().Home)...).CombinedOutput()
	require.NoError(n.t, err, "%v: %s", args, out)
	return string(out)
}

// loses takes a node's database away. The node follows the chain without, says so,
// and signs again with what a backup has that it made while it ran.
func (n *network) loses(ctx context.Context, key mpctypes.Key, victim int) {
	t, node, dir := n.t, n.Node(victim), n.t.TempDir()
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	secret, state, folder := filepath.Join(dir, "age.txt"), filepath.Join(dir, "key.json"), filepath.Join(dir, "backups")
	require.NoError(t, os.WriteFile(secret, []byte(id.String()+"\n"), 0o600))

	require.Contains(t, n.operate(ctx, node, "mpc", "backup", "create", folder, "--recipient", id.Recipient().String()), "the running node")
	answer, err := exec.CommandContext(ctx, binary, "query", "mpc", "key", key.Id, "-o", "json", "--node", n.Node(0).Info().RPC).Output()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(state, answer, 0o600))
	verify := []string{"mpc", "backup", "verify", folder, "--age-identity", secret}
	for _, source := range [][]string{{"--key-state", state}, {"--node", n.Node(0).Info().RPC}} {
		out := n.operate(ctx, node, append(verify, source...)...)
		require.Contains(t, out, "fits the chain")
		require.Contains(t, out, node.Info().Operator)
	}

	n.losesDatabase(ctx, key, node)
	n.serves(ctx, 0, "sequencer_mpc_database_missing") // another node
	lost := digests("lost", 1)
	n.askSignatures(ctx, key.Id, lost)
	n.awaitSignatures(ctx, key, lost)

	require.NoError(t, node.Stop())
	n.operate(ctx, node, "mpc", "backup", "restore", folder, "--age-identity", secret, "--key-state", state)
	require.NoError(t, node.Start())
	require.NoError(t, node.WaitReady(ctx))

	// With another one stopped, it must sign.
	require.NoError(t, n.Node(2).Stop())
	restored := digests("restored", 1)
	n.askSignatures(ctx, key.Id, restored)
	n.awaitSignatures(ctx, key, restored)
	require.NoError(t, n.Node(2).Start())
	require.NoError(t, n.Node(2).WaitReady(ctx))
	audited := n.operate(ctx, node, "mpc", "audit", "verify")
	for _, want := range []string{"all as they were written", ": backup: file 000001 (full)", ": restore: backup of "} {
		require.Contains(t, audited, want)
	}
}

// losesDatabase takes a node's database away. The node starts, says so, and follows the
// chain.
func (n *network) losesDatabase(ctx context.Context, key mpctypes.Key, node *localnet.Node) {
	t := n.t
	require.NoError(t, node.Kill())
	require.NoError(t, os.RemoveAll(filepath.Join(node.Info().Home, "mpc", "db")))
	require.NoError(t, node.Start())
	require.NoError(t, node.WaitHeight(ctx, n.height(ctx)+1))
	n.eventually(ctx, "the node says what it lost", func() bool {
		s, err := node.MPC().Status(ctx)
		return err == nil && s.Problem == string(types.ErrDatabaseLost) && len(s.MissingShares) == 1
	})
	require.Equal(t, []mpcnode.MissingShare{{KeyID: key.Id, What: mpcnode.ShareMissing}}, n.keysOf(ctx, node).Missing)
	require.Contains(t, n.operate(ctx, node, "mpc", "status"), string(types.ErrDatabaseLost))
}
