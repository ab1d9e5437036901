package sim_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func network(t *testing.T, seed uint64, nodes int) *sim.World {
	return sim.New(t, sim.Config{
		Seed: seed, Nodes: nodes, Protocols: fakeproto.Protocols{}, Preparams: 40,
		Params: func(p *xtypes.Params) { p.RetireBlocks = 10 }, Lag: 300 * time.Millisecond,
	})
}

// nothingIsHeld: a few minutes after the last request, engines hold nothing in
// memory but what their stores list, whom to suspect for some minutes more, what counts against
// whom, and, where the chain takes proof for longer than that, what was decided.
func nothingIsHeld(t *testing.T, w *sim.World) {
	t.Helper()
	const soon = 3 * time.Minute
	params, err := w.Chain.Fixture.Keeper.Params(w.Chain.Fixture.Ctx)
	require.NoError(t, err)
	proofIsLate := time.Duration(params.FaultBlocks)*w.BlockTime < soon
	participants := len(w.Nodes)
	var held mpc.Holdings
	require.True(t, w.Run(soon, func() bool {
		for _, n := range w.Nodes {
			held = n.Core().Holdings()
			if held.Suspects > 3*participants || held.Grudges > participants*(participants+2) {
				return false
			}
			held.Suspects, held.Grudges = 0, 0
			if !proofIsLate {
				held.Decided = 0
			}
			if held != (mpc.Holdings{}) {
				return false
			}
		}
		return true
	}), "%+v", held)
}

// idsLedBy are ids of requests whose first attempt a node leads.
func idsLedBy(w *sim.World, kind types.RequestKind, leader *sim.Node, first, count int) []string {
	var ids []string
	for i := first; len(ids) < count; i++ {
		r := types.Request{ID: types.RequestID{Kind: kind, ID: fmt.Sprintf("id-%03d", i)}}
		for _, n := range w.Nodes {
			r.Members = append(r.Members, types.Member{Operator: n.Operator})
		}
		if r.Initiator(0) == leader.Operator {
			ids = append(ids, r.ID.ID)
		}
	}
	return ids
}

func ready(w *sim.World, id types.KeyID) func() bool {
	return func() bool {
		k, ok := w.Chain.Key(id)
		return ok && k.Status == types.KeyReady
	}
}

func TestKeygenSignDelete(t *testing.T) {
	w := network(t, 1, 4)
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	for i := range 30 {
		digest := sha256.Sum256(fmt.Append(nil, i))
		w.Chain.Sign(fmt.Sprintf("sig-%02d", i), "key", digest[:])
	}
	require.True(t, w.Run(3*time.Second, func() bool { return w.Chain.Open() == 30 }))
	require.True(t, w.Run(5*time.Minute, func() bool { return w.Chain.Open() == 0 }))
	for i := range 30 {
		_, ok := w.Chain.Signature(fmt.Sprintf("sig-%02d", i))
		require.True(t, ok, "signature %d", i)
	}
	w.Chain.Delete("key")
	require.True(t, w.Run(2*time.Minute, func() bool {
		k, _ := w.Chain.Key("key")
		return len(k.DeletionAcked) == 4
	}))
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		require.Empty(t, records)
		tombstones, err := n.Store.Tombstones()
		require.NoError(t, err)
		require.Equal(t, []types.KeyID{"key"}, tombstones)
	}
	require.True(t, w.Run(time.Minute, func() bool {
		for _, n := range w.Nodes {
			if st := n.Core().Status(); len(st.Sessions) > 0 || st.Results > 0 {
				return false
			}
		}
		return true
	}), "sessions or results are left over")
	nothingIsHeld(t, w)
	nobodyAccused(t, w)
}
