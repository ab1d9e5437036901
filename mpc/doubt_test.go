package mpc

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestDoubts: a session of more than two that failed for a lie of nobody knows whom
// counts against all others in it, and accuses nobody.
func TestDoubts(t *testing.T) {
	d, _, l := waiting(t)
	others := d.core.others(l.Session)
	require.Empty(t, d.core.doubtAll(l, d.now), "nothing ran, nobody is in it")
	require.Empty(t, others)

	d.core.doubts["op-01"] = doubt{3, d.now.Add(doubtFor)}
	require.Equal(t, 3, d.core.suspicion("op-01"))
	d.core.suspect([]types.Operator{"op-01"}, d.now)
	require.Equal(t, 4, d.core.suspicion("op-01"), "beside a quarrel of this node's own")
	d.now = d.now.Add(doubtFor)
	require.Zero(t, d.core.suspicion("op-01"))

	d.core.blame(l, session.End{Reason: types.ErrProtocolFault}, d.now)
	require.Empty(t, d.core.Results().Accusations, "before the first round it is this node's own failure")
	require.Zero(t, d.core.suspicion("op-01"))
}

// TestOwnFailures: what fails here is nobody else's fault, not even where one other runs the
// session; what a peer's numbers caused is.
func TestOwnFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		err     error
		reason  types.Reason
		accused bool
	}{
		"own":           {errors.New("no memory for a number"), types.ErrOwnFailure, false},
		"own, a panic":  {func() error { _, err := runStep(func() (session.Step, error) { panic("a number") }); return err }(), types.ErrOwnFailure, false},
		"of the others": {fmt.Errorf("%w: nobody can be named", types.ErrProtocolFault), types.ErrProtocolFault, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t)
			p.idle = true
			p.settle()
			p.live().HandleStep(session.Step{}, tt.err, p.now)
			require.Len(t, p.ends, 1)
			require.Equal(t, tt.reason, p.ends[0].Reason)
			require.Equal(t, tt.accused, len(p.core.Results().Accusations) == 1)
			require.Equal(t, tt.accused, p.core.suspicion("op-01") > 0)
		})
	}
}

// TestDepartures: who leaves counts as one quarrel more until it accuses another
// member of that very session.
func TestDepartures(t *testing.T) {
	left := func(d *desk, r *types.Request, session types.Context, others ...types.Operator) {
		d.core.left["op-03"] = departure{d.now.Add(suspectFor), session, r.ID, 0, others}
	}
	for name, tt := range map[string]struct {
		context types.Context
		others  []types.Operator
		want    int
	}{
		"says for whom":              {types.Context{4}, []types.Operator{"op-01", "op-02"}, 0},
		"accuses who was not there":  {types.Context{4}, []types.Operator{"op-02"}, 1},
		"accuses in another session": {types.Context{5}, []types.Operator{"op-01", "op-02"}, 1},
		"left what never ran":        {types.Context{}, []types.Operator{"op-01", "op-02"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d, r, _ := waiting(t)
			left(d, r, tt.context, tt.others...)
			require.Equal(t, 1, d.core.suspicion("op-03"))
			d.hear(d.accuse(r, "op-03", "op-01"))
			require.Equal(t, tt.want, d.core.suspicion("op-03"))
		})
	}

	for attempt, want := range []int{0, 1} {
		t.Run(fmt.Sprint("left before its Start, says so of attempt ", attempt), func(t *testing.T) {
			d, r, _ := waiting(t)
			d.view.Height += r.AttemptBlocks
			d.commit()
			left(d, r, types.Context{4}, "op-01", "op-02")
			a := d.accuse(r, "op-03", "op-01")
			a.Session, a.Attempt = types.Context{}, uint32(attempt)
			a.Sign(deskChain, d.keys["op-03"])
			d.hear(a)
			require.Equal(t, want, d.core.suspicion("op-03"))
		})
	}

	t.Run("names who it left for", func(t *testing.T) {
		for _, reason := range []types.Reason{types.ErrStalled, types.ErrProtocolFault} {
			d, _, l := waiting(t)
			leaves := session.End{Reason: types.ErrAborted, Left: "op-03", LeftFor: reason, LeftOver: []types.Operator{"op-01"}}
			for range 3 { // however often
				d.core.blame(l, leaves, d.now)
				require.Equal(t, 1, d.core.suspicion("op-01"))
				require.Equal(t, 1, d.core.suspicion("op-03"))
			}
			d.view.Faults = []types.Fault{{Participant: "op-01", Accuser: "op-03"}}
			d.commit()
			require.Equal(t, 1, d.core.suspicion("op-01"), "it is one quarrel, wherever it is said")
			require.Equal(t, 1, d.core.suspicion("op-03"))
			require.Zero(t, d.core.suspicion("op-02"))
			require.Empty(t, d.core.Results().Accusations, "what somebody says of another is not this node's word")
			d.view.Faults = nil
			d.commit()
			leaves.LeftOver = []types.Operator{"op-02"}
			d.core.blame(l, leaves, d.now)
			require.Equal(t, 2, d.core.suspicion("op-03"), "who lies about two looks worse than both")
			require.Equal(t, 1, d.core.suspicion("op-02"))
			d.now = d.now.Add(doubtFor)
			d.core.forgetFaults(d.now)
			require.Zero(t, d.core.suspicion("op-03"))
			require.Empty(t, d.core.leftOver)
		}
	})
	t.Run("names somebody and says that it is busy", func(t *testing.T) {
		d, _, l := waiting(t)
		d.core.blame(l, session.End{Reason: types.ErrAborted, Left: "op-03", LeftFor: types.ErrBusy, LeftOver: []types.Operator{"op-01"}}, d.now)
		require.Equal(t, 1, d.core.suspicion("op-03"))
		require.Zero(t, d.core.suspicion("op-01"))
	})
	t.Run("a quarrel is no excuse", func(t *testing.T) {
		d, _, l := waiting(t)
		d.view.Faults = []types.Fault{{Participant: "op-01", Accuser: "op-03"}}
		d.commit()
		d.core.blame(l, session.End{Reason: types.ErrAborted, Left: "op-03"}, d.now)
		require.Equal(t, 2, d.core.suspicion("op-03"))
	})
}
