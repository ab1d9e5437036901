package audit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// A node that runs begins another file, and removes the oldest, between the listing of a log
// and its reading. That is no line that is missing, and no file either: all is read again.
func TestRotationWhileTheLogIsRead(t *testing.T) {
	for name, keep := range map[string]int{"all are kept": 0, "the oldest is removed": 3} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, _ := rotating(t, dir, keep, 60)
			l.keep.Removed = nil
			before, err := rotatedFiles(dir)
			require.NoError(t, err)
			reads, next := 0, 60
			rotate := func() {
				reads++
				for first := l.first; reads < 3 && l.first == first; next++ {
					require.NoError(t, l.Append(end(next, OutcomeOK)))
				}
			}
			r, err := verify(dir, rotate)
			require.NoError(t, err)
			number, hash := l.Last()
			require.Equal(t, number, r.Last)
			require.Equal(t, hash, r.Hash)
			require.Equal(t, 3, reads, "until nothing happened meanwhile")
			if keep > 0 {
				require.NoFileExists(t, before[0])
			}

			// So is the line that was the last one just before, and what it is about.
			reads = 0
			c, err := compare(dir, number, hash, rotate)
			require.NoError(t, err)
			require.True(t, c.Found)
			reads = 0
			last := end(next-1, OutcomeOK)
			found, err := find(dir, last.Request, "", rotate)
			require.NoError(t, err)
			require.Len(t, found, 1)
		})
	}
}

// Who finds other files each time says that, and not that the log was changed. A line that was
// changed is told of, whatever the node does.
func TestLogThatIsNeverSteady(t *testing.T) {
	dir := t.TempDir()
	l, _ := rotating(t, dir, 0, 60)
	reads, next := 0, 60
	rotate := func() {
		reads++
		for first := l.first; l.first == first; next++ {
			require.NoError(t, l.Append(end(next, OutcomeOK)))
		}
	}
	_, err := verify(dir, rotate)
	require.ErrorIs(t, err, errMoving)
	require.NotErrorIs(t, err, ErrBroken)
	require.NotEqual(t, types.ErrAudit, types.ReasonOf(err))
	require.ErrorContains(t, err, "try again")
	require.Equal(t, maxReads, reads)

	rotated, err := rotatedFiles(dir)
	require.NoError(t, err)
	text, err := os.ReadFile(rotated[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(rotated[0], append([]byte("x"), text...), 0o600))
	reads = 0
	_, err = verify(dir, func() {
		if reads == 0 {
			rotate()
		}
	})
	require.ErrorIs(t, err, ErrBroken)
	require.ErrorContains(t, err, filepath.Base(rotated[0])+", line 1: ")
}
