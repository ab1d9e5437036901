package e2e

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// binaryVariable names a sequencerd that is built already.
const binaryVariable = "SEQUENCERD_BINARY"

// longVariable makes the tests run too that take minutes each.
const longVariable = "E2E_LONG"

// long leaves a test out unless it was asked for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv(longVariable) == "" {
		t.Skip("it takes minutes; make test-long, or " + longVariable + "=1, runs it")
	}
}

// shortBlocks is the pause between blocks where nothing is measured: these tests
// wait for blocks more than for anything else.
const shortBlocks = 300 * time.Millisecond

// look is the pause between two looks at the chain.
const look = 250 * time.Millisecond

var binary string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "start" {
		os.Exit(runLiar())
	}
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	if binary = os.Getenv(binaryVariable); binary != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "sequencer-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "sequencerd")
	if out, err := exec.Command("go", "build", "-o", binary, "../sequencerd").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build sequencerd: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// network is a running local network and its requester.
type network struct {
	*localnet.Network
	t         *testing.T
	requester *localnet.Account
}

// startNetwork runs a network of real nodes until the test ends.
func startNetwork(t *testing.T, ctx context.Context, cfg localnet.Config) *network {
	t.Helper()
	n := writeNetwork(t, ctx, cfg, binary)
	n.start(ctx)
	return n
}

// writeNetwork makes the files of a network that ends with the test. The logs of
// a test that failed stay.
func writeNetwork(t *testing.T, ctx context.Context, cfg localnet.Config, program string) *network {
	t.Helper()
	dir, err := os.MkdirTemp("", "sequencer-net-")
	require.NoError(t, err)
	cfg.Dir, cfg.Binary, cfg.Progress = dir, program, func(line string) { t.Log(line) }
	n, err := localnet.Write(ctx, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, n.Close(), "nodes stop when they are asked to")
		if t.Failed() {
			t.Logf("logs of the nodes: %s/*.log", dir)
			return
		}
		require.NoError(t, n.Remove())
	})
	return &network{Network: n, t: t}
}

// start waits for the first blocks.
func (n *network) start(ctx context.Context) {
	n.t.Helper()
	require.NoError(n.t, n.Start())
	require.NoError(n.t, n.WaitHeight(ctx, 2))
	n.connect()
}

// connect gives the network its requester.
func (n *network) connect() {
	n.t.Helper()
	requester, err := n.Requester(0)
	require.NoError(n.t, err)
	n.t.Cleanup(func() { require.NoError(n.t, requester.Close()) })
	n.requester = requester
}

// eventually looks until done says yes, or the test's time is over.
func (n *network) eventually(ctx context.Context, what string, done func() bool) {
	n.t.Helper()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			require.FailNow(n.t, "it did not happen in time: "+what)
		case <-tick.C:
		}
	}
}

func (n *network) send(ctx context.Context, msgs ...sdk.Msg) int64 {
	n.t.Helper()
	height, err := n.requester.Send(ctx, msgs...)
	require.NoError(n.t, err)
	return height
}

func (n *network) key(ctx context.Context, id string) mpctypes.Key {
	n.t.Helper()
	resp, err := n.requester.Query.Key(ctx, &mpctypes.QueryKeyRequest{KeyId: id})
	require.NoError(n.t, err)
	return resp.Key
}

// makeKey asks for a key of some participants, or of all validators, and waits for
// it.
func (n *network) makeKey(ctx context.Context, id string, threshold uint32, participants ...string) mpctypes.Key {
	n.t.Helper()
	n.askKey(ctx, id, threshold, participants...)
	return n.awaitKey(ctx, id)
}

// askKey asks for a key.
func (n *network) askKey(ctx context.Context, id string, threshold uint32, participants ...string) {
	n.t.Helper()
	n.send(ctx, &mpctypes.MsgKeyGen{
		Requester: n.requester.Address, KeyId: id, Threshold: threshold, Participants: participants,
		Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1, AllowRaw: true,
	})
}

// awaitKey waits until a key is READY.
func (n *network) awaitKey(ctx context.Context, id string) (key mpctypes.Key) {
	n.t.Helper()
	n.eventually(ctx, "key "+id+" is decided", func() bool {
		key = n.key(ctx, id)
		return key.Status != mpctypes.KEY_STATUS_PENDING
	})
	require.Equal(n.t, mpctypes.KEY_STATUS_READY, key.Status, key.Reason)
	return key
}

// askSignatures asks for signatures in one transaction.
func (n *network) askSignatures(ctx context.Context, keyID string, digests map[string][]byte) {
	n.t.Helper()
	var msgs []sdk.Msg
	for id, digest := range digests {
		msgs = append(msgs, &mpctypes.MsgKeySign{
			Requester: n.requester.Address, SignatureId: id, KeyId: keyID,
			Payload: mpctypes.SignPayload{Kind: &mpctypes.SignPayload_Digest{Digest: digest}},
		})
	}
	n.send(ctx, msgs...)
}

// awaitSignatures waits until all are there, and checks them.
func (n *network) awaitSignatures(ctx context.Context, key mpctypes.Key, digests map[string][]byte) {
	n.t.Helper()
	for id, digest := range digests {
		sig := n.decided(ctx, id)
		require.Equal(n.t, mpctypes.SIGNATURE_STATUS_READY, sig.Status, sig.Reason)
		verify(n.t, key.PublicKey, digest, sig)
		verifyWithOpenSSL(n.t, key.PublicKey, digest, sig)
	}
}

// decided waits for a signature or its failure.
func (n *network) decided(ctx context.Context, id string) (sig mpctypes.Signature) {
	n.t.Helper()
	n.eventually(ctx, "signature "+id+" is decided", func() bool {
		resp, err := n.requester.Query.Signature(ctx, &mpctypes.QuerySignatureRequest{SignatureId: id})
		require.NoError(n.t, err)
		sig = resp.Signature
		return sig.Status != mpctypes.SIGNATURE_STATUS_PENDING
	})
	return sig
}

// shows runs a command as a person would and looks for a word in its output.
func (n *network) shows(ctx context.Context, word string, args ...string) {
	n.t.Helper()
	out, err := exec.CommandContext(ctx, binary, append(args, "--node", n.Node(0).Info().RPC)...).Output()
	require.NoError(n.t, err, "%v", args)
	require.Contains(n.t, string(out), word)
}

// height is the chain's, as node 0 has it.
func (n *network) height(ctx context.Context) int64 {
	n.t.Helper()
	return asked(ctx, n, n.Node(0), "its height", n.Node(0).Status).Height
}

// statusOf is what a node's engine says of itself.
func (n *network) statusOf(ctx context.Context, node *localnet.Node) mpcnode.StatusReport {
	n.t.Helper()
	return asked(ctx, n, node, "its status", node.MPC().Status)
}

// keysOf are those that a node has.
func (n *network) keysOf(ctx context.Context, node *localnet.Node) mpcnode.KeysReport {
	n.t.Helper()
	return asked(ctx, n, node, "its keys", node.MPC().Keys)
}

// asked asks a node until it answers: one that has work may take longer than a client waits.
func asked[T any](ctx context.Context, n *network, node *localnet.Node, what string, ask func(context.Context) (T, error)) (answer T) {
	n.t.Helper()
	n.eventually(ctx, node.Info().Name+" says "+what, func() bool {
		var err error
		answer, err = ask(ctx)
		if !node.Running() {
			require.NoError(n.t, err, "it does not run")
		}
		return err == nil
	})
	return answer
}

// outcome is what a node's own execution of a block gave: the hash of the state and
// that of the receipts. The headers of blocks would not do: they are the same on every
// node that accepted them.
func outcome(t *testing.T, ctx context.Context, node *localnet.Node, height int64) [2]string {
	t.Helper()
	c, err := node.RPC()
	require.NoError(t, err)
	r, err := c.BlockResults(ctx, &height)
	require.NoError(t, err)
	require.NotEmpty(t, r.AppHash)
	return [2]string{hex.EncodeToString(r.AppHash), hex.EncodeToString(cmttypes.NewResults(r.TxsResults).Hash())}
}
