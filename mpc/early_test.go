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

func TestEarlyBounds(t *testing.T) {
	tests := []struct {
		name  string
		bytes int
		fits  int
	}{
		{"many small ones", 1, earlyPerSender},
		{"few large ones", 160 << 10, 8},
		{"one of all the room", earlyBytesPerSender, 1},
		{"one that is larger", earlyBytesPerSender + 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newEarlyBuffer()
			for i := range tt.fits {
				require.True(t, b.put(said(t, "op-a", types.Context{1}, i, tt.bytes), poolEpoch), "%d", i)
			}
			require.False(t, b.put(said(t, "op-a", types.Context{1}, tt.fits, tt.bytes), poolEpoch))
			require.True(t, b.put(said(t, "op-b", types.Context{1}, 0, 1), poolEpoch), "each sender has its own room")
			require.Len(t, b.take(types.Context{1}, []types.Operator{"op-a"}), tt.fits)
			require.Equal(t, tt.fits > 0, b.put(said(t, "op-a", types.Context{1}, 0, tt.bytes), poolEpoch), "taking makes room")
		})
	}
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
	b.expire(poolEpoch.Add(earlyAge))
	require.Equal(t, []int{2}, numbers(b.take(context, []types.Operator{"op-a"})))
	require.True(t, b.put(said(t, "op-a", context, 3, 1), poolEpoch))
	b.expire(poolEpoch.Add(earlyAge))
	require.Empty(t, b.bySender)
}

// TestEarlyEnded: resends to a session that is over take no room, for a while.
func TestEarlyEnded(t *testing.T) {
	b := newEarlyBuffer()
	over, other := types.Context{1}, types.Context{2}
	b.end(over, nil, poolEpoch)
	for _, at := range []time.Duration{0, endedAge - 1} {
		b.expire(poolEpoch.Add(at))
		require.True(t, b.put(said(t, "op-a", over, 1, 1), poolEpoch.Add(at)))
		require.Empty(t, b.bySender)
	}
	require.True(t, b.put(said(t, "op-a", other, 1, 1), poolEpoch))
	require.Len(t, b.bySender, 1)
	b.expire(poolEpoch.Add(endedAge))
	require.Empty(t, b.ended)
}

// TestLeftSessionAnswers: who still talks to a session that this node left is
// told so, once a second.
func TestLeftSessionAnswers(t *testing.T) {
	b := newEarlyBuffer()
	left, over := types.Context{1}, types.Context{2}
	abort := &wire.Envelope{Header: &wire.Header{Kind: wire.KIND_ABORT}}
	b.end(left, abort, poolEpoch)
	b.end(over, nil, poolEpoch)
	require.Same(t, abort, b.answer(said(t, "op-a", left, 1, 1), poolEpoch))
	require.Nil(t, b.answer(said(t, "op-a", left, 2, 1), poolEpoch.Add(time.Second-1)))
	require.Same(t, abort, b.answer(said(t, "op-b", left, 1, 1), poolEpoch))
	require.Same(t, abort, b.answer(said(t, "op-a", left, 3, 1), poolEpoch.Add(time.Second)))
	require.Nil(t, b.answer(said(t, "op-a", over, 1, 1), poolEpoch))
	require.Nil(t, b.answer(said(t, "op-a", types.Context{3}, 1, 1), poolEpoch))
}
