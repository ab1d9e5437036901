package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// A node that gives no answer once does not end the demo, one that ended does.
func TestHasPresignature(t *testing.T) {
	busy := errors.New("no answer in time")
	for name, c := range map[string]struct {
		ready   int
		err     error
		running bool
		has     bool
		want    error
	}{
		"has one":    {ready: presignTarget, running: true, has: true},
		"has none":   {running: true},
		"no answer":  {err: busy, running: true},
		"it is gone": {err: busy, want: busy},
	} {
		has, err := hasPresignature(mpcnode.StatusReport{PresignaturesReady: c.ready}, c.err, c.running)
		require.Equal(t, c.want, err, name)
		require.Equal(t, c.has, has, name)
	}
}
