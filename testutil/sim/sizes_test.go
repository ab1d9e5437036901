package sim_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// sizesLimit is virtual time, of which there is plenty.
	sizesLimit = time.Hour
	// heapEvery is how many delivered envelopes lie between two looks at the heap.
	heapEvery = 50
)

// TestBenchSizes measures what operations of whole nodes cost others than time: the
// bytes of all messages between all of them (envelopes, echo, resends and results, before
// the transport frames and encrypts them), and the memory of a running session and of a
// parked presignature at each of its signers: the most that is alive beyond what was there
// before, of the network's messages on their way too, looked at each heapEvery messages.
// Keys have n participants and threshold n/2; a resharing gives all of them new shares. It
// runs with MPC_BENCH=1.
func TestBenchSizes(t *testing.T) {
	for _, n := range []int{4, 7, 10, 16} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if os.Getenv("MPC_BENCH") == "" {
				t.Skip("set MPC_BENCH=1 to measure")
			}
			benchSizes(t, n)
		})
	}
}

func benchSizes(t *testing.T, n int) {
	threshold := n / 2
	w := sim.New(t, sim.Config{
		Seed: 1, Nodes: n, Protocols: tss.New(tss.AllowInsecureFixtures()), Preparams: 2,
		MakePreparams: func(i int) []byte { return preparamsFor(t, i) },
		Params:        func(p *xtypes.Params) { p.MaxParticipants = uint32(n) },
	})
	one := func(name string, parties int, ask func(), done func() bool) {
		t.Helper()
		bytes, peak := measureSizes(t, w, everything, ask, done)
		fmt.Printf("bench size-%s n=%d signers=%d wire=%dB wire-per-node=%dB memory-per-session=%dB\n",
			name, n, parties, bytes, bytes/uint64(n), peak/uint64(parties))
	}
	signed := func(id string) func() bool {
		return func() bool { _, ok := w.Chain.Signature(id); return ok }
	}
	one("keygen", n, func() { w.Chain.Keygen("key", threshold) }, func() bool {
		k, _ := w.Chain.Key("key")
		return k.Status == types.KeyReady
	})
	one("sign", threshold+1, func() { w.Chain.Sign("plain", "key", digestOf("plain")) }, signed("plain"))

	before := heap()
	fill := func() { w.Chain.ChangeParams(func(p *xtypes.Params) { p.PresignTarget = 1 }) }
	bytes, _ := measureSizes(t, w, everything, fill, func() bool { return parked(w) == n })
	fmt.Printf("bench size-presign n=%d signers=%d wire=%dB memory-per-parked=%dB\n",
		n, threshold+1, bytes/uint64(n), beyond(heap(), before)/uint64(n*(threshold+1)))
	bytes, _ = measureSizes(t, w, online, func() { w.Chain.Sign("pooled", "key", digestOf("pooled")) }, signed("pooled"))
	fmt.Printf("bench size-sign-presigned n=%d signers=%d wire=%dB wire-per-node=%dB\n", n, threshold+1, bytes, bytes/uint64(n))

	w.Chain.ChangeParams(func(p *xtypes.Params) { p.PresignTarget = 0 })
	require.True(t, w.Run(sizesLimit, func() bool { return parked(w) == 0 }))
	one("reshare", n, func() { w.Chain.Reshare("reshare", "key", threshold, w.Nodes...) }, reshared(w, "reshare"))
}

// preparamsFor is a stored set, or a fresh one where there are no more.
func preparamsFor(t *testing.T, i int) []byte {
	t.Helper()
	if i < fixtures.PreparamSets {
		return fixtures.Preparams(i)
	}
	set, err := tss.GeneratePreparams(t.Context(), nil, 1, nil)
	require.NoError(t, err)
	return set
}

// parked is how many presignatures there are, counted where they are led.
func parked(w *sim.World) (sum int) {
	for _, n := range w.Nodes {
		for _, s := range n.Core().Status().Presignatures {
			sum += s.Ready
		}
	}
	return sum
}

func everything(*wire.Message) bool { return true }

// online leaves out what makes a presignature: the pool is refilled as soon as one is
// used.
func online(m *wire.Message) bool {
	e := m.GetEnvelope()
	return e == nil || e.Header.Round > parkedAfter && e.Header.Kind != wire.KIND_PARKED
}

// parkedAfter is the last round before a presignature waits.
const parkedAfter = 3

// measureSizes counts what is sent from a request until it is done, and the most that
// is alive on the heap in between beyond what was there before.
func measureSizes(t *testing.T, w *sim.World, counts func(*wire.Message) bool, ask func(), done func() bool) (bytes, peak uint64) {
	t.Helper()
	before, envelopes := heap(), 0
	w.Meddle = func(_, _ *sim.Node, m *wire.Message) sim.Verdict {
		if counts(m) {
			bytes += uint64(m.Size())
		}
		return sim.Verdict{}
	}
	w.Delivered = func(*sim.Node, *sim.Node, *wire.Envelope) {
		if envelopes++; envelopes%heapEvery == 0 {
			peak = max(peak, heap())
		}
	}
	defer func() { w.Meddle, w.Delivered = nil, nil }()
	ask()
	require.True(t, w.Run(sizesLimit, done))
	return bytes, beyond(peak, before)
}

// beyond is how much more there is than before: the collector may have found more to free.
func beyond(now, before uint64) uint64 { return max(now, before) - before }

// heap is what is alive.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
