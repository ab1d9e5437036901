package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestLeapOfTheHeight: with blocks that come all at once a presignature that is too old by them
// goes, whatever this node's clock says, and before it is used for what they bring. One that is
// young enough is used.
func TestLeapOfTheHeight(t *testing.T) {
	for name, tt := range map[string]struct {
		passed     time.Duration // by the chain's clock
		catchingUp bool
		gone       bool
	}{
		"an hour of blocks":                {presignMaxAge, false, true},
		"an hour of blocks, and more come": {presignMaxAge, true, true},
		"almost an hour":                   {presignMaxAge - time.Second, false, false},
		"blocks of the past":               {-2 * presignMaxAge, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParked(t)
			l, sign := p.core.byContext[p.s.Context()], p.view.Requests[0]
			require.Equal(t, session.Parked, l.Phase())
			p.view.Requests = nil
			p.commit()
			sign.Height = p.view.Height + 5000
			sign.ExpiryHeight = sign.Height + 100
			for old := sign.ID; sign.ID == old || sign.Initiator(0) != "op-01"; {
				sign.ID.ID += "y"
			}
			require.NoError(t, p.s.Consume(sign, 0, p.now))
			require.True(t, l.waits(), "for the block that has the request")

			p.view.Height, p.view.Time = sign.Height, p.view.Time.Add(tt.passed)
			p.view.CatchingUp = tt.catchingUp
			p.view.Requests = []types.Request{sign}
			p.commit()
			require.Equal(t, tt.gone, l.waits(), "it is used")
			require.Equal(t, tt.gone, l.Phase() == session.Ended)
			if tt.gone {
				require.Equal(t, types.ErrPresignDropped, p.ends[len(p.ends)-1].Reason)
			}
			require.Zero(t, p.core.wasteOf("op-01").count)
			require.Empty(t, p.core.Results().Accusations)
		})
	}
}
