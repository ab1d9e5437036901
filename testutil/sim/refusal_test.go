package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Nodes that signed something else under an id, before the chain was put back, say, refuse
// it for ever. Whoever asked reads that on chain; and when too few others are left, it need
// not wait for the expiry.
func TestRefusalReachesWhoAsked(t *testing.T) {
	for refusing, status := range map[int]xtypes.SignatureStatus{
		1: xtypes.SIGNATURE_STATUS_READY, 2: xtypes.SIGNATURE_STATUS_ERROR,
	} {
		t.Run(fmt.Sprint(refusing), func(t *testing.T) {
			w := sim.New(t, sim.Config{Seed: 7, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 4})
			w.Chain.Keygen("key", 2)
			require.True(t, w.Run(2*time.Minute, ready(w, "key")))
			require.True(t, w.Run(time.Minute, func() bool { return settled(w) }))
			for _, n := range w.Nodes[:refusing] {
				require.NoError(t, n.Store.BindDigest("pay", types.Hash{1}, append(make([]byte, 31), 9)))
			}
			w.Chain.Sign("pay", "key", append(make([]byte, 31), 1))
			asked := w.Chain.Height()
			read := func() xtypes.Signature {
				s, err := w.Chain.Fixture.Keeper.Signature(w.Chain.Fixture.Ctx, "pay")
				if err != nil {
					return xtypes.Signature{}
				}
				return s
			}
			require.True(t, w.Run(3*time.Minute, func() bool { return read().Status == status }))
			s := read()
			params, err := w.Chain.Fixture.Keeper.Params(w.Chain.Fixture.Ctx)
			require.NoError(t, err)
			require.Less(t, w.Chain.Height(), asked+int64(params.SignLifetimeBlocks))
			refusers := make(map[string]bool)
			for _, r := range s.Refusals {
				require.Equal(t, "digest_bound", r.Reason)
				refusers[r.Operator] = true
			}
			if status == xtypes.SIGNATURE_STATUS_READY {
				return // it may be signed before the one was asked
			}
			require.Equal(t, "digest_bound", s.Reason)
			require.Len(t, refusers, refusing)
			for _, n := range w.Nodes[:refusing] {
				require.True(t, refusers[string(n.Operator)])
			}
		})
	}
}
