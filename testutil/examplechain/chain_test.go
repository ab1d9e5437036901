package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/require"

	"example.com/chain/checkpoint"
)

// limit is how long the network may take for a key and a signature; it takes some
// twenty seconds on two cores.
const limit = 3 * time.Minute

// Three nodes of a chain that is not ours make a key because its own module asks, and
// sign with it what its own PreBlocker noted. That a checkpoint is there at all is the
// hooks' doing.
func TestChain(t *testing.T) {
	n := newNetwork(t, 3)
	n.start()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	first, last := n.nodes[0], n.nodes[2]
	signed := n.awaitCheckpoint(ctx, first, 0)
	n.verify(ctx, first, signed)
	again := n.awaitCheckpoint(ctx, last, signed.Height)
	require.Equal(t, signed.Key, again.Key)
	require.Zero(t, (again.Height-signed.Height)%checkpoint.Interval)
	n.verify(ctx, last, again)

	// What operators of this chain type.
	require.Contains(t, n.run(first, "mpc", "keys"), signed.Key)
	require.Contains(t, n.run(first, "mpc", "status"), "examplevaloper1")
	require.Contains(t, n.run(first, "mpc", "--help"), "exampled mpc register --from KEY")
	var shown checkpoint.Signed
	require.NoError(t, json.Unmarshal([]byte(n.run(first, "query", "checkpoint", "--node", "tcp://"+first.rpc)), &shown))
	require.GreaterOrEqual(t, shown.Height, signed.Height)
	text, err := os.ReadFile(first.home + "/config/app.toml")
	require.NoError(t, err)
	require.Contains(t, string(text), `"exampled mpc identity"`)
	require.NotContains(t, string(text), "sequencerd")
}

// awaitCheckpoint waits until a node knows a signed checkpoint of a block after one.
func (n *network) awaitCheckpoint(ctx context.Context, node *node, after int64) (signed checkpoint.Signed) {
	n.t.Helper()
	n.await(ctx, node, fmt.Sprintf("checkpoint after block %d", after), func() bool {
		answer, err := node.client.ABCIQuery(ctx, "/store/"+checkpoint.StoreKey+"/key", checkpoint.NewestKey)
		if err != nil || len(answer.Response.Value) == 0 {
			return false
		}
		require.NoError(n.t, json.Unmarshal(answer.Response.Value, &signed))
		return signed.Height > after
	})
	return signed
}

// verify proves on a node that a checkpoint has the hash of its block, and the signature that of
// the key on chain.
func (n *network) verify(ctx context.Context, node *node, signed checkpoint.Signed) {
	n.t.Helper()
	block, err := node.client.Block(ctx, &signed.Height)
	require.NoError(n.t, err)
	require.Equal(n.t, []byte(block.BlockID.Hash), signed.Hash)

	var answer struct {
		Key struct {
			PublicKey []byte `json:"public_key"`
			Module    string `json:"module"`
		} `json:"key"`
	}
	require.NoError(n.t, json.Unmarshal([]byte(n.run(node, "query", "mpc", "key", signed.Key, "-o", "json", "--node", "tcp://"+node.rpc)), &answer))
	require.Equal(n.t, checkpoint.ModuleName, answer.Key.Module)
	public, err := secp256k1.ParsePubKey(answer.Key.PublicKey)
	require.NoError(n.t, err)
	var r, s secp256k1.ModNScalar
	require.False(n.t, r.SetByteSlice(signed.R) || s.SetByteSlice(signed.S), "beyond the order of the group")
	digest := checkpoint.Point{Chain: chainID, Height: signed.Height, Hash: signed.Hash}.Digest()
	require.True(n.t, ecdsa.NewSignature(&r, &s).Verify(digest[:], public))
}
