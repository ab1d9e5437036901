package tss_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// TestBenchEngine compares whole nodes with the bare library: engines, signed
// and sealed envelopes, guard, echo, x/mpc's blocks and all, in seconds of CPU
// of one process on the same pre-parameters and the same shares. Their stores are in
// memory, and the signature of a broadcast is checked once for all of them: together they
// are milliseconds of these seconds, which TestBenchThroughput has. It runs with
// MPC_BENCH=1.
func TestBenchEngine(t *testing.T) {
	onlyWhenAsked(t)
	const keygens = 3
	var worlds []*sim.World
	for i := range keygens {
		worlds = append(worlds, sim.New(t, sim.Config{
			Seed: uint64(i + 1), Nodes: 4, Protocols: tss.New(tss.AllowInsecureFixtures()), Preparams: 1, MakePreparams: fixtures.Preparams,
		}))
	}
	made := 0
	compare(t, bar{name: "engine-keygen-4-2", most: maxRatio, runs: keygens, unit: cpu, ours: func() {
		w := worlds[made]
		made++
		w.Chain.Keygen("key", 2)
		require.True(t, w.Run(time.Minute, func() bool {
			k, _ := w.Chain.Key("key")
			return k.Status == types.KeyReady
		}))
	}, base: func() { rawKeygen(t, fixtures.Shares(4, 2)) }})

	w := worlds[0]
	k := simulatedKey(t, w)
	digest := digestOf("bench")
	signed := 0
	compare(t, bar{name: "engine-sign-3-of-4", most: maxRatio, runs: 7, unit: cpu, ours: func() {
		signed++
		id := fmt.Sprint("sig-", signed)
		w.Chain.Sign(id, "key", digest)
		require.True(t, w.Run(time.Minute, func() bool { _, ok := w.Chain.Signature(id); return ok }))
	}, base: func() { rawSign(t, k, digest, k.Operators[:3]) }})
}

// simulatedKey collects the shares of all nodes.
func simulatedKey(t *testing.T, w *sim.World) fixtures.KeySet {
	t.Helper()
	key, _ := w.Chain.Key("key")
	k := fixtures.KeySet{Threshold: key.Threshold, Session: key.Session, Operators: key.Participants}
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		i := slices.IndexFunc(records, func(r types.Record) bool { return r.Context == key.Session })
		share, err := n.Store.OpenShare(records[i].RecordKey)
		require.NoError(t, err)
		k.Shares = append(k.Shares, share)
	}
	return k
}
