package audit

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A burst of uses waits for two syncs, that which was under way and one more, and each
// of them until its own line is on disk; who appends waits for none.
func TestSyncIsShared(t *testing.T) {
	l := newLog(t, t.TempDir(), MaxFileBytes)
	var syncs, onDisk atomic.Uint64
	begun, goOn := make(chan struct{}), make(chan struct{})
	l.bring = func(f *os.File) error {
		last, _ := l.Last()
		if syncs.Add(1) == 1 {
			close(begun)
			<-goOn
		}
		err := f.Sync()
		onDisk.Store(last)
		return err
	}
	var waiters sync.WaitGroup
	begin := func(i int) {
		require.NoError(t, l.Append(use(i)))
		number, _ := l.Last()
		waiters.Go(func() {
			assert.NoError(t, l.Sync(number))
			assert.GreaterOrEqual(t, onDisk.Load(), number)
		})
	}
	begin(0)
	<-begun
	for i := range 50 {
		begin(1 + i)
	}
	close(goOn)
	waiters.Wait()
	require.Equal(t, uint64(2), syncs.Load())
	require.Zero(t, l.dirty)
	require.NoError(t, l.Sync(51), "it is on disk")
	require.Equal(t, uint64(2), syncs.Load())
}

func TestRunFlushes(t *testing.T) {
	l := newLog(t, t.TempDir(), MaxFileBytes)
	fill(t, l, 1)
	require.NoError(t, l.Append(end(0, OutcomeOK)))
	require.Equal(t, uint64(1), l.dirty)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var noted []Head
	require.NoError(t, l.Run(ctx, nil, func(h Head, onDisk bool) {
		require.True(t, onDisk)
		noted = append(noted, h)
	}))
	require.Zero(t, l.dirty)
	_, hash := l.Last()
	require.Equal(t, []Head{{2, hash, 0}}, noted)
}

// A disk that fails for a while does not end the log: lines go on, the disk is asked
// again, it is told when that begins and ends, and a line says what may be missing.
func TestDiskThatFailsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := newLog(t, dir, MaxFileBytes)
		fill(t, l, 1)
		require.NoError(t, l.Sync(1))
		require.NoError(t, l.Append(end(0, OutcomeOK)))
		noted := make(map[uint64]bool)
		sound := l.file
		r, w, err := os.Pipe() // takes lines, and cannot be synced
		require.NoError(t, err)
		defer r.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var told []error
		ended := make(chan error, 1)
		go func() {
			ended <- l.Run(ctx, func(err error) { told = append(told, err) }, func(h Head, onDisk bool) { noted[h.Number] = onDisk })
		}()

		swap := func(f *os.File) { l.mu.Lock(); l.file = f; l.mu.Unlock() }
		swap(w)
		time.Sleep(3 * FlushInterval)
		synctest.Wait()
		require.Len(t, told, 1)
		require.Error(t, told[0])
		require.Error(t, l.Failing())

		swap(sound)
		require.NoError(t, l.Append(use(5)))
		require.NoError(t, l.Sync(3))
		time.Sleep(FlushInterval)
		synctest.Wait()
		require.Len(t, told, 2)
		require.NoError(t, told[1])
		require.NoError(t, l.Failing())
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, w.Close())
		report, err := Verify(dir)
		require.NoError(t, err)
		require.Equal(t, uint64(4), report.Last)
		require.Equal(t, []string{"line 4: gap: the disk failed to take lines 2 to 3 before it took them; a power failure may have taken some"}, report.Notes)
		require.Equal(t, map[uint64]bool{2: false, 4: true}, noted)
	})
}

func BenchmarkAppend(b *testing.B) {
	for name, wait := range map[string]bool{"begin": true, "end": false} {
		b.Run(name, func(b *testing.B) {
			l := newLog(b, b.TempDir(), MaxFileBytes)
			for i := range b.N {
				err := l.Append(use(i))
				if err == nil && wait {
					err = l.Sync(uint64(i) + 1)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
