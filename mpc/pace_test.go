package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(0, 0)
	require.False(t, p.late(now), "nothing is known")
	height := int64(7)
	next := func(after time.Duration) {
		now = now.Add(after)
		height++
		p.block(height, time.Time{}, now)
	}
	for range 10 {
		next(time.Second)
		require.False(t, p.late(now))
	}
	p.block(height, time.Time{}, now.Add(time.Hour))
	require.False(t, p.late(now.Add(1400*time.Millisecond)), "seeing the same again is no block")
	require.True(t, p.late(now.Add(1600*time.Millisecond)), "the next one is overdue")

	next(2 * time.Second)
	require.True(t, p.late(now), "the last one was late")
	next(1100 * time.Millisecond)
	require.False(t, p.late(now))
	for range 20 {
		next(2 * time.Second)
	}
	require.True(t, p.late(now), "late blocks are not soon usual")
	for range 200 {
		next(2 * time.Second)
	}
	require.False(t, p.late(now), "a chain may be slow")
	for range 20 {
		next(time.Second)
	}
	require.True(t, p.late(now.Add(1800*time.Millisecond)), "it is faster again")

	height, now = height+9, now.Add(9*time.Second)
	next(time.Second)
	require.False(t, p.late(now), "ten blocks in ten seconds, nine unseen")
	height -= 5
	next(time.Minute)
	require.False(t, p.late(now), "a rollback begins anew")
}

// Blocks that a node catches up with teach it nothing about how fast they come.
func TestPaceWhileCatchingUp(t *testing.T) {
	var p pace
	now, made := time.Unix(1000, 0), time.Unix(0, 0)
	height := int64(7)
	next := func(after time.Duration) {
		now, made, height = now.Add(after), made.Add(time.Second), height+1
		p.block(height, made, now)
	}
	for range 100 {
		next(10 * time.Millisecond)
	}
	for range 10 {
		next(time.Second)
		require.False(t, p.late(now))
		require.False(t, p.late(now.Add(1400*time.Millisecond)))
		require.True(t, p.late(now.Add(1600*time.Millisecond)))
	}
	next(2 * time.Second)
	require.True(t, p.late(now), "it was seen late, whenever it was made")
}
