package p2p

import (
	"strings"
	"testing"

	"github.com/cometbft/cometbft/libs/log"
	"github.com/stretchr/testify/require"
)

// A message is written so many times at once, and then now and then, whichever logger says
// it at whatever level; the next line says how many were left out. Others have their own room.
func TestSparingLog(t *testing.T) {
	c, out := newClock(), &lockedBuffer{}
	l := newSparingLog(log.NewTMLogger(log.NewSyncWriter(out)), c.now)
	said := func(msg string) int { return strings.Count(out.String(), msg) }
	for i := range 3 * sparingLines {
		l.With("peer", i).Error("again", "of", i)
		l.Info("again")
		l.Warn("again")
	}
	require.Equal(t, sparingLines, said("again"))
	require.NotContains(t, out.String(), "left_out")
	l.Info("else")
	require.Equal(t, 1, said("else"))

	c.add(sparingPause)
	l.Error("again", "of", "last")
	l.Error("again")
	require.Equal(t, sparingLines+1, said("again"))
	require.Contains(t, out.String(), "of=last left_out=400\n")
	c.add(sparingPause)
	l.Error("again")
	require.Contains(t, out.String(), "left_out=1\n")
}
