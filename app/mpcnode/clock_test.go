package mpcnode

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
)

// A clock that runs ahead is told from a node that is behind. A block comes every
// five seconds, or as it is said; the clock counts ages over 40 seconds.
func TestClockAhead(t *testing.T) {
	const interval = 5 * time.Second
	tests := []struct {
		name string
		// age of the last block at a step, and whether it is another one.
		age  func(step int) time.Duration
		next func(step int) bool // nil: always
		wait func(step int) bool // for block sync; nil: never
		want time.Duration
	}{
		{"a clock a minute ahead", func(int) time.Duration { return time.Minute }, nil, nil, time.Minute},
		{"blocks of uneven age", func(step int) time.Duration { return time.Minute + time.Duration(step%3)*4*time.Second }, nil, nil, 68 * time.Second},
		{"a clock a little ahead", func(int) time.Duration { return 40 * time.Second }, nil, nil, 0},
		{"a clock that is behind", func(int) time.Duration { return -time.Minute }, nil, nil, 0},
		{
			"a node that catches up at twice the chain's speed",
			func(step int) time.Duration { return 10*time.Minute - time.Duration(step)*interval }, nil, nil, 0,
		},
		{
			"a node without blocks", func(step int) time.Duration { return time.Minute + time.Duration(step)*interval },
			func(int) bool { return false }, nil, 0,
		},
		{"block sync", func(int) time.Duration { return time.Minute }, nil, func(int) bool { return true }, 0},
		{"a clock that was set right", func(step int) time.Duration {
			if step == 20 {
				return time.Second
			}
			return time.Minute
		}, nil, nil, 0},
		{"just after block sync", func(int) time.Duration { return time.Minute }, nil, func(step int) bool { return step < 16 }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := &fakeApp{height: 1}
			c := fakeChain(app, false, func(sight) {})
			now := time.Unix(10_000, 0)
			c.now = func() time.Time { return now }
			var v *mpc.View
			for step := range 21 {
				now = now.Add(interval)
				app.time = now.Add(-tt.age(step))
				if tt.next == nil || tt.next(step) {
					app.height++
				}
				c.sync = waits(tt.wait != nil && tt.wait(step))
				var err error
				v, err = c.View(t.Context(), nil)
				require.NoError(t, err)
			}
			require.Equal(t, tt.want, v.ClockAhead)
			if tt.want > 0 {
				require.True(t, v.CatchingUp)
			}
		})
	}
}
