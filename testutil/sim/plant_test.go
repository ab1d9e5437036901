package sim_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// plantKey gives these nodes a key "key", as a keygen did that is long over.
func plantKey(t *testing.T, w *sim.World, threshold int, of ...*sim.Node) {
	t.Helper()
	context := types.Context(sha256.Sum256([]byte("planted")))
	private := fakeproto.Private(context)
	var members []types.Operator
	for _, n := range of {
		members = append(members, n.Operator)
	}
	payload := fakeproto.Payload(private, context, members)
	w.Chain.Attest("key", threshold, context, payload.Encode(), of...)
	require.True(t, w.Run(time.Minute, ready(w, "key")))
	key, _ := w.Chain.Key("key")
	for _, n := range of {
		require.NoError(t, n.Store.PutRecord(types.Record{
			RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{1}}, Context: context,
			Algorithm: types.ECDSASecp256k1, Status: types.StatusPending, Data: fakeproto.Share(private, n.Operator, context),
			PublicKey: payload.PublicKey, Payload: payload.Encode(), Participants: members, Threshold: threshold,
			Request: types.RequestID{Kind: types.KindKeygen, ID: "key"}, Commitment: key.Commitment, IdentityVersion: 1, Updated: w.Now().Add(-time.Hour),
		}))
		n.RestartAfter(0) // it reads its store when it starts
	}
	require.True(t, w.Run(time.Minute, func() bool { return allUp(w) && promoted(w, 0, of...) }))
}

// promoted: these nodes have their READY share of the key's epoch.
func promoted(w *sim.World, epoch uint64, nodes ...*sim.Node) bool {
	for _, n := range nodes {
		found := false
		for _, r := range n.Core().Status().Records {
			found = found || r.KeyID == "key" && r.Epoch == epoch && r.Status == types.StatusReady && r.HasData
		}
		if !found {
			return false
		}
	}
	return true
}

func allUp(w *sim.World) bool {
	for _, n := range w.Nodes {
		if !n.Up() {
			return false
		}
	}
	return true
}

// holdsWinner checks the promise of the design: the session that wins on chain
// has a durable share at every participant.
func holdsWinner(t *testing.T, w *sim.World, id types.KeyID) {
	t.Helper()
	key, _ := w.Chain.Key(id)
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		held := 0
		for _, r := range records {
			if r.Context == key.Session && r.HasData {
				held++
				require.NotEqual(t, types.StatusError, r.Status)
			}
		}
		require.Equal(t, 1, held, "%s does not hold the winning share", n.Operator)
	}
}

// signs proves that the key is usable.
func signs(t *testing.T, w *sim.World, id types.KeyID) {
	t.Helper()
	digest := [32]byte{1, 2, 3}
	w.Chain.Sign("after", id, digest[:])
	require.True(t, w.Run(5*time.Minute, func() bool { _, ok := w.Chain.Signature("after"); return ok }), "the key does not sign")
}
