package sim_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// fewSeeds is how many seeds run without SIM_SEEDS in the environment, shortSeeds
// with -short. SIM_SEED runs one of them alone.
const (
	fewSeeds   = 60
	shortSeeds = 10
)

// forSeeds runs one part of as many seeds as SIM_SEEDS says, one share of them on
// each core.
func forSeeds(t *testing.T, part uint64, run func(*testing.T, uint64) bool) {
	seeds := uint64(fewSeeds)
	if testing.Short() {
		seeds = shortSeeds
	}
	if s := os.Getenv("SIM_SEEDS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 32)
		require.NoError(t, err)
		seeds = n
	}
	seeds = max(1, seeds/part)
	first := uint64(1)
	if s := os.Getenv("SIM_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		first, seeds = n, 1
	}
	shares := uint64(runtime.GOMAXPROCS(0))
	for share := range shares {
		t.Run(fmt.Sprint("share-", share), func(t *testing.T) {
			t.Parallel()
			for seed := first + share; seed < first+seeds; seed += shares {
				runOne(t, seed, run)
			}
		})
	}
}

// draws is how often another seed is drawn for one whose run is over before its liar did
// anything: it would be counted as survived.
const draws = 8

func runOne(t *testing.T, seed uint64, run func(*testing.T, uint64) bool) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("again with SIM_SEED=%d", seed)
		}
	}()
	for range draws {
		if run(t, seed) {
			return
		}
		t.Logf("seed %d: the liar did nothing", seed)
		seed += 1 << 32
	}
	require.Fail(t, "no liar ever did anything")
}

// troubledKeygen is for how long TestSeeds tries to make a key in bad weather, before it lets
// it calm down.
const troubledKeygen = 5 * keygenAttempt

// TestSeeds runs networks that lose, repeat, delay and reorder messages while
// nodes crash and restart, and checks what must hold whatever happens. As soon as everybody is up
// and connected, a key is there within maxKeygenAttempts after the attempt that the weather spoiled,
// and all signatures within maxAttempts.
func TestSeeds(t *testing.T) { forSeeds(t, 1, runSeed) }

func runSeed(t *testing.T, seed uint64) bool {
	runSeedTraced(t, seed, nil)
	return true // there is no liar
}

func runSeedTraced(t *testing.T, seed uint64, trace func(string)) {
	t.Helper()
	ledger := fakeproto.NewLedger()
	w := sim.New(t, sim.Config{
		Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{Ledger: ledger}, Preparams: 40, Lag: 900 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.RetireBlocks, p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 10, 12, 600 },
	})
	w.Trace = trace
	trouble := true
	w.Meddle = func(_, _ *sim.Node, _ *wire.Message) sim.Verdict {
		if !trouble {
			return sim.Verdict{}
		}
		v := sim.Verdict{Drop: w.Rand.IntN(100) < 8, Twice: w.Rand.IntN(100) < 8}
		if w.Rand.IntN(100) < 5 {
			v.Delay = time.Duration(w.Rand.IntN(4000)) * time.Millisecond
		}
		return v
	}
	var crash func()
	crash = func() {
		if n := w.Nodes[w.Rand.IntN(len(w.Nodes))]; trouble && n.Up() && w.Rand.IntN(3) == 0 {
			n.RestartAfter(time.Duration(500+w.Rand.IntN(12000)) * time.Millisecond)
		}
		w.After(10*time.Second, crash)
	}
	w.After(3*time.Second, crash)

	w.Chain.Keygen("key", 2)
	if !w.Run(troubledKeygen, ready(w, "key")) {
		trouble = false
		require.True(t, w.Run(time.Minute, func() bool { return allUp(w) }))
		require.True(t, w.Run((1+maxKeygenAttempts)*keygenAttempt, ready(w, "key")), "keygen is stuck")
		trouble = true
	}
	holdsWinner(t, w, "key")
	const signatures = 12
	for i := range signatures {
		digest := sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, i))
		w.Chain.Sign(fmt.Sprintf("sig-%02d", i), "key", digest[:])
	}
	w.Run(40*time.Second, func() bool { return false })
	trouble = false
	calm := w.Now()
	require.True(t, w.Run(time.Minute, func() bool { return allUp(w) }))
	require.True(t, w.Run(maxAttempts*signAttempt, func() bool { return w.Chain.Open() == 0 }), "requests are stuck")
	for i := range signatures {
		verifies(t, w, fmt.Sprintf("sig-%02d", i), sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, i)))
	}
	require.True(t, w.Run(2*time.Minute, func() bool { return settled(w) }), "something is left over")
	nothingIsHeld(t, w)
	key, _ := w.Chain.Key("key")
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		require.Len(t, records, 1, "losing sessions are still there after retire_blocks")
		require.Equal(t, types.StatusReady, records[0].Status)
		require.Equal(t, key.Session, records[0].Context)
	}
	require.Empty(t, w.Chain.Errors)
	require.Zero(t, w.Chain.Rejected)
	require.Empty(t, ledger.Broken())
	require.Empty(t, w.Broken())
	nobodyAccused(t, w)
	fair(t, w, calm)
}

// verifies: the chain has a signature of the key over this digest.
func verifies(t *testing.T, w *sim.World, id string, digest [32]byte) {
	t.Helper()
	key, _ := w.Chain.Key("key")
	s, ok := w.Chain.Signature(id)
	require.True(t, ok, "%s failed though everybody honest was connected for minutes", id)
	require.NoError(t, types.VerifySignature(key.PublicKey, digest[:], &s))
}

// nobodyAccused: in a network without liars no session ends for a lie.
func nobodyAccused(t *testing.T, w *sim.World) {
	t.Helper()
	for _, n := range w.Nodes {
		for _, reason := range []types.Reason{types.ErrProtocolFault, types.ErrOwnFailure, types.ErrBroadcastDiffer, types.ErrStorage, types.ErrDigestBound} {
			require.Zero(t, n.Ended[reason], "%s ended sessions with %s", n.Operator, reason)
		}
	}
}

// settled: no session, no result and no losing record is left anywhere.
func settled(w *sim.World) bool {
	for _, n := range w.Nodes {
		if !n.Up() {
			return false
		}
		if st := n.Core().Status(); len(st.Sessions) > 0 || st.Results > 0 || len(st.Records) != 1 {
			return false
		}
	}
	return true
}
