package sim_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// scripted is a network of four with a key of which any three sign.
func scripted(t *testing.T, seed uint64) (*sim.World, *fakeproto.Ledger) {
	t.Helper()
	ledger := fakeproto.NewLedger()
	w := sim.New(t, sim.Config{
		Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{Ledger: ledger}, Preparams: 4, Lag: 300 * time.Millisecond,
	})
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(maxKeygenAttempts*keygenAttempt, ready(w, "key")))
	require.True(t, w.Run(time.Minute, func() bool { return settled(w) }))
	return w, ledger
}

// eachLeads asks for a signature of which each member leads the first attempt, and waits until
// all are there, within maxAttempts.
func eachLeads(t *testing.T, w *sim.World) {
	t.Helper()
	var ids []string
	for _, n := range w.Nodes {
		ids = append(ids, idsLedBy(w, types.KindSign, n, 0, 1)...)
	}
	for _, id := range ids {
		digest := sha256.Sum256([]byte(id))
		w.Chain.Sign(id, "key", digest[:])
	}
	require.True(t, w.Run(maxAttempts*signAttempt, func() bool { return allUp(w) && w.Chain.Open() == 0 }))
	for _, id := range ids {
		verifies(t, w, id, sha256.Sum256([]byte(id)))
	}
}

// TestDropAndRestart: add four participants, the last of which is away, commit a signature, drop
// what the second says to the third in round 4, however often it says it, restart the first when
// that happens, and expect the signature.
func TestDropAndRestart(t *testing.T) {
	w, ledger := scripted(t, 71)
	first, second, third, last := w.Nodes[0], w.Nodes[1], w.Nodes[2], w.Nodes[3]
	last.Crash() // so all of the others sign
	dropped := 0
	w.Drop(sim.Aim{From: second, To: third, Kind: wire.KIND_ROUND, Round: 4}, func() {
		if dropped++; dropped == 1 {
			w.After(0, func() { first.RestartAfter(time.Second) })
		}
	})
	digest := sha256.Sum256([]byte("dropped"))
	w.Chain.Sign("dropped", "key", digest[:])
	require.True(t, w.Run(maxAttempts*signAttempt, func() bool { _, done := w.Chain.Signature("dropped"); return done }))
	verifies(t, w, "dropped", digest)
	require.Greater(t, dropped, 1, "it is said again")
	require.Equal(t, 1, first.Restarts)
	require.Empty(t, ledger.Broken())
	require.Empty(t, w.Broken())
	nobodyAccused(t, w)
	fair(t, w, w.Now())
}

// TestAimedLies: one member tells the same lie in all its messages of one type, and the truth in
// all others. Every signature is there in time, and no honest member accuses another one.
func TestAimedLies(t *testing.T) {
	for _, typ := range []string{"s1p", "s1b", "s2", "s3", "s4"} {
		for i, name := range sim.Lies() {
			t.Run(typ+", "+name, func(t *testing.T) {
				t.Parallel()
				w, ledger := scripted(t, uint64(100+i))
				liar := w.Nodes[w.Rand.IntN(len(w.Nodes))]
				w.LieAt(liar, name, sim.Aim{Kind: wire.KIND_ROUND, Type: typ})
				eachLeads(t, w)
				require.Positive(t, liar.Lied)
				require.Empty(t, ledger.Broken())
				require.Empty(t, w.Broken())
				fair(t, w, time.Time{}, liar) // it was calm all the time
				for _, n := range w.Nodes {
					require.Zero(t, n.Ended[types.ErrStorage])
				}
			})
		}
	}
}

// TestLieToOne: what a member says to one other alone, in one round, is found out by all of the
// session, and is proof against it.
func TestLieToOne(t *testing.T) {
	w, ledger := scripted(t, 72)
	liar, victim := w.Nodes[1], w.Nodes[2]
	w.Nodes[3].Crash() // so the liar and its victim are among the first that sign
	w.LieAt(liar, "another body", sim.Aim{To: victim, Kind: wire.KIND_ROUND, Round: 1, Type: "s1b"})
	digest := sha256.Sum256([]byte("lied"))
	w.Chain.Sign("lied", "key", digest[:])
	require.True(t, w.Run(maxAttempts*signAttempt, func() bool { return len(w.Chain.Proven()) > 0 }))
	require.Equal(t, liar.Operator, w.Chain.Proven()[0].Participant)
	w.Nodes[3].Start()
	require.True(t, w.Run(maxAttempts*signAttempt, func() bool { _, done := w.Chain.Signature("lied"); return done }), "the others do not sign without it")
	verifies(t, w, "lied", digest)
	require.Empty(t, ledger.Broken())
	require.Empty(t, w.Broken())
	fair(t, w, time.Time{}, liar) // it was calm all the time
}
