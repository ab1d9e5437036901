package p2p

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

func TestStartAndStop(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := NewReactor(Options{ChainID: chain, Workers: 3})
	r.SetSink(newRecorder())
	require.NoError(t, r.Start())
	stuck := newFakePeer("stuck")
	stuck.send = func(proto.Message) bool { return false }
	join(r, stuck)
	idle := join(r, newFakePeer("idle"))
	r.Gossip(alice.attestation(0))
	deliver(r, idle, alice.attestation(1))
	require.NoError(t, r.Stop())
	require.Empty(t, ownGoroutines())

	late := join(r, newFakePeer("late"))
	deliver(r, late, alice.attestation(2))
	require.Equal(t, 2, r.Peers(), "nobody joins a stopped reactor")
	r.RemovePeer(stuck, nil)
	r.RemovePeer(idle, nil)
	require.Zero(t, r.Peers())
}

// The switch is told how many messages it may hold for a peer.
func TestSendQueueOfAPeer(t *testing.T) {
	for _, c := range []struct{ option, want int }{
		{0, DefaultSendQueue}, {1, 1}, {4, 4}, {MaxSendQueue + 1, MaxSendQueue},
	} {
		channels := NewReactor(Options{ChainID: chain, SendQueue: c.option}).GetChannels()
		require.Len(t, channels, 1)
		require.Equal(t, c.want, channels[0].SendQueueCapacity)
	}
}

// Stop waits for a switch that blocks in TrySend.
func TestStopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReactor(Options{ChainID: chain})
		require.NoError(t, r.Start())
		var left atomic.Bool
		slow := newFakePeer("slow")
		slow.send = func(proto.Message) bool {
			<-time.After(time.Hour)
			left.Store(true)
			return true
		}
		join(r, slow)
		r.Gossip(alice.attestation(0))
		synctest.Wait()
		require.NoError(t, r.Stop())
		require.True(t, left.Load())
	})
}

// A peer that takes nothing costs each message its patience, and no more.
func TestPeerThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder()
		r := NewReactor(Options{ChainID: chain, Metrics: rec})
		require.NoError(t, r.Start())
		stuck := newFakePeer("stuck")
		stuck.send = func(proto.Message) bool { return false }
		join(r, stuck)
		r.Gossip(alice.attestation(0))
		r.Gossip(alice.attestation(1))
		began := time.Now()
		for rec.drops(Out, DropSendTimeout) < 2 {
			<-time.After(sendRetry)
		}
		require.InDelta(t, 2*sendPatience, time.Since(began), float64(10*sendRetry))
		require.NoError(t, r.Stop())
	})
}

func TestPeerThatFailedBeforeAddPeer(t *testing.T) {
	r, _ := lone(t, Options{}, defaultLimits())
	p := newFakePeer("p")
	r.InitPeer(p)
	r.RemovePeer(p, nil)
	r.AddPeer(p)
	require.Zero(t, r.Peers())
}

func TestChannelOfPeers(t *testing.T) {
	tests := []struct {
		name string
		info cmtp2p.NodeInfo
		want bool
	}{
		{"with it", cmtp2p.DefaultNodeInfo{Channels: []byte{1, ChannelID}}, true},
		{"without it", cmtp2p.DefaultNodeInfo{Channels: []byte{1}}, false},
		{"a switch without channel lists", cmtp2p.DefaultNodeInfo{}, true},
		{"another kind of info", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newFakePeer("p")
			p.info = tt.info
			require.Equal(t, tt.want, hasChannel(p))
		})
	}
}

func TestSelfIsChecked(t *testing.T) {
	good := alice.self("p")
	tests := map[string]func(*Self){
		"no operator":   func(s *Self) { s.Operator = "" },
		"long operator": func(s *Self) { s.Operator = types.Operator(make([]byte, types.MaxOperatorBytes+1)) },
		"no peer id":    func(s *Self) { s.PeerID = "" },
		"long peer id":  func(s *Self) { s.PeerID = string(make([]byte, maxPeerIDBytes+1)) },
		"no key":        func(s *Self) { s.Key = nil },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			r, _ := lone(t, Options{}, defaultLimits())
			self := good
			spoil(&self)
			require.Error(t, r.SetSelf(self))
			require.Nil(t, r.hello)
		})
	}
}

// sent collects what a fake peer was given, frames opened.
type sent struct {
	mu   sync.Mutex
	msgs []proto.Message
	// handed counts frames as one.
	handed int
	// open lets messages through; closed, TrySend says no.
	open chan struct{}
}

func (s *sent) take(m proto.Message) bool {
	select {
	case <-s.open:
	default:
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handed++
	if frame, ok := m.(*wire.Frame); ok {
		for _, e := range frame.Envelopes {
			s.msgs = append(s.msgs, e)
		}
		return true
	}
	s.msgs = append(s.msgs, m)
	return true
}

func (s *sent) list() []proto.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]proto.Message(nil), s.msgs...)
}

// bound is a reactor with one peer, which is bob's.
func bound(t *testing.T, l limits, send func(proto.Message) bool) (*Reactor, *recorder, *fakePeer) {
	t.Helper()
	r, rec := lone(t, Options{Workers: 1}, l)
	r.SetRoster(rosterOf(alice, bob))
	require.NoError(t, r.Start())
	p := newFakePeer("bobs")
	p.send = send
	join(r, p)
	deliver(r, p, bob.hello("bobs"))
	eventually(t, "bob is known", func() bool { return len(r.Reachable()) == 1 })
	return r, rec, p
}

func TestQueueFull(t *testing.T) {
	l := defaultLimits()
	l.lanes = [lanes]queueLimit{control: {messages: 3, bytes: 1 << 20}, bulk: {messages: 100, bytes: 10_000}}
	s := &sent{open: make(chan struct{})}
	tried := make(chan struct{})
	var once sync.Once
	r, rec, _ := bound(t, l, func(m proto.Message) bool { once.Do(func() { close(tried) }); return s.take(m) })

	require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 0, nil)))
	<-tried // the first is in the hands of the sending goroutine
	for seq := range uint64(3) {
		require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", seq+1, nil)))
	}
	require.False(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 9, nil)))
	require.False(t, r.GossipTo("bobs", alice.attestation(0)))
	require.True(t, r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", 10, make([]byte, 6000))), "the other lane has room")
	require.False(t, r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", 11, make([]byte, 6000))), "by bytes")
	require.Equal(t, 3, rec.drops(Out, DropQueueFull))

	close(s.open)
	eventually(t, "what was queued leaves", func() bool { return len(s.list()) == 5 })
	require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 12, nil)))
}

// A switch may block in TrySend: the callers do not notice.
func TestSendDoesNotWaitForTheSwitch(t *testing.T) {
	release := make(chan struct{})
	r, _, p := bound(t, defaultLimits(), func(proto.Message) bool { <-release; return true })
	for seq := range uint64(100) {
		require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", seq, nil)))
	}
	r.RemovePeer(p, nil)
	require.Empty(t, r.Reachable())
	close(release)
}

func TestOutboxLanes(t *testing.T) {
	o, now := newOutbox(defaultLimits()), time.Unix(0, 0)
	for i := range 20 {
		require.True(t, o.put(bulk, parcel{kind: fmt.Sprint("b", i), size: 10}))
		require.True(t, o.put(control, parcel{kind: fmt.Sprint("c", i), size: 10}))
	}
	var got []string
	for p, _, ok := o.take(now); ok; p, _, ok = o.take(now) {
		got = append(got, p.kind)
	}
	require.Len(t, got, 40)
	require.Equal(t, []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "b0", "c8"}, got[:10])
	require.Equal(t, []string{"b18", "b19"}, got[38:])
	require.Zero(t, o.bytes[control]+o.bytes[bulk])

	require.True(t, o.put(bulk, parcel{}))
	require.Equal(t, 1, o.close())
	require.False(t, o.put(bulk, parcel{}))
}

func TestPeerBudget(t *testing.T) {
	l := defaultLimits()
	l.peer = budgetLimit{messages: 2, messageBurst: 5, bytes: 1000, byteBurst: 100_000}
	c := newClock()
	r, rec := lone(t, Options{Now: c.now}, l)
	p := join(r, newFakePeer("p"))
	e := alice.envelope(wire.KIND_READY, "bob", 1, nil)
	for range 8 {
		deliver(r, p, e)
	}
	require.Equal(t, 3, rec.drops(In, DropPeerBudget))
	c.add(time.Second)
	for range 3 {
		deliver(r, p, e)
	}
	require.Equal(t, 4, rec.drops(In, DropPeerBudget), "two more after a second")
	c.add(time.Minute)
	deliver(r, p, alice.envelope(wire.KIND_ROUND, "bob", 1, make([]byte, 99_000)))
	require.Equal(t, 4, rec.drops(In, DropPeerBudget))
	deliver(r, p, alice.envelope(wire.KIND_ROUND, "bob", 1, make([]byte, 2000)))
	require.Equal(t, 5, rec.drops(In, DropPeerBudget), "by bytes")
	deliver(r, join(r, newFakePeer("q")), e)
	require.Equal(t, 5, rec.drops(In, DropPeerBudget), "another peer has its own")
}

// What others deliver in a sender's name has a budget of its own.
func TestSenderBudget(t *testing.T) {
	l := defaultLimits()
	l.others = budgetLimit{messages: 1, messageBurst: 2, bytes: 1 << 20, byteBurst: 1 << 20}
	c := newClock()
	r, rec := lone(t, Options{Workers: 1, Now: c.now}, l)
	require.NoError(t, r.SetSelf(alice.self("alices")))
	r.SetRoster(rosterOf(alice, bob))
	require.NoError(t, r.Start())
	own, other := join(r, newFakePeer("bobs")), join(r, newFakePeer("other"))
	deliver(r, own, bob.hello("bobs"))
	eventually(t, "bob is known", func() bool { return len(r.Reachable()) == 1 })

	forged := bob.envelope(wire.KIND_ABORT, "alice", 0, nil)
	forged.Signature[0] ^= 1
	for range 3 {
		deliver(r, other, forged) // does not use up bob's
	}
	for seq := range uint64(6) { // half of what is there, and its part
		deliver(r, other, bob.envelope(wire.KIND_ABORT, "alice", seq, nil))
	}
	eventually(t, "three are over it", func() bool { return rec.drops(In, DropSenderBudget) == 3 })
	for seq := range uint64(20) {
		deliver(r, own, bob.envelope(wire.KIND_READY, "alice", 10+seq, nil))
	}
	eventually(t, "bob's own come through", func() bool { return len(rec.sequences("bob")) == 23 })
	require.Equal(t, 3, rec.drops(In, DropSenderBudget))
	require.Equal(t, 1, r.parts.Len())
	r.SetRoster(rosterOf(alice))
	require.Empty(t, r.senders, "budgets end with the identity")
	require.Zero(t, r.parts.Len())
}

// One peer's messages do not wait for those of another that came before.
func TestPeersTakeTurns(t *testing.T) {
	l := defaultLimits()
	l.inbox = queueLimit{messages: 100, bytes: 1 << 20}
	r, rec := lone(t, Options{Workers: 1}, l)
	require.NoError(t, r.SetSelf(carol.self("c")))
	r.SetRoster(rosterOf(alice, bob, carol))
	flood, honest := join(r, newFakePeer("flood")), join(r, newFakePeer("honest"))
	for seq := range uint64(150) {
		deliver(r, flood, alice.envelope(wire.KIND_READY, "carol", seq, nil))
	}
	require.Equal(t, 50, rec.drops(In, DropQueueFull))
	for seq := range uint64(3) {
		deliver(r, honest, bob.envelope(wire.KIND_READY, "carol", seq, nil))
	}
	require.NoError(t, r.Start())
	eventually(t, "all are judged", func() bool { return len(rec.sequences("alice")) == 100 })
	var order []types.Operator
	for _, v := range rec.envelopes[:6] {
		order = append(order, v.From())
	}
	require.Equal(t, []types.Operator{"alice", "bob", "alice", "bob", "alice", "bob"}, order)
}

func TestRemovedPeersMessagesAreForgotten(t *testing.T) {
	r, rec := lone(t, Options{Workers: 1}, defaultLimits())
	require.NoError(t, r.SetSelf(carol.self("c")))
	r.SetRoster(rosterOf(alice, bob, carol))
	a, b := join(r, newFakePeer("a")), join(r, newFakePeer("b"))
	for seq := range uint64(10) {
		deliver(r, a, alice.envelope(wire.KIND_READY, "", seq, nil))
	}
	deliver(r, b, bob.envelope(wire.KIND_READY, "", 1, nil))
	r.RemovePeer(a, nil)
	deliver(r, a, alice.envelope(wire.KIND_READY, "", 11, nil))
	require.NoError(t, r.Start())
	eventually(t, "the other's arrives", func() bool { return len(rec.sequences("bob")) == 1 })
	require.Empty(t, rec.sequences("alice"))
	require.Zero(t, r.in.waiting)
}

// Receive returns while the sink and all workers are stuck.
func TestReceiveNeverBlocks(t *testing.T) {
	r, rec := lone(t, Options{Workers: 2}, defaultLimits())
	rec.hold = make(chan struct{})
	defer close(rec.hold) // or nothing ends
	require.NoError(t, r.SetSelf(bob.self("b")))
	r.SetRoster(rosterOf(alice, bob))
	require.NoError(t, r.Start())
	p := join(r, newFakePeer("p"))
	// One for each worker to be stuck with: what is said again does not come so far.
	said := []*wire.Envelope{alice.envelope(wire.KIND_READY, "bob", 1, nil), alice.envelope(wire.KIND_READY, "bob", 2, nil)}
	for i := range 3000 {
		deliver(r, p, said[i%len(said)])
	}
	require.GreaterOrEqual(t, rec.drops(In, DropQueueFull), 3000-defaultLimits().inbox.messages-2)
}

func TestGossipRepeats(t *testing.T) {
	c := newClock()
	r, rec := lone(t, Options{Workers: 1, Now: c.now}, defaultLimits())
	r.SetRoster(rosterOf(alice, bob))
	require.NoError(t, r.Start())
	p, q := join(r, newFakePeer("p")), join(r, newFakePeer("q"))
	sig := &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: &wire.Signature{RequestId: "s", R: make([]byte, 32), S: make([]byte, 32)}}}

	deliver(r, p, alice.attestation(0))
	deliver(r, p, sig)
	deliver(r, q, alice.attestation(0))
	deliver(r, q, sig)
	eventually(t, "each passes once", func() bool { return rec.gossiped() == 2 && rec.drops(In, DropRepeat) == 2 })
	c.add(gossipRepeat)
	deliver(r, q, alice.attestation(0))
	eventually(t, "a later resend passes", func() bool { return rec.gossiped() == 3 })

	early := carol.attestation(0)
	deliver(r, p, early)
	eventually(t, "dropped", func() bool { return rec.drops(In, DropUnknownSender) == 1 })
	r.SetRoster(rosterOf(alice, bob, carol))
	deliver(r, p, early)
	eventually(t, "what was dropped is not remembered", func() bool { return rec.gossiped() == 4 })
}

func TestNodeWithoutIdentityTakesNoEnvelopes(t *testing.T) {
	r, rec := lone(t, Options{Workers: 1}, defaultLimits())
	r.SetRoster(rosterOf(alice))
	require.NoError(t, r.Start())
	deliver(r, join(r, newFakePeer("p")), alice.envelope(wire.KIND_WORKING, "", 1, nil))
	eventually(t, "dropped", func() bool { return rec.drops(In, DropNoIdentity) == 1 })
}

func TestConcurrentUse(t *testing.T) {
	r, rec := lone(t, Options{Workers: 4}, defaultLimits())
	require.NoError(t, r.SetSelf(bob.self("b")))
	r.SetRoster(rosterOf(alice, bob))
	require.NoError(t, r.Start())
	steady := join(r, newFakePeer("steady"))
	deliver(r, steady, alice.hello("steady"))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				seq := uint64(g*50 + i)
				deliver(r, steady, alice.envelope(wire.KIND_READY, "bob", seq, nil))
				p := join(r, newFakePeer(fmt.Sprintf("%d-%d", g, i)))
				deliver(r, p, carol.hello(p.ID()))
				deliver(r, p, alice.attestation(uint32(seq)))
				r.Gossip(alice.attestation(uint32(seq)))
				r.Send("alice", bob.envelope(wire.KIND_READY, "alice", seq, nil))
				r.SetRoster(rosterOf(alice, bob, newIdentity("carol", uint32(i))))
				r.Reachable()
				r.RemovePeer(p, nil)
			}
		})
	}
	wg.Wait()
	eventually(t, "nothing of the steady peer is lost", func() bool { return len(rec.sequences("alice")) == 400 })
	require.Equal(t, 1, r.Peers())
	require.Empty(t, rec.stopped)
}

// panickySink panics at each envelope of alice.
type panickySink struct{ *recorder }

func (s panickySink) Receive(v types.Verified) {
	if v.From() == "alice" {
		panic("a secret")
	}
	s.recorder.Receive(v)
}

// A message whose judging panics is dropped against who delivered it; the
// workers and the other peers go on.
func TestPanicWhileJudging(t *testing.T) {
	var out bytes.Buffer // one worker writes, and is awaited before it is read
	r, rec := lone(t, Options{Workers: 1, Logger: slog.New(slog.NewTextHandler(&out, nil))}, defaultLimits())
	r.SetSink(panickySink{rec})
	require.NoError(t, r.SetSelf(carol.self("c")))
	r.SetRoster(rosterOf(alice, bob, carol))
	bad, good := join(r, newFakePeer("bad")), join(r, newFakePeer("good"))
	require.NoError(t, r.Start())
	for i := range uint64(MaxFaults) {
		deliver(r, bad, alice.envelope(wire.KIND_READY, "carol", i, nil))
	}
	eventually(t, "all are counted", func() bool { return rec.drops(In, FaultPanic) == MaxFaults })
	deliver(r, good, bob.envelope(wire.KIND_READY, "carol", 1, nil))
	eventually(t, "the worker goes on", func() bool { return len(rec.sequences("bob")) == 1 })
	rec.do(func() { require.Equal(t, []string{"bad"}, rec.stopped) })
	require.NoError(t, r.Stop())
	require.Contains(t, out.String(), "panic=string")
	require.Contains(t, out.String(), "panickySink")
	require.NotContains(t, out.String(), "a secret")
}

// messages counts what was given, a frame as one.
func (s *sent) messages() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handed
}
