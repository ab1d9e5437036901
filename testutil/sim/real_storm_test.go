package sim_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// realSeeds is how many seeds run without SIM_REAL_SEEDS in the environment; each
// takes some ten seconds of CPU.
const realSeeds = 2

// TestRealStorms: as TestStorms, with tss-lib and its guard on stored shares. One
// of three members lies, the weather is bad, and the other two sign all the same, each time with
// another nonce. In every other seed they have presignatures, and use one before anything goes
// wrong.
func TestRealStorms(t *testing.T) {
	if testing.Short() {
		t.Skip("real signatures take seconds of CPU each")
	}
	seeds := uint64(realSeeds)
	if s := os.Getenv("SIM_REAL_SEEDS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 32)
		require.NoError(t, err)
		seeds = n
	}
	first := uint64(1)
	if s := os.Getenv("SIM_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		first, seeds = n, 1
	}
	t.Parallel()
	for seed := first; seed < first+seeds; seed++ {
		runOne(t, seed, runRealStorm)
	}
}

func runRealStorm(t *testing.T, seed uint64) bool {
	t.Helper()
	k := fixtures.Shares(3, 1)
	s := &storm{ledger: fakeproto.NewLedger(), keys: []types.KeyID{"key"}, calm: true, target: int(seed % 2)}
	s.World = sim.New(t, sim.Config{
		Seed: seed, Nodes: 3, Operators: k.Operators, Protocols: s.ledger.Over(tss.New(tss.AllowInsecureFixtures())), Lag: 900 * time.Millisecond,
		Params: func(p *xtypes.Params) {
			p.SignLifetimeBlocks, p.FaultBlocks, p.PresignTarget = 300, 100, uint32(s.target)
		},
	})
	s.Chain.Attest("key", k.Threshold, k.Session, k.Payload.Encode())
	storeShares(t, s.World, k)

	recovers := func(id string, digest [32]byte) {
		t.Helper()
		sig, ok := s.Chain.Signature(id)
		require.True(t, ok, "%s failed though only the liar was in the way for minutes", id)
		recovered, err := crypto.SigToPub(digest[:], append(append(sig.R, sig.S...), byte(sig.V)))
		require.NoError(t, err)
		require.Equal(t, k.Payload.PublicKey, crypto.CompressPubkey(recovered))
	}
	s.stock(t)
	if s.target > 0 {
		signsAll(t, s.World, "ahead")
		recovers("ahead", sha256.Sum256([]byte("ahead")))
		require.Equal(t, k.Threshold+1, s.used(), "it was not signed with what was ready")
		s.stock(t)
	}

	liar := s.Nodes[s.Rand.IntN(len(s.Nodes))]
	s.liars, s.calm = []*sim.Node{liar}, false
	s.Meddle, s.Chain.Bundles = s.weather, s.bundle
	s.RandomLiar(liar, 5+s.Rand.IntN(30))
	s.After(3*time.Second, s.trouble)
	const signatures = 3
	digests := make([][32]byte, signatures)
	for i := range digests {
		digests[i] = sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, i))
		s.Chain.Sign(fmt.Sprintf("sig-%d", i), "key", digests[i][:])
	}
	s.Run(60*time.Second, func() bool { return false })
	s.calmDown()
	require.True(t, s.Run(maxAttempts*signAttempt, func() bool { return allUp(s.World) && s.Chain.Open() == 0 }), "requests are stuck")
	for i, digest := range digests {
		recovers(fmt.Sprintf("sig-%d", i), digest)
	}
	require.GreaterOrEqual(t, s.Nonces(), signatures+s.target, "two of the signatures have one R")
	s.sound(t)
	return s.lied()
}

// storeShares gives all nodes their stored shares of a key that they attested, as a
// session left them.
func storeShares(t *testing.T, w *sim.World, k fixtures.KeySet) {
	t.Helper()
	require.True(t, w.Run(time.Minute, ready(w, "key")))
	key, _ := w.Chain.Key("key")
	for _, n := range w.Nodes {
		require.NoError(t, n.Store.PutRecord(types.Record{
			RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{1}}, Context: k.Session,
			Algorithm: types.ECDSASecp256k1, Status: types.StatusPending, Data: k.Share(n.Operator),
			PublicKey: k.Payload.PublicKey, Payload: k.Payload.Encode(), Participants: k.Operators, Threshold: k.Threshold,
			Request: types.RequestID{Kind: types.KindKeygen, ID: "key"}, Commitment: key.Commitment, IdentityVersion: 1,
		}))
		n.RestartAfter(0) // it reads its store when it starts
	}
	require.True(t, w.Run(time.Minute, func() bool { return settled(w) }))
}
