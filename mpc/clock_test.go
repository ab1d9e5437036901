package mpc

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestClockAhead: a clock that keeps the node out is named once, and again if it
// was right in between.
func TestClockAhead(t *testing.T) {
	d := newDesk(t, 4)
	var log bytes.Buffer
	d.start(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	warnings := func() int { return strings.Count(log.String(), "reason=catching_up clock_ahead=1m1s") }
	wrong := func() {
		for range 3 {
			d.view.Height++
			d.view.CatchingUp, d.view.ClockAhead = true, time.Minute+time.Second
			d.commit()
		}
	}
	wrong()
	require.Equal(t, 1, warnings(), log.String())
	require.Contains(t, log.String(), "set it right")
	require.Equal(t, time.Minute+time.Second, d.core.Status().ClockAhead)
	d.view.CatchingUp, d.view.ClockAhead = false, 0
	d.commit()
	require.Zero(t, d.core.Status().ClockAhead)
	wrong()
	require.Equal(t, 2, warnings())
}
