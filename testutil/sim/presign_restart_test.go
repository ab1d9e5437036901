package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// TestOwnerRestartsUnseen: who has no connections of its own, and restarts, has its stock again
// soon: those that keep what it had learn that from what it asks for.
func TestOwnerRestartsUnseen(t *testing.T) {
	const target = 4
	w, ledger := presigningBy(t, 1, 3, target)
	n := w.Nodes[3]
	n.Crash()
	n.Start()
	require.True(t, w.Run(2*time.Minute, func() bool { return stocked(w, target) }), "%v", stock(w))
	for _, other := range w.Nodes[:3] {
		require.Equal(t, 4*target, ofKey(other).Parked, "all four sign each, and nothing is kept of before")
	}
	require.Empty(t, ledger.Broken())
	nobodyAccused(t, w)
}

// TestSignerRestartsUnseen: who restarted says so to an owner that uses what it lost its part
// of, and the request is signed without waiting for it.
func TestSignerRestartsUnseen(t *testing.T) {
	w, ledger := presigningBy(t, 2, 3, 1)
	n, owner := w.Nodes[3], w.Nodes[0]
	n.Crash()
	n.Start()
	w.Run(time.Second, func() bool { return false })
	var told time.Time
	w.Delivered = func(_, to *sim.Node, e *wire.Envelope) {
		if to == n && e.Header.Type == "consume" && told.IsZero() {
			told = w.Now()
		}
	}
	before := owner.Ended[types.ErrPresignLost]
	id := idsLedBy(w, types.KindSign, owner, 0, 1)[0]
	w.Chain.Sign(id, "key", digestOf(id))
	require.True(t, w.Run(10*time.Second, func() bool { return owner.Ended[types.ErrPresignLost] > before }))
	require.False(t, told.IsZero())
	require.Less(t, w.Now().Sub(told), w.Timing.Online/4)
	require.True(t, w.Run(time.Minute, func() bool { _, signed := w.Chain.Signature(id); return signed }))
	require.Empty(t, ledger.Broken())
	nobodyAccused(t, w)
}
