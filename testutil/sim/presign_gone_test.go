package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// ofKey is what a node has of presignatures of the one key.
func ofKey(n *sim.Node) mpc.PresignStatus {
	for _, st := range n.Core().Status().Presignatures {
		return st
	}
	return mpc.PresignStatus{}
}

// TestPresignaturesOfWhoIsOutOfReach: what a node has with somebody whose connection is gone
// is not ready from that moment on, so that no request waits for it; soon after it is
// dropped, by signers too, and made anew with others.
func TestPresignaturesOfWhoIsOutOfReach(t *testing.T) {
	w, ledger := presigning(t, 1, 4)
	gone, up := w.Nodes[3], w.Nodes[:3]
	gone.Crash()
	w.Run(time.Second, func() bool { return false })
	for _, n := range up {
		require.Equal(t, 4, ofKey(n).Ready, "nobody knows yet")
		n.Core().HandleDisconnected(gone.Operator)
	}
	with, parked := 0, make(map[*sim.Node]int)
	for _, n := range up {
		with += 4 - ofKey(n).Ready
		parked[n] = ofKey(n).Parked
	}
	require.Positive(t, with, "it was a signer of none")
	require.Positive(t, ofKey(up[0]).Ready, "it was a signer of all")
	id := idsLedBy(w, types.KindSign, up[0], 0, 1)[0]
	said := roundsSaid(w)
	w.Chain.Sign(id, "key", digestOf(id))
	require.True(t, w.Run(3*time.Second, func() bool { _, signed := w.Chain.Signature(id); return signed }), "it waited for who is gone")
	require.NotContains(t, said, "sign 1")
	w.Run(3*w.Timing.Stall, func() bool { return false })
	require.True(t, w.Run(time.Minute, func() bool { return stocked(w, 4) }), "%v", stock(w))
	for _, n := range up {
		// Three that are there are signers of all that each of them leads.
		require.Equal(t, 3*4, ofKey(n).Parked, "nothing is kept of who is gone")
	}
	require.Empty(t, ledger.Broken())
	nobodyAccused(t, w)
}

// TestPresignaturesOfWhoIsRelayed: who lost its own connection and is there by relay says
// that it has its part, and nothing is lost.
func TestPresignaturesOfWhoIsRelayed(t *testing.T) {
	w, ledger := presigning(t, 2, 3)
	relayed, others := w.Nodes[3], w.Nodes[:3]
	before := make(map[types.Operator]int)
	for _, n := range w.Nodes {
		before[n.Operator] = ofKey(n).Parked
	}
	less := 0
	for _, n := range others {
		n.Core().HandleDisconnected(relayed.Operator)
		less += 3 - ofKey(n).Ready
	}
	require.Positive(t, less)
	// Who answered just before answers again after a resend time.
	require.True(t, w.Run(2*w.Timing.Resend, func() bool { return stocked(w, 3) }), "%v", stock(w))
	w.Run(3*w.Timing.Stall, func() bool { return false })
	for _, n := range w.Nodes {
		require.Equal(t, before[n.Operator], ofKey(n).Parked, n.Operator)
		require.Equal(t, 3, ofKey(n).Ready)
	}
	require.Empty(t, ledger.Broken())
	nobodyAccused(t, w)
}
