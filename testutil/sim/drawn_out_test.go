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
// is accused by those who wait for it and by nobody else, and left out of the next
// signatures. If it says meanwhile that it computes, it is left out and not accused: it may
// compute for others. The signature that it could spoil is there before it would be without
// that.
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
				readyFirst(w, liar)
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
				accused += accusations(t, w, liar)
			}
			t.Logf("the worst signature took %s, %d accusations", worst, accused)
			require.Equal(t, !tt.works, accused > 0)
			require.Less(t, worst, tt.within)
		})
	}
}

// readyFirst lets a node's Readys come before those of others: it is taken where it can be.
func readyFirst(w *sim.World, first *sim.Node) {
	w.Meddle = func(from, _ *sim.Node, m *wire.Message) sim.Verdict {
		if e := m.GetEnvelope(); e != nil && e.Header.Kind == wire.KIND_READY && from != first {
			return sim.Verdict{Delay: 100 * time.Millisecond}
		}
		return sim.Verdict{}
	}
}

// TestLateMember: a member that says each thing late, below what anybody is accused for,
// costs the first signature minutes. Whoever waited for it leads the next ones without it,
// quickly, and nobody accuses it. When it is late no more, it is taken again.
func TestLateMember(t *testing.T) {
	const delay = 7400 * time.Millisecond // below half of a stall time
	for seed := uint64(1); seed <= 4; seed++ {
		w, slow := drawnStage(t, seed)
		w.LateLiar(slow, delay, seed%2 == 0)
		readyFirst(w, slow)
		var signers []string // of the last Start
		w.Delivered = func(_, _ *sim.Node, e *wire.Envelope) {
			if e.Header.Kind == wire.KIND_START {
				var start wire.Start
				require.NoError(t, start.Unmarshal(e.Body))
				signers = start.Signers
			}
		}
		sign := func(id string) time.Duration {
			begun := w.Now()
			ask(w, id)
			require.True(t, w.Run(10*time.Minute, func() bool { _, done := w.Chain.Signature(id); return done }))
			return w.Now().Sub(begun)
		}
		var honest []*sim.Node
		for _, n := range w.Nodes {
			if n != slow {
				honest = append(honest, n)
			}
		}
		minutes := 0
		for i := range 9 {
			leader := honest[i/3]
			took := sign(idsLedBy(w, types.KindSign, leader, 1000*i, 1)[0])
			t.Logf("seed %d: signature %d took %s by %v", seed, i, took, signers)
			if took > quick {
				require.Greater(t, took, 4*delay, "it is late with all that it says")
				require.Zero(t, i%3, "its leader waited for it before")
				minutes++
				continue
			}
			require.Less(t, took, quick)
			require.NotContains(t, signers, string(slow.Operator))
		}
		require.Positive(t, minutes)
		require.LessOrEqual(t, minutes, 2, "two of three waited in the first")
		require.Zero(t, accusations(t, w, slow))

		delete(w.Lies, slow.Operator)
		w.Run(31*time.Minute, func() bool { return false })
		require.Less(t, sign(idsLedBy(w, types.KindSign, honest[0], 10000, 1)[0]), quick)
		require.Contains(t, signers, string(slow.Operator), "it is late no more")
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

// accusations counts what honest members say against a liar. They say nothing against each
// other.
func accusations(t *testing.T, w *sim.World, liar *sim.Node) (count int) {
	t.Helper()
	for _, n := range w.Nodes {
		if n == liar {
			continue
		}
		for _, a := range n.Accused {
			require.Equal(t, liar.Operator, a.Accused, "%s accuses it of %s", n.Operator, a.Reason)
			count++
		}
	}
	return count
}
