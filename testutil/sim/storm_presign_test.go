package sim_test

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stormUses counts the presignatures that the storms of a test used. With none it tried none of
// what a use may go through; a seed alone may be one without.
type stormUses struct{ atomic.Int64 }

func newStormUses(t *testing.T) *stormUses {
	u := new(stormUses)
	t.Cleanup(func() { // after the seeds, which run in parallel
		if os.Getenv("SIM_SEED") == "" && !t.Failed() {
			require.Positive(t, u.Load(), "no storm used a presignature")
		}
	})
	return u
}

// of counts those of a storm that is over.
func (u *stormUses) of(s *storm) *storm {
	u.Add(int64(s.used()))
	return s
}

// used counts, by signer, the presignatures that somebody was told a digest for.
func (s *storm) used() (n int) {
	for _, node := range s.Nodes {
		n += s.ledger.Fixed(node.Operator)
	}
	return n
}

// stock lets everybody make as many presignatures as it keeps, if there are any to be. In bad
// weather some may not have all by the time that the requests come.
func (s *storm) stock(t *testing.T) {
	t.Helper()
	if s.target == 0 {
		return
	}
	stocked := s.Run(2*time.Minute, func() bool { return stocked(s.World, s.target) })
	require.True(t, stocked || !s.calm, "%v", stock(s.World))
}
