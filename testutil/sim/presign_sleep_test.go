package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// TestPresignaturesAfterASleep: a machine that slept, or whose wall clock is set, may be an
// old one that was put back: it drops what it had before it does anything else, so that
// nobody can use it, and says so. New ones are made, and nobody is accused.
func TestPresignaturesAfterASleep(t *testing.T) {
	for name, tt := range map[string]struct {
		befalls func(w *sim.World, n *sim.Node)
		after   time.Duration
		drops   bool
	}{
		"suspended":             {func(w *sim.World, n *sim.Node) { n.Sleep(w.Timing.Stall + time.Second) }, 20 * time.Second, true},
		"busy for a while":      {func(w *sim.World, n *sim.Node) { n.Sleep(w.Timing.Stall / 3) }, 10 * time.Second, false},
		"clock set forward":     {func(_ *sim.World, n *sim.Node) { n.ClockAhead += 3 * time.Second }, time.Second, true},
		"clock set back":        {func(_ *sim.World, n *sim.Node) { n.ClockAhead -= 3 * time.Second }, time.Second, true},
		"clock set by a little": {func(_ *sim.World, n *sim.Node) { n.ClockAhead += time.Second }, time.Second, false},
		"clock slewed by a lot": {func(w *sim.World, n *sim.Node) {
			for i := range 10 {
				w.After(time.Duration(i)*time.Second/2, func() { n.ClockAhead += time.Second })
			}
		}, 6 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, ledger := presigning(t, 1, 2)
			n := w.Nodes[1]
			parked := n.Core().Status().Presignatures[0].Parked
			require.Positive(t, parked)
			before := n.Ended[types.ErrInterrupted]
			tt.befalls(w, n)
			w.Run(tt.after, func() bool { return false })
			if !tt.drops {
				require.Equal(t, before, n.Ended[types.ErrInterrupted])
				return
			}
			require.GreaterOrEqual(t, n.Ended[types.ErrInterrupted]-before, parked, "all of them, whoever owns them")
			require.True(t, w.Run(2*time.Minute, func() bool { return stocked(w, 2) }), "%v", stock(w))
			signsAll(t, w, "after-a-sleep")
			require.Empty(t, ledger.Broken())
			require.Empty(t, w.Broken())
			nobodyAccused(t, w)
		})
	}
}

// TestNothingIsUsedAfterASleep: an owner that waited for it finds nothing to use. What a
// signer did before it was put back, it does not do again for another request.
func TestNothingIsUsedAfterASleep(t *testing.T) {
	w, ledger := presigning(t, 2, 2)
	asleep, owner := w.Nodes[1], w.Nodes[0]
	asleep.Sleep(w.Timing.Stall + time.Second)
	w.Run(w.Timing.Stall-2*time.Second, func() bool { return false })
	uses := 0
	w.Delivered = func(_, to *sim.Node, e *wire.Envelope) {
		if to == asleep && e.Header.Type == "consume" {
			uses++
		}
	}
	for _, id := range idsLedBy(w, types.KindSign, owner, 0, 2) { // their uses wait for it when it wakes
		w.Chain.Sign(id, "key", digestOf(id))
	}
	fixed := ledger.Fixed(asleep.Operator)
	require.True(t, w.Run(10*time.Second, func() bool { return asleep.Ended[types.ErrInterrupted] > 0 }))
	w.Run(time.Second, func() bool { return false })
	require.Positive(t, uses, "nobody wanted to use anything")
	require.Equal(t, fixed, ledger.Fixed(asleep.Operator), "it used what it had when it fell asleep")
	require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() == 0 }))
	require.Empty(t, ledger.Broken())
}

// TestNothingIsUsedAfterALeap: a machine whose clocks go on as if nothing happened finds out by
// the blocks that it missed: it uses nothing of what it had, be it that they come one by one, or
// all at once.
func TestNothingIsUsedAfterALeap(t *testing.T) {
	const missed = 30 * time.Second
	for name, befalls := range map[string]func(w *sim.World, n *sim.Node){
		"clocks that stood still": func(_ *sim.World, n *sim.Node) { n.StandStill(missed) },
		"blocks all at once": func(w *sim.World, n *sim.Node) {
			n.FallBehind()
			w.After(missed, n.CatchUp)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, ledger := presigning(t, 2, 2)
			n, owner := w.Nodes[1], w.Nodes[0]
			befalls(w, n)
			w.Run(missed-2500*time.Millisecond, func() bool { return false })
			uses := 0
			w.Delivered = func(_, to *sim.Node, e *wire.Envelope) {
				if to == n && e.Header.Type == "consume" {
					uses++
				}
			}
			for _, id := range idsLedBy(w, types.KindSign, owner, 0, 2) { // their uses wait until it has the block
				w.Chain.Sign(id, "key", digestOf(id))
			}
			fixed := ledger.Fixed(n.Operator)
			require.True(t, w.Run(10*time.Second, func() bool { return n.Ended[types.ErrInterrupted] > 0 }))
			w.Run(time.Second, func() bool { return false })
			require.Positive(t, uses, "nobody wanted to use anything")
			require.Equal(t, fixed, ledger.Fixed(n.Operator), "it used what it had before")
			require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() == 0 }))
			require.True(t, w.Run(2*time.Minute, func() bool { return stocked(w, 2) }), "%v", stock(w))
			require.Empty(t, ledger.Broken())
			nobodyAccused(t, w)
		})
	}
}
