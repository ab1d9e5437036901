package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestPresignaturesOfAge: what nobody needed for an hour is dropped, at all its signers, and
// others are made. That is nobody's fault.
func TestPresignaturesOfAge(t *testing.T) {
	const target = 2
	ledger := fakeproto.NewLedger()
	w := sim.New(t, sim.Config{
		Seed: 1, Nodes: 4, Protocols: fakeproto.Protocols{Ledger: ledger}, Preparams: 10, BlockTime: 10 * time.Second, Lag: time.Second,
		Params: func(p *xtypes.Params) { p.RetireBlocks, p.PresignTarget = 10, target },
	})
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(10*time.Minute, ready(w, "key")))
	require.True(t, w.Run(10*time.Minute, func() bool { return stocked(w, target) }), "%v", stock(w))
	made := 0
	w.Delivered = func(from, _ *sim.Node, e *wire.Envelope) {
		if h := e.Header; h.Kind == wire.KIND_PREPARE && h.RequestKind == uint32(types.KindPresign) && h.From == string(from.Operator) {
			made++
		}
	}
	w.Run(45*time.Minute, func() bool { return false })
	require.Zero(t, made)
	require.True(t, stocked(w, target))
	require.Zero(t, dropped(w))

	require.True(t, w.Run(20*time.Minute, func() bool { return dropped(w) >= 4*target }), "%v", stock(w))
	require.True(t, w.Run(2*time.Minute, func() bool { return stocked(w, target) }), "%v", stock(w))
	w.Run(20*time.Minute, func() bool { return false })
	// Of each, its owner or a signer is the first whose hour is over, and the others hear it.
	require.LessOrEqual(t, dropped(w), 3*4*target)
	require.True(t, stocked(w, target))
	parked := 0
	for _, n := range w.Nodes {
		parked += ofKey(n).Parked
	}
	require.Equal(t, 3*4*target, parked, "each is at three signers, and nothing is kept that is over")
	require.Empty(t, ledger.Broken())
	nobodyAccused(t, w)
}

// dropped counts the ends of presignatures that are of no use any more, at those who found
// it first.
func dropped(w *sim.World) (n int) {
	for _, node := range w.Nodes {
		n += node.Ended[types.ErrPresignDropped]
	}
	return n
}
