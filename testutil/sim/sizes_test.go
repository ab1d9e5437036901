package sim_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// sizesVariable says how many nodes the network of a process has.
	sizesVariable = "MPC_BENCH_NODES"
	// sizesLimit is virtual time, of which there is plenty.
	sizesLimit = time.Hour
	// Networks of up to closelyUpTo are looked at after each event in which a message arrives
	// or leaves, as at the end of a step. Larger ones after each heapEvery of them.
	closelyUpTo, heapEvery = 7, 50
	// sizesPreparams is how many sets of pre-parameters each has: for a keygen and a reshare.
	sizesPreparams = 2
)

// TestBenchSizes measures what operations of whole nodes cost others than time: the
// bytes of all messages between all of them (envelopes, echo, resends and results, before
// the transport frames and encrypts them), and the memory of a running session and of a
// parked presignature at each of its signers: the most that is alive between two events of
// the network beyond what was there before, its messages on their way included, what a step
// holds only while it computes not. Keys have n participants and threshold n/2; a resharing
// gives all of them new shares. Each network has a process of its own, as many at a time as
// there are cores. It runs with MPC_BENCH=1; MPC_BENCH_NODES=4 measures the network of four.
func TestBenchSizes(t *testing.T) {
	if os.Getenv("MPC_BENCH") == "" {
		t.Skip("set MPC_BENCH=1 to measure")
	}
	if of := os.Getenv(sizesVariable); of != "" {
		n, err := strconv.Atoi(of)
		require.NoError(t, err)
		benchSizes(t, n)
		return
	}
	sizes := []int{16, 10, 7, 4} // what takes longest begins first
	printed := make([][]byte, len(sizes))
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, n := range sizes {
		group.Go(func() (err error) {
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^"+t.Name()+"$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", sizesVariable, n))
			if printed[i], err = cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%d nodes: %w: %s", n, err, printed[i])
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	for _, text := range slices.Backward(printed) {
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "bench ") {
				fmt.Print(line)
			}
		}
	}
}

func benchSizes(t *testing.T, n int) {
	threshold := n / 2
	sets := preparamsFor(t, n)
	w := sim.New(t, sim.Config{
		Seed: 1, Nodes: n, Protocols: tss.New(tss.AllowInsecureFixtures()), Preparams: sizesPreparams,
		// The second set of each is the first one of the next node: no session has one twice.
		MakePreparams: func(i int) []byte { return slices.Clone(sets[(i/sizesPreparams+i%sizesPreparams)%n]) },
		Params:        func(p *xtypes.Params) { p.MaxParticipants = uint32(n) },
	})
	one := func(name string, parties int, ask func(), done func() bool) {
		t.Helper()
		bytes, peak := measureSizes(t, w, nothing, ask, done)
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

	// One presignature, of whoever leads the request that uses it, and no other after it.
	owner := leaderOf(w, "pooled")
	before := aliveIn(w)
	fill := func() { w.Chain.ChangeParams(func(p *xtypes.Params) { p.PresignTarget = 1 }) }
	bytes, _ := measureSizes(t, w, presignPrepares(owner), fill, func() bool { return parked(w) == 1 })
	fmt.Printf("bench size-presign n=%d signers=%d wire=%dB memory-per-parked=%dB\n",
		n, threshold+1, bytes, beyond(aliveIn(w), before)/uint64(threshold+1))
	bytes, _ = measureSizes(t, w, presignPrepares(nil), func() { w.Chain.Sign("pooled", "key", digestOf("pooled")) }, signed("pooled"))
	fmt.Printf("bench size-sign-presigned n=%d signers=%d wire=%dB wire-per-node=%dB\n", n, threshold+1, bytes, bytes/uint64(n))
	require.Zero(t, parked(w), "it was used")

	w.Chain.ChangeParams(func(p *xtypes.Params) { p.PresignTarget = 0 })
	height := w.Chain.Height()
	require.True(t, w.Run(sizesLimit, func() bool { return w.Chain.Height() > height+1 }))
	one("reshare", n, func() { w.Chain.Reshare("reshare", "key", threshold, w.Nodes...) }, reshared(w, "reshare"))
}

// preparamsFor are stored sets, and fresh ones where there are no more.
func preparamsFor(t *testing.T, n int) (sets [][]byte) {
	t.Helper()
	for i := range n {
		if i < fixtures.PreparamSets {
			sets = append(sets, fixtures.Preparams(i))
			continue
		}
		set, err := tss.GeneratePreparams(t.Context(), nil, runtime.GOMAXPROCS(0), nil)
		require.NoError(t, err)
		sets = append(sets, set)
	}
	return sets
}

// leaderOf is who leads the first attempt at a signature with the key.
func leaderOf(w *sim.World, id string) *sim.Node {
	key, _ := w.Chain.Key("key")
	r := types.Request{ID: types.RequestID{Kind: types.KindSign, ID: id}, Epoch: key.Epoch}
	for _, op := range key.Participants {
		r.Members = append(r.Members, types.Member{Operator: op})
	}
	leader := r.Initiator(0)
	return w.Nodes[slices.IndexFunc(w.Nodes, func(n *sim.Node) bool { return n.Operator == leader })]
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

func nothing(*sim.Node, *wire.Message) bool { return false }

// presignPrepares are those of all nodes but one: without them nobody else makes a
// presignature.
func presignPrepares(but *sim.Node) func(*sim.Node, *wire.Message) bool {
	return func(from *sim.Node, m *wire.Message) bool {
		e := m.GetEnvelope()
		return from != but && e != nil && e.Header.Kind == wire.KIND_PREPARE && types.RequestKind(e.Header.RequestKind) == types.KindPresign
	}
}

// measureSizes counts what is sent from a request until it is done, but for what is lost,
// and the most that is alive on the heap in between beyond what was there before.
func measureSizes(t *testing.T, w *sim.World, lost func(*sim.Node, *wire.Message) bool, ask func(), done func() bool) (bytes, peak uint64) {
	t.Helper()
	before, events, sent, every := heap(), 0, 0, heapEvery
	if len(w.Nodes) <= closelyUpTo {
		every = 1
	}
	w.Meddle = func(from, _ *sim.Node, m *wire.Message) sim.Verdict {
		if lost(from, m) {
			return sim.Verdict{Drop: true}
		}
		sent++
		bytes += uint64(m.Size())
		return sim.Verdict{}
	}
	defer func() { w.Meddle = nil }()
	ask()
	seen := w.Messages + sent
	require.True(t, w.Run(sizesLimit, func() bool {
		if now := w.Messages + sent; now != seen {
			seen = now
			if events++; events%every == 0 {
				peak = max(peak, heap())
			}
		}
		return done()
	}))
	return bytes, beyond(peak, before)
}

// aliveIn is what is alive of a network, what the simulator alone remembers left out.
func aliveIn(w *sim.World) uint64 {
	clear(w.Verified)
	return heap()
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
