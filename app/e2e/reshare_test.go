package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// reshareTimeLimit is some four times what the test takes on two cores.
	reshareTimeLimit = 16 * time.Minute
	// fewTooFew is how many blocks a signature may take. They have to pass when too
	// few can make it.
	fewTooFew = 60
	// keptBlocks is how long shares stay that are not the key's any more: longer
	// than it takes to see that they are of no use.
	keptBlocks = 150
)

// TestReshare: a key of 3 of 4 goes to 3 of 5, one of them new, and from there to
// 2 of 3, without two of those who made it and while these are away. It has one
// address, which signs before, meanwhile and after. Who was left out cannot take
// part any more, even with shares that would have been enough, and destroys them.
func TestReshare(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), reshareTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Validators, cfg.BlockTime = 5, shortBlocks
	cfg.Params = func(p *mpctypes.Params) {
		p.RetireBlocks, p.SignAttemptBlocks, p.SignLifetimeBlocks = keptBlocks, 6, fewTooFew
		p.KeygenAttemptBlocks, p.ReshareAttemptBlocks = 120, 120
	}
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := startNetwork(t, ctx, cfg)
	made := n.makeKey(ctx, "key", 2, n.operators(0, 1, 2, 3)...)
	n.signs(ctx, made, "before")

	grown := n.reshare(ctx, made, "grow", "2", 0, 1, 2, 3, 4)
	n.holds(ctx, grown, 0, 1, 2, 3, 4)
	n.takePart(ctx, false, 2, 3)
	n.signs(ctx, grown, "with-newcomer") // three are left, and it is one of them

	shrunk := n.reshare(ctx, grown, "shrink", "1", 0, 1, 4)
	n.takePart(ctx, true, 2, 3)
	n.holds(ctx, shrunk, 0, 1, 4)

	// Three that signed before are there, but two of them were left out.
	n.takePart(ctx, false, 1, 4)
	n.holds(ctx, grown, 0, 2, 3)
	n.askSignatures(ctx, made.Id, one("by-old-shares"))
	require.Equal(t, string(types.ErrExpired), n.decided(ctx, "by-old-shares").Reason)
	n.holds(ctx, grown, 0, 2, 3) // not for want of shares
	n.takePart(ctx, true, 1, 4)
	n.signs(ctx, shrunk, "after")

	n.forget(ctx, shrunk, []int{0, 1, 4}, []int{2, 3})
	n.cancel(ctx, shrunk)
	n.signs(ctx, shrunk, "last")
	n.agree(ctx)
}

func (n *network) operators(nodes ...int) (list []string) {
	for _, i := range nodes {
		list = append(list, n.Node(i).Info().Operator)
	}
	return list
}

// signs asks for one signature. It must be by the shares of the key's epoch.
func (n *network) signs(ctx context.Context, key mpctypes.Key, id string) {
	n.t.Helper()
	n.askSignatures(ctx, key.Id, one(id))
	n.awaitSignatures(ctx, key, one(id))
	require.Equal(n.t, key.Epoch, n.decided(ctx, id).Epoch)
}

// reshare gives a key to other nodes, by command, and has it sign meanwhile. The
// key stays the same key.
func (n *network) reshare(ctx context.Context, before mpctypes.Key, id, threshold string, nodes ...int) mpctypes.Key {
	named := n.operators(nodes...)
	return n.asksReshare(ctx, before, named, "reshare", id, before.Id, threshold, "--participants", strings.Join(named, ","))
}

// refresh gives a key to the same nodes anew, as reshare does, without naming anybody.
func (n *network) refresh(ctx context.Context, before mpctypes.Key, id string) mpctypes.Key {
	n.t.Helper()
	key := n.asksReshare(ctx, before, before.Participants, "refresh", id, before.Id)
	require.Equal(n.t, before.Threshold, key.Threshold)
	return key
}

// asksReshare types a command that reshares a key under the id that it names first.
func (n *network) asksReshare(ctx context.Context, before mpctypes.Key, participants []string, command, id string, more ...string) mpctypes.Key {
	t := n.t
	t.Helper()
	began := time.Now()
	address := n.address(ctx, before.Id)
	n.asks(ctx, append([]string{command, id}, more...)...)
	n.eventually(ctx, "the reshare is asked for", func() bool { return n.key(ctx, before.Id).ReshareId == id })
	n.signs(ctx, before, "meanwhile-"+id)
	var reshare mpctypes.Reshare
	n.eventually(ctx, "the reshare is decided", func() bool {
		resp, err := n.requester.Query.Reshare(ctx, &mpctypes.QueryReshareRequest{ReshareId: id})
		require.NoError(t, err)
		reshare = resp.Reshare
		return !reshare.Open()
	})
	require.Equal(t, mpctypes.RESHARE_STATUS_READY, reshare.Status, reshare.Reason)
	require.LessOrEqual(t, n.decided(ctx, "meanwhile-"+id).DecidedHeight, reshare.DecidedHeight)
	t.Logf("reshare %s to %d nodes with a signature meanwhile: %.1f s", id, len(participants), time.Since(began).Seconds())
	n.shows(ctx, "RESHARE_STATUS_READY", "query", "mpc", "reshare", id)
	n.shows(ctx, id, "query", "mpc", "reshares", "--key-id", before.Id)

	key := n.key(ctx, before.Id)
	require.Equal(t, before.PublicKey, key.PublicKey)
	require.Equal(t, address, n.address(ctx, before.Id))
	require.Equal(t, before.Epoch+1, key.Epoch)
	require.Equal(t, slices.Sorted(slices.Values(participants)), key.Participants)
	require.NotEqual(t, before.PublicShares, key.PublicShares)
	n.signs(ctx, key, "right-after-"+id)
	return key
}

// address is the key's on Ethereum.
func (n *network) address(ctx context.Context, id string) string {
	n.t.Helper()
	resp, err := n.requester.Query.Key(ctx, &mpctypes.QueryKeyRequest{KeyId: id})
	require.NoError(n.t, err)
	require.NotEmpty(n.t, resp.Addresses.Ethereum)
	return resp.Addresses.Ethereum
}

// asks sends a transaction as a person would.
func (n *network) asks(ctx context.Context, args ...string) {
	n.t.Helper()
	m := n.Manifest()
	args = append([]string{"tx", "mpc"}, args...)
	args = append(args, "--home", n.Node(0).Info().Home, "--node", n.Node(0).Info().RPC, "--from", m.RequesterKey,
		"--keyring-backend", "test", "--keyring-dir", m.KeyringDir, "--gas", "auto", "--gas-adjustment", "1.5", "-y")
	out, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
	require.NoError(n.t, err, "%v: %s", args, out)
	require.Contains(n.t, string(out), "code: 0", "%v", args)
}

// takePart starts nodes again, as validators that take part in MPC or do not.
func (n *network) takePart(ctx context.Context, yes bool, nodes ...int) {
	t := n.t
	t.Helper()
	for _, i := range nodes {
		path := filepath.Join(n.Node(i).Info().Home, "config", "app.toml")
		bz, err := os.ReadFile(path)
		require.NoError(t, err)
		before, section, found := strings.Cut(string(bz), "\n[mpc]\n")
		require.True(t, found)
		was, is := "\nenabled = true\n", "\nenabled = false\n"
		if yes {
			was, is = is, was
		}
		require.Contains(t, section, was)
		section = strings.Replace(section, was, is, 1)
		require.NoError(t, os.WriteFile(path, []byte(before+"\n[mpc]\n"+section), 0o600))
		require.NoError(t, n.Node(i).Restart())
	}
	for _, i := range nodes {
		if yes {
			require.NoError(t, n.Node(i).WaitReady(ctx))
		}
	}
	require.NoError(t, n.WaitHeight(ctx, n.height(ctx)+1))
}

// holds: each of these nodes has its READY share of a key's epoch.
func (n *network) holds(ctx context.Context, key mpctypes.Key, nodes ...int) {
	n.t.Helper()
	for _, i := range nodes {
		// The chain is ahead of what a node makes of it, by a block or so.
		n.eventually(ctx, n.Node(i).Info().Name+" has its share", func() bool {
			ready := 0
			for _, k := range n.keysOf(ctx, n.Node(i)).Keys {
				if k.KeyID == key.Id && k.Epoch == key.Epoch && k.HasShare && k.Status == "READY" {
					ready++
				}
			}
			return ready == 1
		})
	}
}

// forget waits until everybody destroyed what is not of the key's epoch: who is of
// its committee has one share, the others have nothing.
func (n *network) forget(ctx context.Context, key mpctypes.Key, committee, others []int) {
	n.t.Helper()
	require.NoError(n.t, n.WaitHeight(ctx, key.RetireHeight))
	records := func(i int) int { return len(n.keysOf(ctx, n.Node(i)).Keys) }
	for _, i := range committee {
		n.eventually(ctx, "old shares are destroyed", func() bool { return records(i) == 1 })
	}
	n.holds(ctx, key, committee...)
	for _, i := range others {
		n.eventually(ctx, "all shares are destroyed", func() bool { return records(i) == 0 })
		out, err := exec.CommandContext(ctx, binary, "mpc", "keys", "--home", n.Node(i).Info().Home).Output()
		require.NoError(n.t, err)
		require.NotContains(n.t, string(out), key.Id)
	}
}

// cancel asks for a reshare and takes it back.
func (n *network) cancel(ctx context.Context, key mpctypes.Key) {
	n.send(ctx, &mpctypes.MsgKeyReshare{Requester: n.requester.Address, ReshareId: "cancelled", KeyId: key.Id, Threshold: 2})
	n.send(ctx, &mpctypes.MsgCancelReshare{Requester: n.requester.Address, ReshareId: "cancelled"})
	resp, err := n.requester.Query.Reshare(ctx, &mpctypes.QueryReshareRequest{ReshareId: "cancelled"})
	require.NoError(n.t, err)
	require.Equal(n.t, string(types.ErrCancelled), resp.Reshare.Reason)
	n.shows(ctx, "ok: true", "query", "mpc", "can-reshare", key.Id, "2")
}
