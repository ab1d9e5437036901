package audit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func newLog(t testing.TB, dir string, maxBytes int64) *Log {
	l, err := open(dir, maxBytes, func() time.Time { return at })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func use(i int) Entry {
	return Entry{
		Event: Begin, Kind: "sign", Request: fmt.Sprintf("s-%d", i), Key: "treasury", Epoch: 2, Height: int64(100 + i),
		Digest: "0a0b", Session: fmt.Sprintf("%064d", i), Attempt: 1, Signers: []string{"seqvaloper1a", "seqvaloper1b"},
	}
}

func end(i int, outcome string) Entry {
	e := use(i)
	e.Event, e.Outcome = End, outcome
	return e
}

// fill writes n uses, the last of which does not end.
func fill(t testing.TB, l *Log, n int) {
	for i := range n {
		require.NoError(t, l.Append(use(i)))
		if i < n-1 {
			require.NoError(t, l.Append(end(i, OutcomeOK)))
		}
	}
}

func TestLog(t *testing.T) {
	dir := t.TempDir()
	_, err := Verify(dir)
	require.ErrorIs(t, err, ErrNone)
	l := newLog(t, dir, MaxFileBytes)
	fill(t, l, 3)
	number, hash := l.Last()
	require.Equal(t, uint64(5), number)
	want := Report{
		Files: 1, First: 1, Last: 5, Hash: hash, Begun: 3, Ended: 2, Notes: []string{},
		Open: []string{"sign/s-2 session 0000000000000000"},
	}
	got, err := Verify(dir) // while it is written
	require.NoError(t, err)
	require.Equal(t, want, got)
	info, err := os.Stat(filepath.Join(dir, current))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	// The chain goes on.
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Append(use(9)), os.ErrClosed)
	again := newLog(t, dir, MaxFileBytes)
	require.NoError(t, again.Append(end(2, "stalled")))
	got, err = Verify(dir)
	require.NoError(t, err)
	require.Equal(t, uint64(6), got.Last)
	require.Empty(t, got.Open)
}

func TestVerifyNamesTheFirstBrokenLine(t *testing.T) {
	cut := func(lines []string, i int) []string { return append(append([]string{}, lines[:i]...), lines[i+1:]...) }
	for name, c := range map[string]struct {
		edit func([]string) []string
		line int
	}{
		"another digest": {func(l []string) []string { l[2] = strings.Replace(l[2], "0a0b", "0a0c", 1); return l }, 3},
		"another outcome": {func(l []string) []string {
			l[8] = strings.Replace(l[8], `"request":"s-4"`, `"request":"s-5"`, 1)
			return l
		}, 9},
		"a line less":    {func(l []string) []string { return cut(l, 3) }, 4},
		"the first less": {func(l []string) []string { return cut(l, 0) }, 1},
		"two swapped":    {func(l []string) []string { l[3], l[4] = l[4], l[3]; return l }, 4},
		"a line twice":   {func(l []string) []string { return append(append(l[:3:3], l[2]), l[3:]...) }, 4},
		"spaces":         {func(l []string) []string { l[1] = " " + l[1]; return l }, 2},
		"another field":  {func(l []string) []string { l[1] = strings.Replace(l[1], "{", `{"x":1,`, 1); return l }, 2},
		"no JSON":        {func(l []string) []string { l[1] = "x"; return l }, 2},
		"an empty line":  {func(l []string) []string { l[1] = ""; return l }, 2},
		"a long line":    {func(l []string) []string { l[1] = strings.Repeat("x", maxLineBytes+1); return l }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := newLog(t, dir, MaxFileBytes)
			fill(t, l, 5)
			path := filepath.Join(dir, current)
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
			require.Len(t, lines, 9)
			require.NoError(t, os.WriteFile(path, []byte(strings.Join(c.edit(lines), "\n")+"\n"), 0o600))
			r, err := Verify(dir)
			require.ErrorIs(t, err, ErrBroken)
			require.Equal(t, types.ErrAudit, types.ReasonOf(err))
			require.ErrorContains(t, err, fmt.Sprintf("%s, line %d: ", path, c.line))
			require.Equal(t, uint64(c.line-1), r.Last, "the lines before are fine")
		})
	}
}

// A line that a crash tore, at whatever byte, is cut off and noted; nothing else is
// lost.
func TestTornLine(t *testing.T) {
	dir := t.TempDir()
	l := newLog(t, dir, MaxFileBytes)
	fill(t, l, 2)
	require.NoError(t, l.Close())
	path := filepath.Join(dir, current)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	before := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for _, left := range []int{before + 1, before + 10, len(whole) - 1} {
		require.NoError(t, os.WriteFile(path, whole[:left], 0o600))
		r, err := Verify(dir)
		require.NoError(t, err)
		require.Equal(t, uint64(2), r.Last)
		require.Equal(t, left-before, r.TornBytes)

		again := newLog(t, dir, MaxFileBytes)
		require.NoError(t, again.Append(use(7)))
		require.NoError(t, again.Close())
		r, err = Verify(dir)
		require.NoError(t, err)
		require.Zero(t, r.TornBytes)
		require.Equal(t, uint64(4), r.Last)
		require.Equal(t, []string{fmt.Sprintf("line 3: repaired: %d bytes of a line that a crash tore were cut off", left-before)}, r.Notes)
	}
	// Nothing but a torn line.
	require.NoError(t, os.WriteFile(path, []byte(`{"n":1`), 0o600))
	again := newLog(t, dir, MaxFileBytes)
	number, _ := again.Last()
	require.Equal(t, uint64(1), number)
	r, err := Verify(dir)
	require.NoError(t, err)
	require.Equal(t, uint64(1), r.First)
}

// Lines cut off the end leave a chain that is whole: only who noted the last hash
// knows.
func TestLinesCutOffTheEnd(t *testing.T) {
	dir := t.TempDir()
	l := newLog(t, dir, MaxFileBytes)
	fill(t, l, 3)
	_, noted := l.Last()
	path := filepath.Join(dir, current)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := bytes.SplitAfter(b, []byte("\n"))
	require.NoError(t, os.WriteFile(path, bytes.Join(lines[:3], nil), 0o600))
	r, err := Verify(dir)
	require.NoError(t, err)
	require.Equal(t, uint64(3), r.Last)
	require.NotEqual(t, noted, r.Hash)
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	l := newLog(t, dir, 4<<10)
	l.keep.Files = 16
	fill(t, l, 200)
	number, hash := l.Last()
	r, err := Verify(dir)
	require.NoError(t, err)
	require.Equal(t, 16, r.Files)
	require.Equal(t, number, r.Last)
	require.Equal(t, hash, r.Hash)
	require.Greater(t, r.First, uint64(1), "the oldest are removed")
	total := int64(0)
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, name := range names {
		info, err := os.Stat(name)
		require.NoError(t, err)
		total += info.Size()
	}
	require.Less(t, total, int64(16)*(5<<10))

	// A crash in the middle of a rotation: the full file has its new name, and there
	// is no other, or an empty one.
	require.NoError(t, l.Close())
	require.NoError(t, os.Rename(filepath.Join(dir, current), filepath.Join(dir, rotatedName(l.first))))
	for range 2 {
		again := newLog(t, dir, 4<<10)
		n, h := again.Last()
		require.Equal(t, number, n)
		require.Equal(t, hash, h)
		require.NoError(t, again.Close())
	}
	again := newLog(t, dir, 4<<10)
	require.NoError(t, again.Append(use(1)))
	r, err = Verify(dir)
	require.NoError(t, err)
	require.Equal(t, number+1, r.Last)

	// A whole file in the middle is missing.
	rotated, err := rotatedFiles(dir)
	require.NoError(t, err)
	require.NoError(t, os.Remove(rotated[3]))
	_, err = Verify(dir)
	require.ErrorIs(t, err, ErrBroken)
	require.ErrorContains(t, err, rotated[4]+", line 1: ")
}

// Lines that could not be written are counted, and the log says so.
func TestGap(t *testing.T) {
	dir := t.TempDir()
	l := newLog(t, dir, MaxFileBytes)
	fill(t, l, 1)
	full := l.file
	readOnly, err := os.Open(full.Name())
	require.NoError(t, err)
	l.file = readOnly
	require.Error(t, l.Append(use(1)))
	require.Error(t, l.Append(use(2)))
	require.NoError(t, readOnly.Close())
	l.file = full
	require.NoError(t, l.Append(use(3)))
	r, err := Verify(dir)
	require.NoError(t, err)
	require.Equal(t, uint64(3), r.Last)
	require.Len(t, r.Notes, 1)
	require.Equal(t, "line 2: gap: 2 lines before this one could not be written; 0 of them follow", r.Notes[0])
}

// A log that cannot be opened is tried again and again; what was to be written meanwhile
// is counted, and what an operator did follows.
func TestOpenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "mpc")
		l := OpenLater(dir, Retention{})
		require.Error(t, l.Failing())
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var told []error
		var heads []Head
		said := func() ([]error, []Head) {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(told), slices.Clone(heads)
		}
		ended := make(chan error, 1)
		go func() {
			ended <- l.Run(ctx, func(err error) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, err)
			}, func(h Head, onDisk bool) {
				mu.Lock()
				defer mu.Unlock()
				heads = append(heads, h)
				require.Equal(t, h.Number > 0, onDisk)
			})
		}()
		require.Error(t, l.Append(use(1)))
		require.Error(t, l.Append(Entry{Event: BackedUp, Note: "file 1"}))
		at := time.Now()
		time.Sleep(3 * FlushInterval)
		synctest.Wait()
		require.Error(t, l.Failing())
		errs, noted := said()
		require.Empty(t, errs, "its owner knows")
		require.Equal(t, []Head{{Lost: 2}}, noted)

		require.NoError(t, os.Mkdir(dir, 0o700))
		time.Sleep(FlushInterval)
		synctest.Wait()
		require.NoError(t, l.Failing())
		errs, _ = said()
		require.Equal(t, []error{nil}, errs)
		require.NoError(t, l.Append(use(2)))
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, l.Close())
		_, noted = said()
		r, err := Verify(dir)
		require.NoError(t, err)
		require.Equal(t, uint64(3), r.Last)
		require.Equal(t, []string{
			"line 1: gap: 2 lines before this one could not be written; 1 of them follow", "line 2: backup: file 1",
		}, r.Notes)
		require.Equal(t, Head{Number: 3, Hash: r.Hash}, noted[len(noted)-1])
		last, _, _, err := tail(filepath.Join(dir, current))
		require.NoError(t, err)
		require.Equal(t, uint64(3), last.Number)
		text, err := os.ReadFile(filepath.Join(dir, current))
		require.NoError(t, err)
		require.Contains(t, string(text), at.UTC().Format(time.RFC3339Nano)+`","event":"backup"`)
	})
}

// A line that was noted is found by number and hash, also in an older file; and whether
// shares were used after it.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	now := at
	l, err := open(dir, 2<<10, func() time.Time { now = now.Add(time.Minute); return now })
	require.NoError(t, err)
	heads := []Head{{}}
	for i := range 20 {
		e := end(i, OutcomeOK)
		if i%5 == 0 {
			e = use(i)
		}
		require.NoError(t, l.Append(e))
		heads = append(heads, l.Head())
	}
	require.NoError(t, l.Close())
	rotated, err := rotatedFiles(dir)
	require.NoError(t, err)
	require.NotEmpty(t, rotated)
	lastUse := at.Add(16 * time.Minute) // line 16
	for _, h := range heads[1:] {
		want := Comparison{Found: true}
		if h.Number < 16 {
			want.LastUse = lastUse
		}
		c, err := Compare(dir, h.Number, h.Hash)
		require.NoError(t, err)
		require.Equal(t, want, c, h.Number)
		c, err = Compare(dir, h.Number, heads[h.Number-1].Hash)
		require.NoError(t, err)
		require.False(t, c.Found || c.Removed)
	}
	again, err := open(dir, 2<<10, time.Now)
	require.NoError(t, err)
	for _, note := range []string{"x", RestoredNote(lastUse.Add(-time.Minute), "of before the last use"), ""} {
		require.NoError(t, again.Append(Entry{Event: Restored, Note: note}))
	}
	require.NoError(t, again.Append(Entry{Event: IdentityRestored, Note: RestoredNote(lastUse.Add(time.Hour), "not the database")}))
	c, err := Compare(dir, 3, heads[3].Hash)
	require.NoError(t, err)
	backup := lastUse.Add(-time.Minute).Truncate(time.Second)
	require.Equal(t, Comparison{Found: true, LastUse: lastUse, Backup: backup}, c, "what was used after the backup was made it does not know")
	backup = lastUse.Add(time.Second).Truncate(time.Second)
	require.NoError(t, again.Append(Entry{Event: Restored, Note: RestoredNote(backup, `chain "seq-1"`)}))
	require.NoError(t, again.Append(Entry{Event: Restored, Note: RestoredNote(at, "an older one")}))
	require.NoError(t, again.Close())
	c, err = Compare(dir, 3, heads[3].Hash)
	require.NoError(t, err)
	require.Equal(t, Comparison{Found: true, Backup: backup}, c, "what was used before does not matter")
	again, err = open(dir, 2<<10, time.Now)
	require.NoError(t, err)
	burned := use(21)
	burned.Event, burned.Time = Burned, now
	require.NoError(t, again.Append(burned))
	number, _ := again.Last()
	require.NoError(t, again.Sync(number))
	require.Zero(t, again.dirty, "it is on disk")
	require.NoError(t, again.Close())
	c, err = Compare(dir, 3, heads[3].Hash)
	require.NoError(t, err)
	require.Equal(t, Comparison{Found: true, Backup: backup, LastUse: now}, c)
	r, err := Verify(dir)
	require.NoError(t, err)
	require.Len(t, r.Notes, 6, "the restorings")
	c, err = Compare(dir, 50, heads[20].Hash)
	require.NoError(t, err)
	require.Equal(t, Comparison{}, c, "cut off")
	c, err = Compare(t.TempDir(), 1, heads[1].Hash)
	require.NoError(t, err)
	require.Equal(t, Comparison{}, c)
}

// A last line that somebody changed does not keep a node from going on; it is named.
func TestGoesOnAfterABrokenLine(t *testing.T) {
	dir := t.TempDir()
	l := newLog(t, dir, MaxFileBytes)
	fill(t, l, 2)
	require.NoError(t, l.Close())
	path := filepath.Join(dir, current)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(b, "something\n"...), 0o600))
	again := newLog(t, dir, MaxFileBytes)
	require.NoError(t, again.Append(use(5)))
	_, err = Verify(dir)
	require.ErrorContains(t, err, path+", line 4: ")
}

// Two writers would fork the chain: the second one waits a moment, then is refused.
func TestOneWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := newLog(t, dir, MaxFileBytes)
		_, err := Open(dir)
		require.ErrorIs(t, err, ErrInUse)
		time.AfterFunc(lockWait/2, func() { assert.NoError(t, l.Close()) })
		again, err := Open(dir)
		require.NoError(t, err)
		require.NoError(t, again.Close())
	})
}

func TestOperationsAreNotes(t *testing.T) {
	dir := t.TempDir()
	l := newLog(t, dir, MaxFileBytes)
	require.NoError(t, l.Append(Entry{Event: BackedUp, Note: "file 1"}))
	r, err := Verify(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"line 1: backup: file 1"}, r.Notes)
	require.True(t, IsOperation(BackedUp))
	for _, event := range []string{Begin, End, Repaired, Gap, ""} {
		require.False(t, IsOperation(event), "a line of the log's own")
	}
}
