package p2p

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// The figure behind the budgets: what one message costs a worker.
func BenchmarkJudge(b *testing.B) {
	for _, size := range []int{32, 134 << 10} {
		b.Run(fmt.Sprintf("%d bytes", size), func(b *testing.B) {
			r, rec := lone(b, Options{}, defaultLimits())
			require.NoError(b, r.SetSelf(bob.self("b")))
			r.SetRoster(rosterOf(alice, bob))
			p := newFakePeer("p")
			r.InitPeer(p)
			rem, _ := r.remoteOf(p)
			r.operators["alice"] = rem // its own connection: no sender's budget
			a := arrival{from: rem, msg: alice.envelope(wire.KIND_ROUND, "bob", 1, make([]byte, size))}
			for b.Loop() {
				r.judge(a)
			}
			require.Equal(b, b.N, len(rec.sequences("alice")))
		})
	}
}
