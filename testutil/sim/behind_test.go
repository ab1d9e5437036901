package sim_test

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// TestBehindADecision: a member that crashed and comes back behind the block of a
// decision leads an attempt at what is decided. The others answer with the result
// that they have stored; no protocol runs. In time it catches up.
func TestBehindADecision(t *testing.T) {
	t.Run("keygen", func(t *testing.T) {
		w := network(t, 21, 4)
		id := types.KeyID(idsLedBy(w, types.KindKeygen, w.Nodes[2], 0, 1)[0])
		w.Chain.Keygen(id, 2)
		require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() > 0 && w.Chain.Height() > 1 }))
		asked := w.Chain.Height()
		require.True(t, w.Run(time.Minute, func() bool {
			return slices.ContainsFunc(w.Nodes[0].Core().Results().Attestations, func(a types.Attestation) bool {
				return a.Operator == w.Nodes[2].Operator
			})
		}), "its attestation reaches somebody")
		w.Nodes[2].Crash()
		require.True(t, w.Run(2*time.Minute, ready(w, id)))
		key, _ := w.Chain.Key(id)

		behind(t, w, w.Nodes[2], asked, types.RequestID{Kind: types.KindKeygen, ID: string(id)}, func(n *sim.Node) bool {
			attested := make(map[types.Operator]bool)
			for _, a := range n.Core().Results().Attestations {
				require.Equal(t, key.Session, a.Session)
				attested[a.Operator] = true
			}
			return len(attested) == 4
		})
		require.True(t, w.Run(time.Minute, func() bool { return w.Nodes[2].Core().Status().Results == 0 }))
		holdsWinner(t, w, id)
		signs(t, w, id)
		nobodyAccused(t, w)
	})
	t.Run("sign", func(t *testing.T) {
		w := network(t, 22, 4)
		w.Chain.Keygen("key", 2)
		require.True(t, w.Run(2*time.Minute, ready(w, "key")))
		require.True(t, w.Run(time.Minute, func() bool { return settled(w) }))
		id := idsLedBy(w, types.KindSign, w.Nodes[2], 0, 1)[0]
		w.Nodes[2].Crash()
		digest := sha256.Sum256([]byte(id))
		w.Chain.Sign(id, "key", digest[:])
		require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() > 0 }))
		w.Run(2*time.Second, func() bool { return false })
		asked := w.Chain.Height()
		require.True(t, w.Run(time.Minute, func() bool { _, done := w.Chain.Signature(id); return done }))

		behind(t, w, w.Nodes[2], asked, types.RequestID{Kind: types.KindSign, ID: id}, func(n *sim.Node) bool {
			return len(n.Core().Results().Signatures) == 1
		})
		require.True(t, w.Run(time.Minute, func() bool { return settled(w) }))
		nobodyAccused(t, w)
	})
}

// behind brings a node back that knows no block after a height, lets it lead an
// attempt at a request, and waits for what it must get to know.
func behind(t *testing.T, w *sim.World, n *sim.Node, height int64, id types.RequestID, knows func(*sim.Node) bool) {
	t.Helper()
	w.Run(2*time.Second, func() bool { return false }) // everybody else has seen the block
	asked, answered := 0, 0
	w.Delivered = func(from, to *sim.Node, e *wire.Envelope) {
		switch h := e.Header; {
		case h.RequestId != id.ID:
		case h.Kind == wire.KIND_PREPARE && from == n:
			asked++
		case h.Kind == wire.KIND_ABORT && from == n: // it gives up, and says so to whom it asked
		case h.Kind == wire.KIND_REFUSE && to == n:
			var r wire.Refuse
			require.NoError(t, r.Unmarshal(e.Body))
			require.Equal(t, string(types.ErrAlreadyDecided), r.Reason)
			require.NotNil(t, r.Result)
			answered++
		default:
			t.Errorf("%s of %s to %s", h.Kind, h.From, h.To)
		}
	}
	var before []int
	for _, n := range w.Nodes {
		sets, err := n.Store.Preparams()
		require.NoError(t, err)
		before = append(before, len(sets))
	}
	n.StartBehind(height)
	require.False(t, knows(n))
	require.True(t, w.Run(time.Minute, func() bool { return answered == 3 && knows(n) }), "it never got to know")
	require.Positive(t, asked)
	for i, n := range w.Nodes {
		sets, err := n.Store.Preparams()
		require.NoError(t, err)
		require.Len(t, sets, before[i])
		require.Empty(t, n.Core().Status().Sessions)
	}
	w.Delivered = nil
	n.CatchUp()
}
