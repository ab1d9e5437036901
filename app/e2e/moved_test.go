package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// movedTimeLimit is some four times what the test takes on two cores.
const movedTimeLimit = 16 * time.Minute

// TestPutBackAndMoved does what the README tells operators to do when a chain is put back
// or gets a new id, command by command, with shares that stay where they are. One node is
// rolled back, block by block, to before a reshare switched; then all stop at one height and
// go on under another chain id; then the chain is put back behind a key, a signature and a
// reshare, which is done by export too. The first key signs all along, and is reshared again. What the chain does not know any more is kept and
// listed; the request that was taken back is signed when it is asked for again, and never
// with another digest; and a backup from before the new id is restored where that is said.
func TestPutBackAndMoved(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), movedTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = shortBlocks
	cfg.Params = func(p *mpctypes.Params) {
		p.RetireBlocks, p.SignAttemptBlocks, p.SignLifetimeBlocks = keptBlocks, 20, 60
		p.KeygenAttemptBlocks, p.ReshareAttemptBlocks = 120, 120
	}
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := startNetwork(t, ctx, cfg)
	made := n.makeKey(ctx, "key", 2)
	n.signs(ctx, made, "before")
	made = n.refresh(ctx, made, "refresh")
	secret, folder := n.backsUp(ctx, 3)

	n.rollsBackOne(ctx, 1, n.switched(ctx, "refresh"))
	n.onlyHolds(ctx, made, 1)
	n.signsWithout(ctx, made, "after-rollback", 2)

	height := n.haltsTogether(ctx)
	n = n.moves(ctx, "seq-local-2", 0)
	require.Greater(t, n.height(ctx), height-1)
	n.onlyHolds(ctx, made, 0, 1, 2, 3)
	n.signs(ctx, made, "moved")
	n.restoresFromBefore(ctx, 3, folder, secret)
	n.signsWithout(ctx, made, "restored", 2)

	back := n.height(ctx)
	require.NoError(t, n.WaitHeight(ctx, back+1))
	n.signs(ctx, made, "taken-back")
	n.signs(ctx, made, "bound")
	second := n.makeKey(ctx, "second", 2)
	undone := n.refresh(ctx, made, "undone")
	for i := range n.Len() {
		require.NoError(t, n.Node(i).Stop())
	}
	n = n.moves(ctx, "seq-local-3", back)
	n.onlyHolds(ctx, made, 0, 1, 2, 3)
	n.listsUnknown(ctx, "second")
	n.withholds(ctx, made.Id, mpc.WithheldUnasked)
	n.signs(ctx, made, "taken-back")
	n.asksAnother(ctx, made, second)
	again := n.refresh(ctx, made, "again")
	require.NotEqual(t, undone.PublicShares, again.PublicShares)
	n.onlyHolds(ctx, again, 0, 1, 2, 3)
	n.agree(ctx)
}

// backsUp makes a backup of a running node.
func (n *network) backsUp(ctx context.Context, i int) (secret, folder string) {
	t, dir := n.t, n.t.TempDir()
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	secret, folder = filepath.Join(dir, "key.txt"), filepath.Join(dir, "backups")
	require.NoError(t, os.WriteFile(secret, []byte(id.String()+"\n"), 0o600))
	n.operate(ctx, n.Node(i), "mpc", "backup", "create", folder, "--recipient", id.Recipient().String())
	out := n.operate(ctx, n.Node(i), "mpc", "backup", "verify", folder, "--age-identity", secret, "--node", n.Node(0).Info().RPC)
	require.Contains(t, out, "fits the chain")
	require.Contains(t, out, "the one that is registered is in it")
	return secret, folder
}

// switched is the block in which a reshare did.
func (n *network) switched(ctx context.Context, reshare string) int64 {
	resp, err := n.requester.Query.Reshare(ctx, &mpctypes.QueryReshareRequest{ReshareId: reshare})
	require.NoError(n.t, err)
	require.Equal(n.t, mpctypes.RESHARE_STATUS_READY, resp.Reshare.Status)
	return resp.Reshare.DecidedHeight
}

// rollsBackOne takes blocks back on one node, one after the other until it is before a
// height. It follows the chain again.
func (n *network) rollsBackOne(ctx context.Context, i int, before int64) {
	t, node := n.t, n.Node(i)
	require.NoError(t, node.Stop())
	for back := before; back >= before; {
		out := n.operate(ctx, node, "rollback", "--hard")
		_, said, found := strings.Cut(out, "Rolled back state to height ")
		require.True(t, found, out)
		_, err := fmt.Sscan(said, &back)
		require.NoError(t, err)
	}
	require.NoError(t, node.Start())
	require.NoError(t, node.WaitHeight(ctx, n.height(ctx)+2))
	require.NoError(t, node.WaitReady(ctx))
}

// onlyHolds: nodes have their share of a key, and nothing else is said of them.
func (n *network) onlyHolds(ctx context.Context, key mpctypes.Key, nodes ...int) {
	n.holds(ctx, key, nodes...)
	for _, i := range nodes {
		s := n.statusOf(ctx, n.Node(i))
		require.Empty(n.t, s.MissingShares)
		require.Empty(n.t, s.Warnings)
		require.Empty(n.t, s.Problem)
		require.Empty(n.t, s.AuditProblem)
	}
}

// signsWithout signs while a node is away: all others must.
func (n *network) signsWithout(ctx context.Context, key mpctypes.Key, id string, away int) {
	require.NoError(n.t, n.Node(away).Stop())
	n.signs(ctx, key, id)
	require.NoError(n.t, n.Node(away).Start())
	require.NoError(n.t, n.Node(away).WaitReady(ctx))
}

// haltsTogether stops all nodes at one height, with halt-height in app.toml, and sets it
// back to 0.
func (n *network) haltsTogether(ctx context.Context) int64 {
	t := n.t
	height := n.height(ctx) + 40
	for i := range n.Len() {
		require.NoError(t, n.Node(i).Stop())
		n.configure(i, "app.toml", "halt-height", fmt.Sprint(height))
		require.NoError(t, n.Node(i).Start())
		require.NoError(t, n.Node(i).WaitReady(ctx))
	}
	n.eventually(ctx, "all nodes halt", func() bool {
		for i := range n.Len() {
			if s, err := n.Node(i).Status(ctx); n.Node(i).Running() && (err != nil || s.Height < height-1) {
				return false
			}
		}
		return true
	})
	for i := range n.Len() {
		if n.Node(i).Running() {
			require.NoError(t, n.Node(i).Stop())
		}
		n.configure(i, "app.toml", "halt-height", "0")
	}
	return height
}

// configure sets a value in a file of a node's configuration.
func (n *network) configure(i int, file, name, value string) {
	path := filepath.Join(n.Node(i).Info().Home, "config", file)
	b, err := os.ReadFile(path)
	require.NoError(n.t, err)
	line := regexp.MustCompile(`(?m)^` + name + ` = .*$`)
	require.Len(n.t, line.FindAll(b, -1), 1)
	require.NoError(n.t, os.WriteFile(path, line.ReplaceAll(b, []byte(name+" = "+value)), 0o600))
}

// moves exports the chain, at a height or where it stopped, and begins it again under
// another id: the network that runs then.
func (n *network) moves(ctx context.Context, chainID string, height int64) *network {
	t := n.t
	args := []string{"export", "--home", n.Node(0).Info().Home}
	if height > 0 {
		args = append(args, "--height", fmt.Sprint(height))
	}
	exported, err := exec.CommandContext(ctx, binary, args...).Output()
	require.NoError(t, err)
	var genesis map[string]any
	require.NoError(t, json.Unmarshal(exported, &genesis))
	genesis["chain_id"] = chainID
	genesisFile, err := json.Marshal(genesis)
	require.NoError(t, err)
	for i := range n.Len() {
		home := n.Node(i).Info().Home
		require.NoError(t, os.WriteFile(filepath.Join(home, "config", "genesis.json"), genesisFile, 0o600))
		n.configure(i, "client.toml", "chain-id", fmt.Sprintf("%q", chainID))
		n.operate(ctx, n.Node(i), "comet", "unsafe-reset-all")
	}

	require.NoError(t, n.Close())
	manifest := n.Manifest()
	manifest.ChainID = chainID
	b, err := json.Marshal(manifest)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(n.Dir(), localnet.ManifestName), b, 0o600))
	again, err := localnet.Load(n.Dir(), binary, func(line string) { t.Log(line) })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, again.Close()) })
	moved := &network{Network: again, t: t}
	moved.start(ctx)
	for i := range moved.Len() {
		require.NoError(t, moved.Node(i).WaitReady(ctx))
	}
	return moved
}

// restoresFromBefore loses a node's database and restores a backup that was made under
// the chain id of before.
func (n *network) restoresFromBefore(ctx context.Context, i int, folder, secret string) {
	t, node := n.t, n.Node(i)
	require.NoError(t, node.Stop())
	database := filepath.Join(node.Info().Home, "mpc", "db")
	require.NoError(t, os.Rename(database, database+".kept"))
	restore := []string{"mpc", "backup", "restore", folder, "--age-identity", secret}
	out, err := exec.CommandContext(ctx, binary, append(restore, "--home", node.Info().Home)...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), string(types.ErrRestore))
	require.Contains(t, string(out), "--from-chain seq-local-1")
	require.NoDirExists(t, database)
	n.operate(ctx, node, append(restore, "--from-chain", "seq-local-1")...)
	require.NoError(t, node.Start())
	require.NoError(t, node.WaitReady(ctx))
}

// listsUnknown: every node shows that it has a key that the chain does not know.
func (n *network) listsUnknown(ctx context.Context, key string) {
	for i := range n.Len() {
		s := n.statusOf(ctx, n.Node(i))
		require.Equal(n.t, []string{key}, s.UnknownKeys)
		require.Contains(n.t, n.operate(ctx, n.Node(i), "mpc", "keys"), "not on this chain")
	}
}

// asksAnother asks for what was taken back under its old ids: another digest is not
// signed, and a key is made anew, while the share of the first one is kept.
func (n *network) asksAnother(ctx context.Context, made, second mpctypes.Key) {
	t := n.t
	n.askSignatures(ctx, made.Id, map[string][]byte{"bound": one("another digest")["another digest"]})
	require.Equal(t, string(types.ErrDigestBound), n.decided(ctx, "bound").Reason)
	n.signs(ctx, made, "under-the-new-id")
	again := n.makeKey(ctx, second.Id, 2)
	require.NotEqual(t, second.PublicKey, again.PublicKey)
	n.signs(ctx, again, "by-the-new-key")
	n.withholds(ctx, second.Id, mpc.WithheldForeign)
}

// withholds: every node lists once that it keeps a share of a key, and why.
func (n *network) withholds(ctx context.Context, key string, why mpc.Withholding) {
	t := n.t
	for i := range n.Len() {
		s := n.statusOf(ctx, n.Node(i))
		var kept []string
		for _, w := range s.Withheld {
			if w.KeyID == key {
				kept = append(kept, w.Why)
			}
		}
		require.Equal(t, []string{string(why)}, kept)
		require.Contains(t, n.operate(ctx, n.Node(i), "mpc", "status"), "share of "+key)
	}
}
