package cluster_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/cluster"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// fakeKey is a key of the fake protocol.
func fakeKey(participants, threshold int) fixtures.KeySet {
	context := types.Context(sha256.Sum256([]byte("cluster")))
	private := fakeproto.Private(context)
	key := fixtures.KeySet{Threshold: threshold, Session: context}
	for i := range participants {
		op := types.Operator(fmt.Sprintf("op-%02d", i))
		key.Operators = append(key.Operators, op)
		key.Shares = append(key.Shares, fakeproto.Share(private, op, context))
	}
	key.Payload = fakeproto.Payload(private, context, key.Operators)
	return key
}

// TestPresignaturesAreUsedOnce: engines with their loops and workers sign many requests at
// once with presignatures, on a network that brings much twice, at the same time or later,
// and in any order. Each presignature serves one request at each signer, or none. This is
// what the race detector sees of presignatures: make test-race.
func TestPresignaturesAreUsedOnce(t *testing.T) {
	const participants, target, rounds, requests = 5, 4, 4, 15
	ledger := fakeproto.NewLedger()
	key := fakeKey(participants, 2)
	c := cluster.New(t, key, fakeproto.Protocols{Ledger: ledger}, 2, target)
	c.Carry(func(deliver func()) {
		deliver()
		switch rand.IntN(4) {
		case 0:
			deliver()
		case 1:
			go deliver()
		case 2:
			time.AfterFunc(time.Duration(rand.IntN(300))*time.Millisecond, deliver)
		}
	})
	for round := range rounds {
		require.Eventually(t, func() bool {
			c.Block()
			return c.Ready() >= participants*target/2
		}, 2*time.Minute, 200*time.Millisecond, "presignatures are made")
		digests := make(map[string][]byte)
		for i := range requests {
			id := fmt.Sprintf("request-%d-%d", round, i)
			digest := sha256.Sum256([]byte(id))
			digests[id] = digest[:]
		}
		c.Sign(digests, time.Minute)
	}
	used := 0
	for _, op := range key.Operators {
		used += ledger.Fixed(op)
	}
	require.GreaterOrEqual(t, used, rounds*participants*target/4, "hardly any request was signed with a presignature")
	require.Empty(t, ledger.Broken())
	require.Zero(t, ledger.Split())
}
