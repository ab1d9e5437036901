package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestSlept: who waits for somebody and was asleep meanwhile waits for as long as it
// would have, but for a resend time.
func TestSlept(t *testing.T) {
	for _, tt := range []struct {
		name   string
		make   func(testing.TB) *network
		who    int
		limit  time.Duration
		reason types.Reason
		of     types.Operator
	}{
		{"leads", func(t testing.TB) *network { return prepared(newKeygen(t, 2)) }, 0, 45 * time.Second, types.ErrStartTimeout, "op-b"},
		{"said Ready", func(t testing.TB) *network { return prepared(newKeygen(t, 2)) }, 1, time.Minute, types.ErrStartTimeout, "op-a"},
		{"runs", lacking, 1, timing.Stall, types.ErrStalled, "op-c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := tt.make(t)
			p := n.players[tt.who]
			before := p.s.Phase()
			n.now = epoch.Add(5 * time.Minute)
			p.s.Slept(epoch.Add(-time.Hour), n.now) // it did not begin before it was opened
			p.tick()
			require.Equal(t, before, p.s.Phase(), "%v", p.ends)
			for range 4 { // what is no longer than a resend time is no sleep
				last := n.now
				n.now = n.now.Add(timing.Resend)
				p.s.Slept(last, n.now)
			}
			n.now = n.now.Add(tt.limit - 5*timing.Resend - 1)
			p.tick()
			require.Equal(t, before, p.s.Phase(), "%v", p.ends)
			n.now = n.now.Add(1)
			p.tick()
			require.Equal(t, tt.reason, p.ended().Reason)
			require.Equal(t, []types.Operator{tt.of}, p.ends[0].Culprits)
		})
	}
}

// TestSleptHearing: what came while this node was asleep, and what it heard just before
// it looks again, is no reason to wait longer than from then on.
func TestSleptHearing(t *testing.T) {
	n := lacking(t)
	b, c := n.players[1], n.players[2]
	n.now = epoch.Add(time.Minute)
	b.hear(working(n, c, 0, 1))
	b.s.Slept(epoch, n.now)
	n.now = n.now.Add(timing.Stall - 1)
	b.tick()
	require.Equal(t, session.Running, b.s.Phase())
	n.now = n.now.Add(1)
	b.tick()
	require.Equal(t, types.ErrStalled, b.ended().Reason)
}
