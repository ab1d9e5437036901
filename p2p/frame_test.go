package p2p

import (
	"slices"
	"testing"
	"time"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// parcels are outbound envelopes of these sizes, in one lane.
func parcels(kind wire.Kind, sizes ...int) (all []parcel) {
	for i, size := range sizes {
		e := alice.envelope(kind, "bob", uint64(i), nil)
		all = append(all, parcel{msg: e, bytes: wrapped(e), kind: kind.String(), size: size})
	}
	return all
}

// wrapped are the bytes of a message as generated code makes them.
func wrapped(m cmtp2p.Wrapper) encoded {
	bz, err := proto.Marshal(m.Wrap())
	if err != nil {
		panic(err)
	}
	return bz
}

func TestWhatGoesIntoAFrame(t *testing.T) {
	gossip := parcel{msg: alice.attestation(0), size: 100}
	tests := map[string]struct {
		control, bulk []parcel
		want          int
	}{
		"one alone":                  {parcels(wire.KIND_READY, 100), nil, 1},
		"both lanes":                 {parcels(wire.KIND_READY, 100, 100), parcels(wire.KIND_ROUND, 100), 3},
		"as many as a frame has":     {parcels(wire.KIND_READY, slices.Repeat([]int{100}, MaxFramed+9)...), nil, MaxFramed},
		"as many as fit":             {nil, parcels(wire.KIND_ROUND, slices.Repeat([]int{MaxFrameBytes / 8}, 9)...), 7},
		"a long one goes alone":      {nil, parcels(wire.KIND_ROUND, maxFramedBytes+1, 100), 1},
		"nothing long joins":         {nil, parcels(wire.KIND_ROUND, 100, maxFramedBytes+1, 100), 1},
		"a result goes alone":        {append([]parcel{gossip}, parcels(wire.KIND_READY, 100)...), nil, 1},
		"nothing overtakes a result": {append(parcels(wire.KIND_READY, 100), append([]parcel{gossip}, parcels(wire.KIND_READY, 100)...)...), nil, 1},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			o, now := newOutbox(defaultLimits()), time.Unix(0, 0)
			for l, all := range [][]parcel{c.control, c.bulk} {
				for _, p := range all {
					require.True(t, o.put(lane(l), p))
				}
			}
			first, _, ok := o.take(now)
			require.True(t, ok)
			together := append([]parcel{first}, o.company(first, now)...)
			require.Len(t, together, c.want)
			if c.want > 1 {
				_, err := sizes{}.checkBytes(encode(t, pack(together)))
				require.NoError(t, err)
			}
			require.Len(t, o.queues[control], len(c.control)+len(c.bulk)-c.want-len(o.queues[bulk]), "all others wait on")
			left := 0
			for _, l := range []lane{control, bulk} {
				for _, p := range o.queues[l] {
					left += p.size
				}
			}
			require.Equal(t, left, o.bytes[control]+o.bytes[bulk])
		})
	}
}

// The largest frame that is sent is one that is taken.
func TestLargestFrame(t *testing.T) {
	o, now := newOutbox(defaultLimits()), time.Unix(0, 0)
	for i := range 200 {
		e := alice.envelope(wire.KIND_ROUND, "bob", uint64(i), make([]byte, maxFramedBytes-400-i))
		require.True(t, o.put(bulk, parcel{msg: e, bytes: wrapped(e), size: e.Size()}))
	}
	first, _, _ := o.take(now)
	bz := encode(t, pack(append([]parcel{first}, o.company(first, now)...)))
	_, err := sizes{}.checkBytes(bz)
	require.NoError(t, err)
	require.Greater(t, len(bz), MaxFrameBytes-maxFramedBytes)
}

// Company comes out of the peer's pace, and what is relayed gets its half after it.
func TestFramePace(t *testing.T) {
	l := defaultLimits()
	l.pace = budgetLimit{messages: 1, messageBurst: 5, bytes: 1 << 20, byteBurst: 1 << 20}
	o, now := newOutbox(l), time.Unix(0, 0)
	for _, p := range parcels(wire.KIND_READY, slices.Repeat([]int{100}, 10)...) {
		require.True(t, o.put(control, p))
	}
	_, ok := o.relay(flow{from: "a", lane: bulk}, parcel{kind: "relayed", size: 100})
	require.True(t, ok)
	p, _, ok := o.take(now)
	require.True(t, ok)
	require.Equal(t, "relayed", p.kind)
	require.Empty(t, o.company(p, now))
	p, _, ok = o.take(now)
	require.True(t, ok)
	require.Len(t, o.company(p, now), 3, "five may leave now")

	o = newOutbox(defaultLimits())
	for _, p := range parcels(wire.KIND_READY, slices.Repeat([]int{100}, 10)...) {
		require.True(t, o.put(control, p))
	}
	for range 20 {
		_, ok = o.relay(flow{from: "a", lane: bulk}, parcel{kind: "relayed", size: 100})
		require.True(t, ok)
	}
	kinds := map[string]int{}
	for range 12 {
		p, _, ok := o.take(now)
		require.True(t, ok)
		kinds[p.kind] += 1 + len(o.company(p, now))
	}
	require.Equal(t, 10, kinds[wire.KIND_READY.String()])
	require.GreaterOrEqual(t, kinds["relayed"], 10)
}

// What waits for a peer while its switch is busy leaves in few messages, and a real
// peer finds all of it.
func TestFramesLeaveAndArrive(t *testing.T) {
	const count = 100
	s := &sent{open: make(chan struct{})}
	r, rec, _ := bound(t, defaultLimits(), s.take)
	for seq := range uint64(count) {
		require.True(t, r.Send("bob", alice.envelope(wire.KIND_CONFIRM, "bob", seq, make([]byte, 32))))
	}
	close(s.open)
	eventually(t, "all leave", func() bool { return len(s.list()) >= count })
	require.LessOrEqual(t, s.messages(), 5, "the hello, the first, and two frames")
	require.Equal(t, count, rec.went("confirm"), "metrics count envelopes")

	other, seen := lone(t, Options{Workers: 1}, defaultLimits())
	other.SetRoster(rosterOf(alice, bob))
	require.NoError(t, other.SetSelf(bob.self("b")))
	require.NoError(t, other.Start())
	p := newFakePeer("alices")
	join(other, p)
	frame := &wire.Frame{}
	for seq := range uint64(MaxFramed) {
		frame.Envelopes = append(frame.Envelopes, alice.envelope(wire.KIND_CONFIRM, "bob", seq, make([]byte, 32)))
	}
	deliver(other, p, frame)
	eventually(t, "all arrive", func() bool { return len(seen.sequences("alice")) == MaxFramed })
}

// A frame takes from the deliverer's budget what its envelopes would alone, and so does
// one that holds nothing or too much.
func TestFramesAreCharged(t *testing.T) {
	one := alice.envelope(wire.KIND_CONFIRM, "bob", 1, nil)
	tests := map[string]struct {
		frame   *wire.Frame
		dropped types.Reason
		times   int
	}{
		"of ten":      {&wire.Frame{Envelopes: slices.Repeat([]*wire.Envelope{one}, 10)}, DropPeerBudget, 7},
		"of nothing":  {&wire.Frame{}, DropUnknownMessage, 1},
		"of too many": {&wire.Frame{Envelopes: slices.Repeat([]*wire.Envelope{one}, MaxFramed+1)}, DropUnknownMessage, 1},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			l := defaultLimits()
			l.peer = budgetLimit{messages: 1, messageBurst: 3, bytes: 1 << 20, byteBurst: 1 << 20}
			now := time.Unix(0, 0)
			r, rec := lone(t, Options{Workers: 1, Now: func() time.Time { return now }}, l)
			r.SetRoster(rosterOf(alice, bob))
			require.NoError(t, r.SetSelf(bob.self("b")))
			require.NoError(t, r.Start())
			p := newFakePeer("p")
			r.InitPeer(p)
			rem, _ := r.remoteOf(p)
			r.operators["alice"] = rem
			deliver(r, p, c.frame)
			eventually(t, "it is judged", func() bool { return rec.drops(In, c.dropped) == c.times })
			require.Less(t, rem.allowed.all.messages.TokensAt(now), 3.0)
		})
	}
}
