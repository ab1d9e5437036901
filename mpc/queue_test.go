package mpc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
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
				peers := 0
				put = func(bytes int, run func()) bool { // each brings one
					peers++
					return q.putLow(fmt.Sprint(peers), bytes, run)
				}
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

// TestQueueShares: participants that say as much as they can, in number or in bytes, leave
// room for each of the others.
func TestQueueShares(t *testing.T) {
	for _, bytes := range []int{0, 160 << 10} {
		for _, greedy := range []int{1, 5, 63} {
			q := newQueue()
			for range 2 * maxQueued {
				for i := range greedy {
					q.putFrom(types.Operator(fmt.Sprint("greedy-", i)), bytes, nothing)
				}
			}
			for i := range 64 - greedy {
				require.True(t, q.putFrom(types.Operator(fmt.Sprint("other-", i%4)), min(bytes, 1<<10), nothing), "%d of %d bytes", i, bytes)
			}
			require.True(t, q.put(0, nothing))
			q.take()
			require.True(t, q.putFrom("greedy-0", bytes, nothing), "taking makes room for everybody")
		}
	}
	q := newQueue()
	sent := 0
	for q.putFrom("greedy", 0, nothing) {
		sent++
	}
	require.Equal(t, maxQueued/2, sent)
}

// TestQueueSharesOfPeers: peers that tell as many results as they can leave room for what
// others tell, and for sessions.
func TestQueueSharesOfPeers(t *testing.T) {
	for _, bytes := range []int{0, 1 << 10} {
		q := newQueue()
		for range maxQueued {
			for i := range 3 {
				q.putLow(fmt.Sprint("greedy-", i), bytes, nothing)
			}
		}
		require.Equal(t, maxQueued/lowShare*3/4, q.length())
		for i := range 64 {
			require.True(t, q.putLow(fmt.Sprint("other-", i), bytes, nothing), "%d", i)
		}
		require.True(t, q.putFrom("participant", bytes, nothing))
		q.take()
		require.True(t, q.putLow("greedy-0", bytes, nothing), "taking makes room for everybody")
	}
	q := newQueue()
	for range maxQueued {
		q.putFrom("participant", 0, nothing)
	}
	require.True(t, q.putLow("peer", 0, nothing), "sessions leave room for results")
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
			require.True(t, q.putLow("peer", 1, run))
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

// TestBurstLeavesRoom: a member whose burst comes before an honest one's word, while the
// loop is away, does not push it out.
func TestBurstLeavesRoom(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.start()
	e := &Engine{core: d.core, inbox: newQueue()} // its loop does not run
	leader := r.Initiator(0)
	greedy := d.ops[1]
	if greedy == leader {
		greedy = d.ops[2]
	}
	useless := d.prepare(greedy, types.RequestID{Kind: types.KindSign, ID: "made-up"}, 0, 1)
	for range 2 * maxQueued {
		e.Receive(useless)
	}
	require.Equal(t, 3*maxQueued/2, d.dropped[types.ErrBusy])
	e.Receive(d.prepare(leader, r.ID, 0, 1))
	require.NoError(t, e.hear())
	require.Len(t, d.core.sessions, 1)
}
