package sim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestRollbackOverFailedReshares: the chain is rolled back, by almost retire_blocks, over the
// failure of a reshare that all had shares of, and over others that were asked for since. There
// it comes off with those very shares.
func TestRollbackOverFailedReshares(t *testing.T) {
	p := newPast(t, 58)
	plantKey(t, p.World, 1, p.Nodes[:3]...)
	fails := func(id string) {
		p.Chain.Reshare(id, "key", 1, p.Nodes[1:]...)
		require.True(t, p.Run(time.Minute, func() bool {
			return !slices.ContainsFunc(p.Nodes[1:], func(n *sim.Node) bool { return !staged(t, n, id) })
		}), "%s is stuck", id)
		p.Chain.CancelReshare(id)
		require.True(t, p.Run(time.Minute, func() bool { return p.Chain.ReshareStatus(id) == xtypes.RESHARE_STATUS_ERROR }))
	}
	fails("r")
	failed := p.Chain.Height()
	records, err := p.Nodes[3].Store.Records()
	require.NoError(t, err)
	made := records[slices.IndexFunc(records, func(r types.Record) bool { return r.Request.ID == "r" && r.HasData })].Context
	for i := range 2 {
		fails(fmt.Sprint("later-", i))
	}
	p.Nodes[3].Crash()
	p.Chain.Reshare("open", "key", 1, p.Nodes[1:]...)
	last := failed + 28 // of 30
	require.True(t, p.Run(2*time.Minute, func() bool { return p.Chain.Height() == last }))
	require.Equal(t, xtypes.RESHARE_STATUS_PENDING, p.Chain.ReshareStatus("open"))
	p.backTo(failed - 1)
	p.Nodes[3].Start()
	require.True(t, p.Run(2*time.Minute, reshared(p.World, "r")), "the reshare is stuck")
	key, _ := p.Chain.Key("key")
	require.Equal(t, made, key.Session)
	p.sound(t, 1, lastThree(p)...)
	retired(t, p.World)
	holdsEpoch(t, p.World, 1, lastThree(p)...)
	require.Empty(t, p.Chain.Errors)
}
