package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
)

// What nodes remember of a signature tells the whole way: each phase and round, in order
// and without a gap, and why these signers. Of a keygen that one member keeps from its end
// it names that one.
func TestHistory(t *testing.T) {
	w := network(t, 1, 4)
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	down := w.Nodes[3]
	down.Crash()
	digest := [32]byte{1}
	id := idsLedBy(w, types.KindSign, w.Nodes[0], 0, 1)[0]
	w.Chain.Sign(id, "key", digest[:])
	over := func() bool {
		for _, n := range w.Nodes[:3] {
			if h := n.Core().History(id); len(h.Sessions) == 0 || h.Sessions[0].Ended.IsZero() {
				return false
			}
		}
		return true
	}
	require.True(t, w.Run(2*time.Minute, over))
	protocol, err := fakeproto.Protocols{}.Protocol(types.KindSign, types.ECDSASecp256k1)
	require.NoError(t, err)
	rounds := len(protocol.Rounds(2, 3))
	for i, n := range w.Nodes[:3] {
		h := n.Core().History(id)
		require.Len(t, h.Sessions, 1)
		s := h.Sessions[0]
		require.Empty(t, s.Reason)
		require.Equal(t, w.Nodes[0].Operator, s.Leader)
		var collected []uint32
		at := s.Opened
		for _, step := range s.Steps {
			require.Equal(t, at, step.Began, "no gap")
			at = step.Began.Add(step.Took)
			if step.Phase == session.Running && step.Round > 0 {
				collected = append(collected, step.Round)
			}
		}
		require.Equal(t, s.Ended, at)
		require.Len(t, collected, rounds)
		require.Equal(t, session.Lingering, s.Steps[len(s.Steps)-1].Phase)
		require.Positive(t, s.Traffic.SentBytes)
		require.Positive(t, s.Traffic.ReceivedBytes)
		require.Len(t, s.Candidates, 4)
		for _, c := range s.Candidates {
			require.Equal(t, c.Operator != down.Operator, c.Signer)
		}
		if i == 0 {
			require.Equal(t, session.Preparing, s.Steps[0].Phase)
		} else {
			require.Equal(t, session.Waiting, s.Steps[0].Phase)
		}
	}

	w.Chain.Keygen("stuck", 2)
	var found mpc.History
	require.True(t, w.Run(5*time.Minute, func() bool {
		for _, n := range w.Nodes[:3] {
			found = n.Core().History("stuck")
			for _, s := range found.Sessions {
				if s.Leader == n.Operator && s.Reason == types.ErrStartTimeout {
					require.Equal(t, []types.Operator{down.Operator}, s.Culprits)
					require.Equal(t, down.Operator, s.Steps[0].Waits[0].Operator)
					require.Greater(t, s.Steps[0].Waits[0].Took, s.Steps[0].Took/2)
					return true
				}
			}
		}
		return false
	}), "%+v", found)
}
