package sim_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// is waits for a status of the key.
func is(w *sim.World, status types.KeyStatus) func() bool {
	return func() bool {
		k, _ := w.Chain.Key("key")
		return k.Status == status
	}
}

// TestUndelete: a key is deleted while a request waits for two nodes that are away. They
// come back when it is DELETING, and the deletion is taken back: every node signs again
// with the share that it had, also after the height at which it would have gone. Deleted
// again, it goes.
func TestUndelete(t *testing.T) {
	w := network(t, 21, 4)
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(2*time.Minute, is(w, types.KeyReady)))
	signsAll(t, w, "before")
	w.Nodes[2].Crash()
	w.Nodes[3].Crash()
	digest := sha256.Sum256([]byte("cut-off"))
	w.Chain.Sign("cut-off", "key", digest[:])
	require.True(t, w.Run(time.Minute, func() bool { return len(w.Nodes[0].Core().Status().Sessions) > 0 }))
	w.Chain.Delete("key")
	require.True(t, w.Run(10*time.Second, is(w, types.KeyDeleting)))
	end, _ := w.Chain.Key("key")
	require.True(t, w.Run(10*time.Second, func() bool { return w.Chain.Height() >= end.RetireHeight-4 }))
	w.Nodes[2].Start()
	w.Nodes[3].Start()
	w.Chain.Undelete("key")
	require.True(t, w.Run(10*time.Second, is(w, types.KeyReady)))
	require.Less(t, w.Chain.Height(), end.RetireHeight)

	retired(t, w)
	holdsEpoch(t, w, 0, w.Nodes...)
	_, signed := w.Chain.Signature("cut-off")
	require.False(t, signed, "what the deletion failed stays failed")
	w.Nodes[0].Crash() // three must sign, so each of the others
	signsAll(t, w, "after-1", "after-2")
	w.Nodes[0].Start()
	w.Nodes[1].Crash()
	signsAll(t, w, "after-3")
	w.Nodes[1].Start()

	w.Chain.Delete("key")
	require.True(t, w.Run(2*time.Minute, func() bool {
		k, _ := w.Chain.Key("key")
		return len(k.DeletionAcked) == 4
	}))
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		require.Empty(t, records)
	}
	require.Empty(t, w.Chain.Errors)
	w.Chain.Undelete("key")
	w.Run(5*time.Second, func() bool { return false })
	require.Len(t, w.Chain.Errors, 1, "a tombstone stays one")
	require.ErrorContains(t, w.Chain.Errors[0], "key_deleted")
	nobodyAccused(t, w)
	nothingIsHeld(t, w)
}
