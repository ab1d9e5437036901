package mpc

import (
	"crypto/ed25519"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// said is a verified round message of a sender, told apart by its number.
func said(t *testing.T, from types.Operator, context types.Context, number, bytes int) types.Verified {
	t.Helper()
	seed := sha256.Sum256([]byte(from))
	key := ed25519.NewKeyFromSeed(seed[:])
	h := wire.Header{
		ChainId: "early", Context: context[:], Kind: wire.KIND_ROUND, Round: 1, Type: "k1", From: string(from),
		IdentityVersion: 1, Sequence: uint64(number), RequestKind: uint32(types.KindKeygen), RequestId: "key",
	}
	v, err := types.VerifyEnvelope(types.SignEnvelope(&h, make([]byte, bytes), key), "early", key.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	return v
}

// numbers are those of what was taken.
func numbers(vs []types.Verified) []int {
	var list []int
	for _, v := range vs {
		list = append(list, int(v.Header().Sequence))
	}
	return list
}

// TestEarlyBounds: the oldest of a sender leave for what comes after them, and one context
// has no more than its share.
func TestEarlyBounds(t *testing.T) {
	tests := []struct {
		name  string
		bytes int
		fits  int
	}{
		{"many small ones", 1, earlyPerSender},
		{"few large ones", 160 << 10, 8},
		{"one of all the room", earlyBytesPerSender, 1},
	}
	contextOf := func(i int) types.Context { return types.Context{byte(1 + i/earlyPerContext)} }
	all := func(b *earlyBuffer, op types.Operator, count int) (taken []int) {
		for i := 0; i <= count/earlyPerContext; i++ {
			taken = append(taken, numbers(b.take(contextOf(i*earlyPerContext), []types.Operator{op}))...)
		}
		return taken
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newEarlyBuffer()
			var last []int
			for i := range tt.fits + 3 {
				require.True(t, b.put(said(t, "op-a", contextOf(i), i, tt.bytes), poolEpoch), "%d", i)
				if i >= 3 {
					last = append(last, i)
				}
			}
			require.True(t, b.put(said(t, "op-b", types.Context{1}, 0, 1), poolEpoch), "each sender has its own room")
			require.Equal(t, last, all(b, "op-a", tt.fits+3))
			require.Equal(t, []int{0}, all(b, "op-b", 1))
		})
	}
	b := newEarlyBuffer()
	require.False(t, b.put(said(t, "op-a", types.Context{1}, 0, earlyBytesPerSender+1), poolEpoch))
	for i := range 2 * earlyPerContext {
		require.Equal(t, i < earlyPerContext, b.put(said(t, "op-a", types.Context{1}, i, 1), poolEpoch))
	}
	require.True(t, b.put(said(t, "op-a", types.Context{1}, 0, 1), poolEpoch), "a resend")
	require.Len(t, b.take(types.Context{1}, []types.Operator{"op-a"}), earlyPerContext)
	require.Empty(t, b.bySender)
}

// TestEarlyTake: by context and sender, in order of arrival, once.
func TestEarlyTake(t *testing.T) {
	b := newEarlyBuffer()
	one, two := types.Context{1}, types.Context{2}
	for i, v := range []types.Verified{
		said(t, "op-b", one, 1, 1), said(t, "op-a", one, 2, 1), said(t, "op-a", two, 3, 1), said(t, "op-a", one, 4, 1),
		said(t, "op-z", one, 5, 1), said(t, "op-a", one, 4, 1), // a resend
	} {
		require.True(t, b.put(v, poolEpoch), "%d", i)
	}
	members := []types.Operator{"op-a", "op-b"}
	require.Equal(t, []int{2, 4, 1}, numbers(b.take(one, members)))
	require.Empty(t, b.take(one, members))
	require.Equal(t, []int{3}, numbers(b.take(two, members)))
	require.Equal(t, []int{5}, numbers(b.take(one, []types.Operator{"op-z"})), "not handed to a session of others")
	require.Empty(t, b.bySender, "nothing is left in memory")
}

func TestEarlyExpires(t *testing.T) {
	b := newEarlyBuffer()
	context := types.Context{1}
	require.True(t, b.put(said(t, "op-a", context, 1, 1), poolEpoch))
	require.True(t, b.put(said(t, "op-a", context, 2, 1), poolEpoch.Add(1)))
	b.expire(poolEpoch.Add(earlyAge), noneOpen)
	require.Equal(t, []int{2}, numbers(b.take(context, []types.Operator{"op-a"})))
	require.True(t, b.put(said(t, "op-a", context, 3, 1), poolEpoch))
	b.expire(poolEpoch.Add(earlyAge), noneOpen)
	require.Empty(t, b.bySender)
}

func noneOpen(types.RequestID) bool { return false }

// TestEarlyEnded: what is over is remembered for a while, and longer if its request is open.
func TestEarlyEnded(t *testing.T) {
	over, open := types.Context{1}, types.Context{2}
	id := types.RequestID{Kind: types.KindKeygen, ID: "open"}
	abort := &wire.Envelope{Header: &wire.Header{Kind: wire.KIND_ABORT}}
	b := newEarlyBuffer()
	b.end(types.RequestID{Kind: types.KindKeygen, ID: "closed"}, over, nil, nil, poolEpoch)
	b.end(id, open, nil, abort, poolEpoch)
	for _, step := range []struct {
		age        time.Duration
		over, open bool
	}{
		{0, true, true}, {endedAge - 1, true, true}, {endedAge, false, true}, {endedMaxAge - 1, false, true}, {endedMaxAge, false, false},
	} {
		b.expire(poolEpoch.Add(step.age), func(r types.RequestID) bool { return r == id })
		require.Equal(t, step.over, b.over(over), "%s", step.age)
		require.Equal(t, step.open, b.over(open), "%s", step.age)
		told := b.answer(said(t, "op-a", open, 1, 1), poolEpoch.Add(step.age)) != nil
		require.Equal(t, step.age < endedAge, told, "%s", step.age)
	}
	require.Empty(t, b.ended)
}

// TestEarlyOnlyForWhoWaits: what a member once said elsewhere takes no room, whoever says it
// again, and however much of it; what comes before the Start that is waited for is kept.
func TestEarlyOnlyForWhoWaits(t *testing.T) {
	d, r, l := waiting(t)
	const from = "op-02"
	early := func(id types.RequestID, context types.Context, body string) int {
		d.core.HandleEnvelope(d.signedIn(context, from, wire.KIND_CONFIRM, 1, id, []byte(body)))
		return d.core.Holdings().Early
	}
	other := types.RequestID{Kind: types.KindSign, ID: "other"}
	for i := range byte(2 * earlyPerSender) {
		require.Zero(t, early(other, types.Context{1, i}, "of another request"))
	}
	ended := types.Context{2}
	d.core.early.end(r.ID, ended, nil, nil, d.now.Add(-endedAge))
	d.pass(time.Second)
	require.Zero(t, early(r.ID, ended, "of a session of before"))
	require.Equal(t, 2*earlyPerSender, d.dropped[types.ErrUnknownRequest])

	for i := range byte(2 * earlyPerSender) {
		early(r.ID, types.Context{3, i}, "of a session of others")
	}
	fresh := types.Context{4}
	require.Equal(t, earlyPerSender, early(r.ID, fresh, "the first round"))
	taken := d.core.early.take(fresh, r.Operators())
	require.Len(t, taken, 1)
	require.Equal(t, "the first round", string(taken[0].Body()))

	l.Stop(types.ErrSuperseded)
	d.pass(earlyAge)
	require.Zero(t, early(r.ID, types.Context{5}, "nobody waits"))
}

// TestLeftSessionAnswers: who still talks to a session that this node left is
// told so, once a second.
func TestLeftSessionAnswers(t *testing.T) {
	b := newEarlyBuffer()
	left, over := types.Context{1}, types.Context{2}
	abort := &wire.Envelope{Header: &wire.Header{Kind: wire.KIND_ABORT}}
	b.end(types.RequestID{}, left, nil, abort, poolEpoch)
	b.end(types.RequestID{}, over, nil, nil, poolEpoch)
	require.Same(t, abort, b.answer(said(t, "op-a", left, 1, 1), poolEpoch))
	require.Nil(t, b.answer(said(t, "op-a", left, 2, 1), poolEpoch.Add(time.Second-1)))
	require.Same(t, abort, b.answer(said(t, "op-b", left, 1, 1), poolEpoch))
	require.Same(t, abort, b.answer(said(t, "op-a", left, 3, 1), poolEpoch.Add(time.Second)))
	require.Nil(t, b.answer(said(t, "op-a", over, 1, 1), poolEpoch))
	require.Nil(t, b.answer(said(t, "op-a", types.Context{3}, 1, 1), poolEpoch))
}
