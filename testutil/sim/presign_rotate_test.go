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
