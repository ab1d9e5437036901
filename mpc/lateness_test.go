package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestLateness: each whole stall time that this node waited for a member counts like a
// quarrel with it, and fades.
func TestLateness(t *testing.T) {
	d := newDesk(t, 4)
	d.start()
	stall := session.DefaultTiming().Stall
	wait := func(took time.Duration) int {
		d.now = d.now.Add(took)
		d.core.noteLate("op-01", took)
		return d.core.suspicion("op-01")
	}
	require.Zero(t, wait(stall-1))
	d.now = d.now.Add(lateFade * time.Second)
	require.Zero(t, wait(time.Second), "it faded meanwhile")
	require.Equal(t, 1, wait(time.Second))
	require.Equal(t, 2, wait(stall+time.Second))
	d.core.noteLate("op-01", stall)
	require.Equal(t, 2, d.core.suspicion("op-01"), "a wait in another session at the same time")
	require.Zero(t, d.core.suspicion("op-02"))
	require.Empty(t, d.core.Results().Accusations)

	for range 100 {
		wait(stall)
	}
	require.Equal(t, lateMost, d.core.suspicion("op-01"))
	require.Equal(t, 1, d.core.Holdings().Suspects)
	most := lateFade * lateMost * stall
	d.now = d.now.Add(most - lateFade*stall)
	d.core.Tick()
	require.Equal(t, 1, d.core.suspicion("op-01"))
	d.now = d.now.Add(1)
	require.Zero(t, d.core.suspicion("op-01"))
	d.now = d.now.Add(lateFade * stall)
	d.core.Tick()
	require.Empty(t, d.core.late)
}

// TestLatenessIsNoAccusation: it keeps nobody out: who is late is followed as ever.
func TestLatenessIsNoAccusation(t *testing.T) {
	d := newDesk(t, 4)
	d.hold(types.Context{5}, types.StatusReady)
	r := d.request(types.KindSign)
	d.view.Requests = []types.Request{r}
	d.start()
	leader := r.Initiator(0)
	d.now = d.now.Add(time.Hour)
	d.core.noteLate(leader, time.Hour)
	require.Equal(t, lateMost, d.core.suspicion(leader))
	require.Empty(t, d.core.shunned(&r, 0))
	d.core.HandleEnvelope(d.prepare(leader, r.ID, 0, 1))
	said, _, _ := d.answer()
	require.Equal(t, "ready", said)
}
