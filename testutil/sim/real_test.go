package sim_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestRealProtocols makes a key and signs with it by tss-lib, through engines,
// sessions, envelopes and x/mpc, one participant down.
func TestRealProtocols(t *testing.T) {
	if testing.Short() {
		t.Skip("a real keygen takes half a minute of CPU")
	}
	t.Parallel()
	w := sim.New(t, sim.Config{
		Seed: 3, Nodes: 3, Protocols: tss.New(tss.AllowInsecureFixtures()), Preparams: 1, MakePreparams: fixtures.Preparams,
	})
	w.Chain.Keygen("key", 1)
	require.True(t, w.Run(time.Minute, ready(w, "key")))
	holdsWinner(t, w, "key")
	w.Nodes[0].Crash()

	digest := sha256.Sum256([]byte("hello"))
	w.Chain.Sign("sig", "key", digest[:])
	require.True(t, w.Run(2*time.Minute, func() bool { _, ok := w.Chain.Signature("sig"); return ok }))
	sig, _ := w.Chain.Signature("sig")
	key, _ := w.Chain.Key("key")
	recovered, err := crypto.SigToPub(digest[:], append(append(sig.R, sig.S...), byte(sig.V)))
	require.NoError(t, err)
	require.Equal(t, key.PublicKey, crypto.CompressPubkey(recovered))
	for _, n := range w.Nodes[1:] {
		sets, err := n.Store.Preparams()
		require.NoError(t, err)
		require.Empty(t, sets, "pre-parameters are single use")
	}
	require.Equal(t, types.KeyReady, key.Status)
}

// TestRealReshare gives two of the three participants of a stored key fresh shares by
// tss-lib, which then sign.
func TestRealReshare(t *testing.T) {
	if testing.Short() {
		t.Skip("a real reshare takes half a minute of CPU")
	}
	t.Parallel()
	k := fixtures.Shares(3, 1)
	w := sim.New(t, sim.Config{
		Seed: 4, Nodes: 3, Operators: k.Operators, Protocols: tss.New(tss.AllowInsecureFixtures()), Preparams: 1,
		MakePreparams: func(i int) []byte { return fixtures.Preparams(fixtures.PreparamSets - 1 - i) }, // not those of the key
		Params:        func(p *xtypes.Params) { p.RetireBlocks = 10 },
	})
	w.Chain.Attest("key", k.Threshold, k.Session, k.Payload.Encode())
	storeShares(t, w, k)
	w.Chain.Reshare("refresh", "key", 1, w.Nodes[1:]...)
	require.True(t, w.Run(5*time.Minute, reshared(w, "refresh")))
	signsAll(t, w, "after")
	retired(t, w)
	holdsEpoch(t, w, 1, w.Nodes[1:]...)
	sig, _ := w.Chain.Signature("after")
	digest := sha256.Sum256([]byte("after"))
	recovered, err := crypto.SigToPub(digest[:], append(append(sig.R, sig.S...), byte(sig.V)))
	require.NoError(t, err)
	require.Equal(t, k.Payload.PublicKey, crypto.CompressPubkey(recovered))
}
