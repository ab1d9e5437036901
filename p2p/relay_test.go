package p2p

import (
	"testing"
	"testing/synctest"
	"time"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// crossroads is a relay with four peers: "in" delivers, "alices" and "bobs" are
// behind it, "out" is anybody.
type crossroads struct {
	*Reactor
	*recorder
	peers map[string]*fakePeer
	sent  map[string]*sent
}

func newCrossroads(t *testing.T, opts Options, l limits) *crossroads {
	t.Helper()
	c := &crossroads{peers: map[string]*fakePeer{}, sent: map[string]*sent{}}
	opts.Workers = 1
	c.Reactor, c.recorder = lone(t, opts, l)
	c.SetRoster(rosterOf(alice, bob, carol))
	require.NoError(t, c.Start())
	for _, name := range []string{"in", "alices", "bobs", "out", "channelless"} {
		s := &sent{open: make(chan struct{})}
		close(s.open)
		p := newFakePeer(name)
		p.send = s.take
		if name == "channelless" {
			p.info = cmtp2p.DefaultNodeInfo{Channels: []byte{1}}
		}
		c.peers[name], c.sent[name] = join(c.Reactor, p), s
	}
	deliver(c.Reactor, c.peers["alices"], alice.hello("alices"))
	deliver(c.Reactor, c.peers["bobs"], bob.hello("bobs"))
	synctest.Wait()
	require.Equal(t, []types.Operator{"alice", "bob"}, c.Reachable())
	return c
}

// relay hands over an envelope and says which peers got it, with how many hops.
func (c *crossroads) relay(from string, e *wire.Envelope, hops uint32) map[string]uint32 {
	before := map[string]int{}
	for name, s := range c.sent {
		before[name] = len(s.list())
	}
	deliver(c.Reactor, c.peers[from], &wire.Relay{Envelope: e, Hops: hops})
	synctest.Wait()
	got := map[string]uint32{}
	for name, s := range c.sent {
		for _, m := range s.list()[before[name]:] {
			got[name] = m.(*wire.Relay).Hops
		}
	}
	return got
}

func TestWhereARelayGoes(t *testing.T) {
	confirm := func(from identity, to types.Operator) *wire.Envelope {
		return from.envelope(wire.KIND_CONFIRM, to, 1, nil)
	}
	for _, tt := range []struct {
		name string
		self identity
		from string
		e    *wire.Envelope
		hops uint32
		want map[string]uint32
		// takes: this node is a recipient too.
		takes bool
	}{
		{"to all: not back, not to the sender", nobody, "in", confirm(alice, ""), 3, map[string]uint32{"bobs": 2, "out": 2}, false},
		{"to all, from the sender", nobody, "alices", confirm(alice, ""), 3, map[string]uint32{"in": 2, "bobs": 2, "out": 2}, false},
		{"to all, at a recipient", carol, "in", confirm(alice, ""), 3, map[string]uint32{"bobs": 2, "out": 2}, true},
		{"to a peer", nobody, "in", confirm(alice, "bob"), 3, map[string]uint32{"bobs": 2}, false},
		{"to a peer, from that peer", nobody, "bobs", confirm(alice, "bob"), 3, map[string]uint32{}, false},
		{"to somebody elsewhere", nobody, "in", confirm(alice, "carol"), 1, map[string]uint32{"bobs": 0, "out": 0}, false},
		{"to this node", carol, "in", confirm(alice, "carol"), 3, map[string]uint32{}, true},
		{"at its end", carol, "in", confirm(alice, ""), 0, map[string]uint32{}, true},
		{"of this node", carol, "in", confirm(carol, ""), 3, map[string]uint32{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrossroads(t, Options{}, defaultLimits())
				if tt.self.op != "" {
					require.NoError(t, c.SetSelf(tt.self.self("self")))
					synctest.Wait()
				}
				require.Equal(t, tt.want, c.relay(tt.from, tt.e, tt.hops))
				require.Equal(t, tt.takes, len(c.sequences("alice")) == 1)
				require.Empty(t, c.recorder.stopped)
			})
		})
	}
}

// Where a recipient's peer shows an identity that was replaced, a relay goes on to all others
// as well; and what others bring of such a sender is taken as if it were not connected.
func TestRelaysBesideAReplacedIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.detour = budgetLimit{messages: 1, messageBurst: 2, bytes: 1 << 20, byteBurst: 1 << 20}
		c := newCrossroads(t, Options{}, l)
		seq := uint64(0)
		relay := func(from string) map[string]uint32 {
			seq++
			return c.relay(from, alice.envelope(wire.KIND_CONFIRM, "bob", seq, nil), 3)
		}
		require.Equal(t, map[string]uint32{"bobs": 2}, relay("in"))
		require.Equal(t, map[string]uint32{"bobs": 2}, relay("in"))
		require.Empty(t, relay("in"), "alice is connected herself")
		require.Equal(t, 1, c.drops(In, DropSenderBudget))

		c.SetRoster(rosterOf(alice, newIdentity("alice", 2), bob, newIdentity("bob", 2), carol))
		for range 5 {
			require.Equal(t, map[string]uint32{"bobs": 2, "out": 2}, relay("in"))
		}
		require.Equal(t, map[string]uint32{"in": 2, "bobs": 2, "out": 2}, relay("alices"))
		require.Equal(t, map[string]uint32{"in": 2, "out": 2}, relay("bobs"), "not back")
		deliver(c.Reactor, c.peers["out"], newIdentity("bob", 2).hello("out"))
		synctest.Wait()
		require.Equal(t, map[string]uint32{"out": 2}, relay("in"))
		require.Equal(t, 1, c.drops(In, DropSenderBudget))
	})
}

func TestWhatIsNotRelayed(t *testing.T) {
	forged := alice.envelope(wire.KIND_CONFIRM, "", 1, nil)
	forged.Signature[0] ^= 1
	otherBody := alice.envelope(wire.KIND_CONFIRM, "", 1, []byte("a"))
	otherBody.Body = []byte("b")
	otherChain := alice.envelope(wire.KIND_CONFIRM, "", 1, nil)
	otherChain.Header.ChainId = "chain-2"
	unknownKind := alice.envelope(wire.KIND_CONFIRM, "", 1, nil)
	unknownKind.Header.Kind = 77
	for _, tt := range []struct {
		name   string
		reason types.Reason
		e      *wire.Envelope
		hops   uint32
		fault  bool
	}{
		{"signature", FaultSignature, forged, 1, true},
		{"body", FaultSignature, otherBody, 1, true},
		{"chain", FaultShape, otherChain, 1, true},
		{"nothing", FaultShape, nil, 1, true},
		{"no header", FaultShape, &wire.Envelope{}, 1, true},
		{"too large", FaultShape, alice.envelope(wire.KIND_CONFIRM, "", 1, make([]byte, MaxSmallBody+1)), 1, true},
		{"too many hops", FaultShape, alice.envelope(wire.KIND_CONFIRM, "", 1, nil), MaxHops, true},
		{"unknown kind", DropUnknownMessage, unknownKind, 1, false},
		{"unknown operator", DropUnknownSender, newIdentity("dave", 1).envelope(wire.KIND_CONFIRM, "", 1, nil), 1, false},
		{"unknown version", DropUnknownSender, newIdentity("alice", 2).envelope(wire.KIND_CONFIRM, "", 1, nil), 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrossroads(t, Options{}, defaultLimits())
				for i := range 2 * MaxFaults {
					require.Empty(t, c.relay("in", tt.e, tt.hops))
					require.Equal(t, i+1, c.drops(In, tt.reason))
				}
				require.Equal(t, tt.fault, len(c.recorder.stopped) == 1)
				require.NotEmpty(t, c.relay("in", alice.envelope(wire.KIND_CONFIRM, "", 1, nil), 1), "the true one is not remembered as gone")
				require.Zero(t, c.drops(In, DropSenderBudget))
			})
		})
	}
}

// Whoever is first with a copy of few hops cuts nobody off.
func TestCopyWithMoreHopsGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossroads(t, Options{}, defaultLimits())
		require.NoError(t, c.SetSelf(carol.self("self")))
		synctest.Wait()
		e := alice.envelope(wire.KIND_CONFIRM, "", 1, nil)
		require.Empty(t, c.relay("out", e, 0))
		require.Equal(t, map[string]uint32{"bobs": 4, "out": 4}, c.relay("in", e, 5))
		require.Empty(t, c.relay("in", e, 5))
		require.Equal(t, 1, c.drops(In, DropRelayed))
		require.Len(t, c.sequences("alice"), 1, "taken once")
		time.Sleep(relayHold)
		require.Equal(t, map[string]uint32{"bobs": 1, "out": 1}, c.relay("in", e, 2), "a resend")
		require.Len(t, c.sequences("alice"), 2)
	})
}

// Without anybody to ask, or for somebody who is not registered, Send says so.
func TestSendWithoutAWay(t *testing.T) {
	r, rec := lone(t, Options{}, defaultLimits())
	r.SetRoster(rosterOf(alice, bob))
	require.False(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 1, nil)))
	join(r, newFakePeer("p"))
	require.False(t, r.Send("dave", alice.envelope(wire.KIND_READY, "dave", 1, nil)))
	require.Equal(t, 2, rec.drops(Out, DropUnreachable))
	require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 1, nil)), "the first try is not remembered")
}

// A relay that no queue takes may be tried again at once.
func TestSendToFullQueues(t *testing.T) {
	l := defaultLimits()
	l.transit = queueLimit{messages: 1, bytes: 1 << 20}
	r, rec := lone(t, Options{}, l)
	r.SetRoster(rosterOf(alice, bob))
	tried := make(chan struct{}, 1)
	p := newFakePeer("p")
	p.send = func(proto.Message) bool {
		select {
		case tried <- struct{}{}:
		default:
		}
		return false
	}
	join(r, p)
	require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 0, nil)))
	<-tried // it is in the hands of the sending goroutine
	require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 1, nil)))
	e := alice.envelope(wire.KIND_READY, "bob", 2, nil)
	require.False(t, r.Send("bob", e))
	require.False(t, r.Send("bob", e))
	require.Equal(t, 2, rec.drops(Out, DropQueueFull))
}
