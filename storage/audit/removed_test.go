package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// rotating fills a log of small files, of which some are kept, with n lines, and returns
// what it told of those that were removed.
func rotating(t *testing.T, dir string, keep, n int) (l *Log, gone []uint64) {
	t.Helper()
	l = newLog(t, dir, 2<<10)
	l.keep = Retention{Files: keep, Removed: func(path string, last uint64, err error) {
		require.NoError(t, err)
		require.NoFileExists(t, path)
		gone = append(gone, last)
	}}
	for i := range n {
		require.NoError(t, l.Append(end(i, OutcomeOK)))
	}
	return l, gone
}

// The oldest file goes when there are more than are kept. Its owner hears of it, and a line
// names its last one, which Verify and Compare believe, and nothing else.
func TestRemovedFiles(t *testing.T) {
	for _, keep := range []int{MinFiles, 5} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			dir := t.TempDir()
			_, gone := rotating(t, dir, keep, 60)
			require.NotEmpty(t, gone)
			last := gone[len(gone)-1]
			r, err := Verify(dir)
			require.NoError(t, err)
			require.Equal(t, keep, r.Files)
			require.Equal(t, last+1, r.First)
			require.Contains(t, r.Notes[len(r.Notes)-1], fmt.Sprintf("file_removed: the oldest file, which ended with line %d:", last))
			c, err := Compare(dir, last, "")
			require.NoError(t, err)
			require.Equal(t, Comparison{Removed: true}, c)

			rotated, err := rotatedFiles(dir)
			require.NoError(t, err)
			require.NoError(t, os.Remove(rotated[0])) // by somebody else
			r, err = Verify(dir)
			require.ErrorIs(t, err, ErrBroken)
			require.ErrorContains(t, err, ", line 1: ")
			require.Zero(t, r.Last)
			c, err = Compare(dir, last+1, "")
			require.NoError(t, err)
			require.Equal(t, Comparison{}, c)
		})
	}
}

// Who keeps everything has everything; fewer are kept from the next file on.
func TestKeepsAllFiles(t *testing.T) {
	dir := t.TempDir()
	l, gone := rotating(t, dir, 0, 150)
	require.Empty(t, gone)
	r, err := Verify(dir)
	require.NoError(t, err)
	require.Equal(t, uint64(1), r.First)
	require.Greater(t, r.Files, 10)
	all := r.Files
	require.NoError(t, l.Close())
	_, gone = rotating(t, dir, 3, 10)
	require.Greater(t, len(gone), all-3)
	r, err = Verify(dir)
	require.NoError(t, err)
	require.Equal(t, 3, r.Files)
}

// A file of which nobody can say how it ended stays, and lines go on.
func TestFileThatCannotBeRemoved(t *testing.T) {
	dir := t.TempDir()
	l, _ := rotating(t, dir, 0, 20)
	rotated, err := rotatedFiles(dir)
	require.NoError(t, err)
	b, err := os.ReadFile(rotated[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(rotated[0], append(b, "x\n"...), 0o600))
	var told []error
	l.keep = Retention{Files: MinFiles, Removed: func(path string, _ uint64, err error) {
		require.Equal(t, rotated[0], path)
		told = append(told, err)
	}}
	for i := range 10 {
		require.NoError(t, l.Append(use(i)))
	}
	require.NotEmpty(t, told)
	require.ErrorContains(t, told[0], filepath.Base(rotated[0])+": its last line")
	for _, path := range rotated {
		require.FileExists(t, path)
	}
}

// However many files there are, a log whose oldest were taken away is not whole.
func TestFilesRemovedUnsaid(t *testing.T) {
	dir := t.TempDir()
	l, _ := rotating(t, dir, 0, 150)
	require.NoError(t, l.Close())
	rotated, err := rotatedFiles(dir)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, os.Remove(rotated[0]))
		rotated = rotated[1:]
		_, err = Verify(dir)
		require.ErrorIs(t, err, ErrBroken)
	}
	require.Greater(t, len(rotated), 10)
}
