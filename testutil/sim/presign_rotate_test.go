package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestPresignaturesWhileIdentitiesRotate: nodes see the block of another identity at different
// times, while they make presignatures. Nobody takes anybody for a liar over that.
func TestPresignaturesWhileIdentitiesRotate(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			ledger := fakeproto.NewLedger()
			w := sim.New(t, sim.Config{
				Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{Ledger: ledger}, Preparams: 10, Lag: 3 * time.Second,
				Params: func(p *xtypes.Params) { p.RetireBlocks, p.PresignTarget = 10, 4 },
			})
			w.Chain.Keygen("key", 2)
			require.True(t, w.Run(2*time.Minute, ready(w, "key")))
			w.Run(7*time.Second, func() bool { return false })
			w.Rotate(w.Nodes[seed])
			require.True(t, w.Run(10*time.Minute, func() bool { return stocked(w, 4) }), "%v", stock(w))
			require.Empty(t, w.Chain.Errors)
			require.Empty(t, ledger.Broken())
			require.Empty(t, w.Broken())
			require.Empty(t, w.Chain.Faults())
			nobodyAccused(t, w)
		})
	}
}

// TestStockAfterRotations: identities are replaced one after the other, and whoever sees the
// block first drops what it has. Nobody is refused or left out for that: all have what they
// want again soon after the last one.
func TestStockAfterRotations(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 3, Nodes: 4, Protocols: fakeproto.Protocols{Ledger: fakeproto.NewLedger()}, Preparams: 10, Lag: 900 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.RetireBlocks, p.PresignTarget = 10, 2 },
	})
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	for _, n := range w.Nodes {
		require.True(t, w.Run(2*time.Minute, func() bool { return stocked(w, 2) }), "%v", stock(w))
		w.Rotate(n)
		w.Run(7*time.Second, func() bool { return false })
	}
	require.True(t, w.Run(20*time.Second, func() bool { return stocked(w, 2) }), "%v", stock(w))
	require.Empty(t, w.Broken())
	nobodyAccused(t, w)
}
