package p2p

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func drain(q *transit) (from []string) {
	for !q.empty() {
		from = append(from, q.take().kind)
	}
	return from
}

// Flows get the same bytes, whatever their messages are like.
func TestTransitIsFair(t *testing.T) {
	q := newTransit(queueLimit{messages: 100, bytes: 10_000})
	big, small, late := flow{from: "big", lane: bulk}, flow{from: "small", lane: bulk}, flow{from: "late", lane: control}
	for range 3 {
		q.put(big, parcel{kind: "b", size: 100})
	}
	for range 10 {
		q.put(small, parcel{kind: "s", size: 20})
	}
	first := []string{q.take().kind, q.take().kind}
	require.ElementsMatch(t, []string{"b", "s"}, first)
	for range 4 {
		require.Equal(t, "s", q.take().kind)
	}
	q.put(late, parcel{kind: "l", size: 30})
	require.Contains(t, []string{q.take().kind, q.take().kind, q.take().kind}, "l", "who comes late waits for one message of each")
	for range 20 {
		q.put(late, parcel{kind: "l", size: 30})
	}
	require.Contains(t, drain(q)[:3], "s", "and does not catch up on the others")
	require.Zero(t, q.bytes)
	require.Empty(t, q.flows)
}

// A full queue keeps the short flows and cuts the longest.
func TestTransitWhenFull(t *testing.T) {
	for name, limit := range map[string]queueLimit{
		"messages": {messages: 10, bytes: 1 << 20},
		"bytes":    {messages: 1 << 20, bytes: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			q := newTransit(limit)
			flood := flow{from: "flood", lane: bulk}
			for range 10 {
				displaced, ok := q.put(flood, parcel{kind: "f", size: 100})
				require.True(t, ok)
				require.Zero(t, displaced)
			}
			_, ok := q.put(flood, parcel{kind: "f", size: 100})
			require.False(t, ok)
			for _, from := range []flow{{from: "a", lane: bulk}, {from: "b", lane: bulk}, {from: "a", lane: control}} {
				displaced, ok := q.put(from, parcel{kind: "honest", size: 100})
				require.True(t, ok)
				require.Equal(t, 1, displaced)
			}
			require.LessOrEqual(t, q.messages, 10)
			require.LessOrEqual(t, q.bytes, 1000)
			honest := 0
			for _, kind := range drain(q) {
				if kind == "honest" {
					honest++
				}
			}
			require.Equal(t, 3, honest)
		})
	}
	_, ok := newTransit(queueLimit{messages: 1, bytes: 10}).put(flow{}, parcel{size: 11})
	require.False(t, ok)
}

// A node's own messages get half of the bytes while others' wait.
func TestOutboxSharesWithTransit(t *testing.T) {
	o, now := newOutbox(defaultLimits()), time.Unix(0, 0)
	for range 20 {
		require.True(t, o.put(bulk, parcel{kind: "own", size: 100}))
		_, ok := o.relay(flow{from: "a", lane: bulk}, parcel{kind: "relayed", size: 400})
		require.True(t, ok)
	}
	bytes := map[string]int{}
	for range 20 {
		p, _, ok := o.take(now)
		require.True(t, ok)
		bytes[p.kind] += p.size
	}
	require.InDelta(t, bytes["own"], bytes["relayed"], 400)
	require.Equal(t, 20, o.close())
	_, ok := o.relay(flow{from: "a", lane: bulk}, parcel{size: 1})
	require.False(t, ok)
}

// What leaves stays within what the peer takes, and what is relayed within its
// part of that.
func TestOutboxPace(t *testing.T) {
	l := defaultLimits()
	l.pace = budgetLimit{messages: 100, messageBurst: 10, bytes: 1 << 30, byteBurst: 1 << 30}
	l.relayPace = budgetLimit{messages: 1 << 30, messageBurst: 1 << 30, bytes: 1000, byteBurst: 500}
	o, now := newOutbox(l), time.Unix(0, 0)
	for range 30 {
		o.relay(flow{from: "a", lane: bulk}, parcel{kind: "relayed", size: 300})
		require.True(t, o.put(control, parcel{kind: "own", size: 300}))
	}
	count := map[string]int{}
	var wait time.Duration
	for ok := true; ok; {
		var p parcel
		if p, wait, ok = o.take(now); ok {
			count[p.kind]++
		}
	}
	require.Equal(t, map[string]int{"own": 8, "relayed": 2}, count)
	require.InDelta(t, 10*time.Millisecond, wait, float64(time.Millisecond), "one of a hundred a second")

	_, wait, ok := o.take(now.Add(wait - time.Millisecond))
	require.False(t, ok)
	require.Positive(t, wait)
	now = now.Add(20 * time.Second)
	count = map[string]int{}
	for {
		p, _, ok := o.take(now)
		if !ok {
			break
		}
		count[p.kind]++
	}
	require.Equal(t, 10, count["own"]+count["relayed"])
	require.Equal(t, 2, count["relayed"])
}
