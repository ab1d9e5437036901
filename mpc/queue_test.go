package mpc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func nothing() {}

func TestQueueBounds(t *testing.T) {
	tests := []struct {
		name  string
		low   bool
		bytes int
		fits  int
	}{
		{"many small ones", false, 0, maxQueued},
		{"large ones", false, 1 << 20, maxQueuedBytes >> 20},
		{"one too large", false, maxQueuedBytes + 1, 0},
		{"many results", true, 0, maxQueued / lowShare},
		{"large results", true, 1 << 20, maxQueuedBytes / lowShare >> 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := newQueue()
			put := q.put
			if tt.low {
				put = q.putLow
			}
			for i := range tt.fits {
				require.True(t, put(tt.bytes, nothing), "%d", i)
			}
			require.False(t, put(tt.bytes, nothing))
			require.Equal(t, tt.fits, q.length())
			if tt.low {
				require.True(t, q.put(tt.bytes, nothing), "results leave room for sessions")
				q.take()
			}
			q.force(nothing) // what a worker finished always fits
			require.NotEmpty(t, q.take())
			require.Zero(t, q.length())
			require.Equal(t, tt.fits > 0, put(tt.bytes, nothing), "taking makes room, in count and bytes")
		})
	}
}

// TestQueueOrder: first in, first out, and one signal for many.
func TestQueueOrder(t *testing.T) {
	q := newQueue()
	var ran []int
	for i := range 5 {
		run := func() { ran = append(ran, i) }
		switch i % 3 {
		case 0:
			require.True(t, q.put(1, run))
		case 1:
			require.True(t, q.putLow(1, run))
		default:
			q.force(run)
		}
	}
	require.Len(t, q.wake, 1)
	for _, item := range q.take() {
		item.run()
	}
	require.Equal(t, []int{0, 1, 2, 3, 4}, ran)
	require.Empty(t, q.take())
}
