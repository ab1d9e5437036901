package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// An owner tells one signer of a presignature that it is used for one committed request,
// and the others that it is for another. Nobody computes with either; the owner is accused
// or proved to have said both, and nobody else; and others sign.
func TestPresignatureForTwoRequests(t *testing.T) {
	split, named := 0, 0
	for seed := uint64(1); seed <= 4; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w, ledger := presigning(t, seed, 2)
			liar := w.Nodes[int(seed)%4]
			w.SplitLiar(liar)
			ids := idsLedBy(w, types.KindSign, liar, 0, 2)
			for _, id := range ids {
				w.Chain.Sign(id, "key", digestOf(id))
			}
			require.True(t, w.Run(3*time.Second, func() bool { return w.Chain.Open() == 2 }))
			require.True(t, w.Run(2*time.Minute, func() bool { return w.Chain.Open() == 0 }))
			for _, id := range ids {
				verifies(t, w, id, [32]byte(digestOf(id)))
			}
			require.Positive(t, liar.Lied)
			require.Empty(t, ledger.Broken())
			require.Empty(t, w.Broken())
			named += accusations(t, w, liar)
			for _, f := range w.Chain.Faults() {
				require.Equal(t, liar.Operator, f.Participant, f.Reason)
				named++
			}
			split += ledger.Split()
		})
	}
	require.Positive(t, named)
	require.Positive(t, split, "no signers were ever told different digests: nothing was tried")
}
