package tss_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// TestBenchReshare compares a resharing of a key of two to two, one of them new, with
// the bare library, in seconds of CPU. It runs with MPC_BENCH=1.
func TestBenchReshare(t *testing.T) {
	onlyWhenAsked(t)
	c := reshareCommittees()
	compareCPU(t, "reshare-2-to-2", 4, func() {
		h := handover{c.old, c.session, c.old.Operators, c.members, newThreshold}
		require.NoError(t, (&fixtures.Lockstep{Parties: h.parties(t)}).Run().Err())
	}, func() { c.run(t) })
}
