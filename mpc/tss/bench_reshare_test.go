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
	compare(t, bar{name: "reshare-2-to-2", most: maxRatio, runs: 5, unit: cpu, ours: func() {
		h := handover{c.old, c.session, c.old.Operators, c.members, newThreshold}
		require.NoError(t, (&fixtures.Lockstep{Parties: h.parties(t)}).Run().Err())
	}, base: func() { c.run(t) }})
}
