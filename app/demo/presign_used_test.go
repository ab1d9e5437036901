package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// Only a presignature that was used, to its end, counts, and only what is over is judged.
func TestMadeAhead(t *testing.T) {
	var now time.Time
	for name, tt := range map[string]struct {
		sessions    []mpcnode.TimelineReport
		ahead, over bool
	}{
		"no session":         {over: true},
		"with one":           {sessions: []mpcnode.TimelineReport{{Presigned: true, Ended: &now}}, ahead: true, over: true},
		"without":            {sessions: []mpcnode.TimelineReport{{Ended: &now}}, over: true},
		"one was lost":       {sessions: []mpcnode.TimelineReport{{Presigned: true, Ended: &now, Reason: "presign_lost"}, {Ended: &now}}, over: true},
		"the next one":       {sessions: []mpcnode.TimelineReport{{Presigned: true, Ended: &now, Reason: "presign_lost"}, {Presigned: true, Ended: &now}}, ahead: true, over: true},
		"one is at work yet": {sessions: []mpcnode.TimelineReport{{Presigned: true}}},
	} {
		ahead, over := madeAhead(mpcnode.InspectReport{Sessions: tt.sessions})
		require.Equal(t, tt.ahead, ahead, name)
		require.Equal(t, tt.over, over, name)
	}
}
