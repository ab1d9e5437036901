package sim_test

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// drawnStage is a network of four with a READY key of t = 2, before somebody begins to
// draw its sessions out.
func drawnStage(t *testing.T, seed uint64) (*sim.World, *sim.Node) {
	w := sim.New(t, sim.Config{
		Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 40, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.SignLifetimeBlocks = 1000 },
	})
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	require.True(t, w.Run(time.Minute, func() bool { return settled(w) }))
	return w, w.Nodes[int(seed)%4]
}

// TestDrawnOut: a member that says each thing just before it would be taken for silent,
// and maybe that it computes meanwhile, is accused by those who wait for it and by
// nobody else, and left out of the next signatures. The one that it could spoil is there
// before it would be without that.
func TestDrawnOut(t *testing.T) {
	stall := session.DefaultTiming().Stall
	for name, tt := range map[string]struct {
		delay  time.Duration
		works  bool
		within time.Duration // of the worst signature
	}{
		"silent until late":      {stall - time.Second, false, 100 * time.Second},
		"says that it computes":  {2*stall - 3*time.Second, true, 160 * time.Second},
		"silent for longer even": {stall + time.Second, false, 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var worst time.Duration
			accused := 0
			for seed := uint64(1); seed <= 8; seed++ {
				w, liar := drawnStage(t, seed)
				w.LateLiar(liar, tt.delay, tt.works)
				w.Meddle = func(from, _ *sim.Node, m *wire.Message) sim.Verdict { // it is taken where it can be
					if e := m.GetEnvelope(); e != nil && e.Header.Kind == wire.KIND_READY && from != liar {
						return sim.Verdict{Delay: 100 * time.Millisecond}
					}
					return sim.Verdict{}
				}
				var ids []string
				for _, n := range w.Nodes {
					ids = append(ids, idsLedBy(w, types.KindSign, n, len(ids)*100, 1)...)
				}
				for _, id := range ids {
					begun := w.Now()
					ask(w, id)
					require.True(t, w.Run(10*time.Minute, func() bool { _, done := w.Chain.Signature(id); return done }))
					worst = max(worst, w.Now().Sub(begun))
				}
				for _, n := range w.Nodes {
					for _, a := range n.Accused {
						if n == liar {
							continue
						}
						require.Equal(t, liar.Operator, a.Accused, "%s accuses it of %s", n.Operator, a.Reason)
						accused++
					}
				}
			}
			t.Logf("the worst signature took %s, %d accusations", worst, accused)
			require.Positive(t, accused)
			require.Less(t, worst, tt.within)
		})
	}
}

// TestSlowMemberIsNotAccused: in a keygen of steps that take minutes one member is four
// times as slow as the others; in signatures of many at once everybody is late. Nobody
// accuses anybody.
func TestSlowMemberIsNotAccused(t *testing.T) {
	t.Run("keygen", func(t *testing.T) {
		for seed := uint64(1); seed <= 3; seed++ {
			w := sim.New(t, sim.Config{
				Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 4,
				Step: [2]time.Duration{30 * time.Second, 40 * time.Second},
			})
			w.Nodes[seed].Slowness = 3
			w.Chain.Keygen("key", 2)
			require.True(t, w.Run(30*time.Minute, ready(w, "key")))
			honest(t, w)
		}
	})
	t.Run("sign", func(t *testing.T) {
		for seed := uint64(1); seed <= 3; seed++ {
			w := sim.New(t, sim.Config{
				Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 4, Workers: 1,
				Params: func(p *xtypes.Params) { p.SignLifetimeBlocks, p.MaxPendingPerRequester = 2000, 100 },
			})
			w.Chain.Keygen("key", 2)
			require.True(t, w.Run(30*time.Minute, ready(w, "key")))
			w.Step = [2]time.Duration{200 * time.Millisecond, 600 * time.Millisecond}
			w.Nodes[seed].Slowness = 3
			var ids []string
			for i := range w.Nodes {
				ids = append(ids, idsLedBy(w, types.KindSign, w.Nodes[i], i*100, 8)...)
			}
			begun := w.Now()
			ask(w, ids...)
			require.True(t, w.Run(30*time.Minute, func() bool {
				return !slices.ContainsFunc(ids, func(id string) bool { _, done := w.Chain.Signature(id); return !done })
			}))
			sessions := 0
			for _, n := range w.Nodes {
				for _, count := range n.Ended {
					sessions += count
				}
			}
			t.Logf("%d signatures took %s, %d sessions at all nodes", len(ids), w.Now().Sub(begun), sessions)
			honest(t, w)
		}
	})
}

// ask asks for signatures.
func ask(w *sim.World, ids ...string) {
	for _, id := range ids {
		digest := sha256.Sum256([]byte(id))
		w.Chain.Sign(id, "key", digest[:])
	}
}

// honest: nobody accused anybody.
func honest(t *testing.T, w *sim.World) {
	t.Helper()
	for _, n := range w.Nodes {
		require.Empty(t, n.Accused, "%s", n.Operator)
	}
}
