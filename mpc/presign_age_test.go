package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestLeap: with blocks that come faster than this node's clock goes, or many at once,
// presignatures go before they are used for what those bring. With others they are used.
func TestLeap(t *testing.T) {
	for name, tt := range map[string]struct {
		chain, here time.Duration // that passes
		blocks      int64
		catchingUp  bool
		gone        bool
	}{
		"an hour of blocks":                {presignMaxAge, 0, 5000, false, true},
		"an hour of blocks, and more come": {presignMaxAge, 0, 5000, true, true},
		"seconds of blocks":                {maxClockJump + time.Second + time.Millisecond, time.Second, 3, false, true},
		"a little less":                    {maxClockJump + time.Second, time.Second, 3, false, false},
		"many at once":                     {time.Second, time.Second, 10 * maxHeightJump, false, true},
		"some at once":                     {time.Second, time.Second, maxHeightJump, false, false},
		"a block that took long":           {10 * time.Second, 10 * time.Second, 1, false, false},
		"blocks of the past":               {-2 * presignMaxAge, time.Second, 3, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParked(t)
			l, sign := p.core.byContext[p.s.Context()], p.view.Requests[0]
			require.Equal(t, session.Parked, l.Phase())
			p.view.Requests = nil
			p.view.Height++
			p.view.Time = p.now // as far as its clock
			p.commit()
			require.Equal(t, session.Parked, l.Phase())
			sign.Height = p.view.Height + tt.blocks
			sign.ExpiryHeight = sign.Height + 100
			for old := sign.ID; sign.ID == old || sign.Initiator(0) != "op-01"; {
				sign.ID.ID += "y"
			}
			require.NoError(t, p.s.Consume(sign, 0, p.now))
			require.True(t, l.waits(), "for the block that has the request")

			p.view.Height, p.view.Time = sign.Height, p.view.Time.Add(tt.chain)
			p.view.CatchingUp = tt.catchingUp
			p.view.Requests = []types.Request{sign}
			p.now = p.now.Add(tt.here)
			p.commit()
			require.Equal(t, tt.gone, l.waits(), "it is used")
			require.Equal(t, tt.gone, l.Phase() == session.Ended)
			if tt.gone {
				require.Equal(t, types.ErrInterrupted, p.ends[len(p.ends)-1].Reason)
			}
			require.Zero(t, p.core.wasteOf("op-01").count)
			require.Empty(t, p.core.Results().Accusations)
		})
	}
}

// TestLateBlocksAreNoLeap: what counts is how far the chain's clock is ahead of this node's, and
// was before: blocks that come late, and then in time again, are no leap. A clock that drifts, or
// is wrong, tells nothing.
func TestLateBlocksAreNoLeap(t *testing.T) {
	k, v := chainClock{}, View{Time: poolEpoch.Add(-time.Hour)}
	elapsed := 5 * time.Second
	block := func(chain, here time.Duration) bool {
		v.Height, v.Time, elapsed = v.Height+1, v.Time.Add(chain), elapsed+here
		return k.leaps(&v, elapsed, maxHeightJump)
	}
	require.False(t, block(0, 0), "the first")
	require.False(t, block(time.Second, time.Hour), "nothing for an hour")
	require.False(t, block(time.Hour, time.Second), "then all as before")
	for range 10_000 {
		require.False(t, block(time.Second, time.Second-time.Millisecond/10), "a clock that is slow")
	}
	for range 10_000 {
		require.False(t, block(time.Second, time.Second+time.Millisecond/10), "a clock that is fast")
	}
	require.True(t, block(4*time.Second, time.Second), "blocks come at once")
	require.False(t, block(time.Second, time.Second), "it is known by now")
	leaps := 0
	for range 4 {
		if block(time.Second, 0) {
			leaps++
		}
	}
	require.Equal(t, 1, leaps, "blocks come one by one, and no time passes")
	require.False(t, k.leaps(&View{Height: v.Height + 1}, elapsed, maxHeightJump), "nobody says when it was")
}

// TestAgeByTheChain: one is too old by whichever clock says so first.
func TestAgeByTheChain(t *testing.T) {
	for _, old := range []bool{false, true} {
		p := newParked(t)
		l := p.core.byContext[p.s.Context()]
		l.parkedAt = p.view.Time.Add(-presignMaxAge)
		if !old {
			l.parkedAt = l.parkedAt.Add(time.Second)
		}
		p.commit()
		require.Equal(t, old, l.Phase() == session.Ended)
		if old {
			require.Equal(t, types.ErrPresignDropped, p.ends[len(p.ends)-1].Reason)
		}
	}
}
