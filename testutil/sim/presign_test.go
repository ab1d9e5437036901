package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// presigning is a network of four with a READY key of threshold 2, and as many
// presignatures of it as everybody keeps.
func presigning(t *testing.T, seed uint64, target int) (*sim.World, *fakeproto.Ledger) {
	t.Helper()
	return presigningBy(t, seed, 2, target)
}

// presigningBy is one with a key of another threshold.
func presigningBy(t *testing.T, seed uint64, threshold, target int) (*sim.World, *fakeproto.Ledger) {
	t.Helper()
	ledger := fakeproto.NewLedger()
	w := sim.New(t, sim.Config{
		Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{Ledger: ledger}, Preparams: 10, Lag: 100 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.RetireBlocks, p.PresignTarget = 10, uint32(target) },
	})
	w.Chain.Keygen("key", threshold)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	require.True(t, w.Run(10*time.Minute, func() bool { return stocked(w, target) }), "%v", stock(w))
	return w, ledger
}

func stock(w *sim.World) (all []mpc.PresignStatus) {
	for _, n := range w.Nodes {
		if n.Up() {
			all = append(all, n.Core().Status().Presignatures...)
		}
	}
	return all
}

// stocked: everybody who is up has as many presignatures of its own.
func stocked(w *sim.World, target int) bool {
	for _, n := range w.Nodes {
		if !n.Up() {
			continue
		}
		st := n.Core().Status().Presignatures
		if len(st) != 1 || st[0].Ready != target {
			return false
		}
	}
	return true
}

// roundsSaid lists the round messages that are sent from here on, by kind of request.
func roundsSaid(w *sim.World) map[string]int {
	said := make(map[string]int)
	w.Delivered = func(_, _ *sim.Node, e *wire.Envelope) {
		if e.Header.Kind == wire.KIND_ROUND {
			said[fmt.Sprintf("%s %d", types.RequestKind(e.Header.RequestKind), e.Header.Round)]++
		}
	}
	return said
}

// Requests are signed with what was made for them, in the block after next at the
// latest, and without a round of an ordinary signature.
func TestPresignatures(t *testing.T) {
	w, ledger := presigning(t, 1, 3)
	said := roundsSaid(w)
	for _, n := range w.Nodes {
		for _, id := range idsLedBy(w, types.KindSign, n, 0, 3) {
			w.Chain.Sign(id, "key", digestOf(id))
		}
	}
	require.True(t, w.Run(3*time.Second, func() bool { return w.Chain.Open() == 12 }))
	at := w.Now()
	require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() == 0 }))
	require.LessOrEqual(t, w.Now().Sub(at), 3*time.Second)
	require.NotContains(t, said, "sign 1")
	require.Equal(t, 12*3*2, said["presign 4"]-12*2, "three members to two others each, and twelve Consumes")
	require.True(t, w.Run(10*time.Minute, func() bool { return stocked(w, 3) }), "%v", stock(w))
	require.Empty(t, ledger.Broken())
	nobodyAccused(t, w)
}

// What there is no presignature for is signed without.
func TestPresignaturesRunOut(t *testing.T) {
	w, ledger := presigning(t, 2, 1)
	said := roundsSaid(w)
	ids := idsLedBy(w, types.KindSign, w.Nodes[0], 0, 5)
	for _, id := range ids {
		w.Chain.Sign(id, "key", digestOf(id))
	}
	require.True(t, w.Run(3*time.Second, func() bool { return w.Chain.Open() == 5 }))
	require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() == 0 }))
	require.NotZero(t, said["sign 1"])
	for _, id := range ids {
		_, signed := w.Chain.Signature(id)
		require.True(t, signed)
	}
	require.Empty(t, ledger.Broken())
	nobodyAccused(t, w)
}

// A signer that is gone costs an owner one try; the request is signed in the same
// attempt, and nobody is accused. One that restarted has nothing any more, says so, and
// is not waited for.
func TestPresignaturesOfWhoIsGone(t *testing.T) {
	for seed := range uint64(5) {
		for _, back := range []bool{false, true} {
			t.Run(fmt.Sprint(seed, back), func(t *testing.T) {
				w, ledger := presigning(t, seed, 2)
				gone := w.Nodes[3]
				gone.Crash()
				if back {
					gone.Start()
					w.Run(time.Second, func() bool { return false })
				}
				ids := idsLedBy(w, types.KindSign, w.Nodes[0], 0, 2)
				for _, id := range ids {
					w.Chain.Sign(id, "key", digestOf(id))
				}
				require.True(t, w.Run(3*time.Second, func() bool { return w.Chain.Open() == 2 }))
				at := w.Now()
				require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() == 0 }))
				require.Less(t, w.Now().Sub(at), signAttempt)
				require.Empty(t, ledger.Broken())
				nobodyAccused(t, w)
			})
		}
	}
}

// Presignatures end with the epoch that they are of, with the key, and with the
// parameter; nothing of them is left.
func TestPresignaturesEnd(t *testing.T) {
	for name, end := range map[string]func(w *sim.World){
		"deleted": func(w *sim.World) { w.Chain.Delete("key") },
		"parameter": func(w *sim.World) {
			w.Chain.ChangeParams(func(p *xtypes.Params) { p.PresignTarget = 0 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, ledger := presigning(t, 3, 2)
			end(w)
			require.True(t, w.Run(time.Minute, func() bool { return len(stock(w)) == 0 }), "%v", stock(w))
			nothingIsHeld(t, w)
			require.Empty(t, ledger.Broken())
			nobodyAccused(t, w)
		})
	}
}

// A reshare ends those of the old epoch, and others of the new one follow.
func TestPresignaturesAfterReshare(t *testing.T) {
	w, ledger := presigning(t, 4, 2)
	w.Chain.Reshare("re", "key", 2, w.Nodes...)
	require.True(t, w.Run(5*time.Minute, func() bool {
		k, _ := w.Chain.Key("key")
		return k.Epoch == 1
	}))
	require.True(t, w.Run(10*time.Minute, func() bool {
		for _, st := range stock(w) {
			if st.Epoch != 1 {
				return false
			}
		}
		return stocked(w, 2)
	}), "%v", stock(w))
	id := idsLedBy(w, types.KindSign, w.Nodes[0], 0, 1)[0]
	said := roundsSaid(w)
	w.Chain.Sign(id, "key", digestOf(id))
	require.True(t, w.Run(time.Minute, func() bool { _, signed := w.Chain.Signature(id); return signed }))
	require.NotContains(t, said, "sign 1")
	require.Empty(t, ledger.Broken())
	nobodyAccused(t, w)
}
