package p2p

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// nobody runs a node without an identity.
var nobody = identity{}

// topology is who runs the nodes, and which of them are connected.
type topology struct {
	name  string
	ids   []identity
	links [][2]int
}

var topologies = []topology{
	{"line", []identity{alice, nobody, bob}, [][2]int{{0, 1}, {1, 2}}},
	{"two sentries in a row", []identity{alice, nobody, nobody, bob}, [][2]int{{0, 1}, {1, 2}, {2, 3}}},
	{"by way of a participant", []identity{alice, carol, bob}, [][2]int{{0, 1}, {1, 2}}},
	{"star", []identity{alice, nobody, bob, carol}, [][2]int{{0, 1}, {2, 1}, {3, 1}}},
	{"two shared sentries", []identity{alice, nobody, nobody, bob, carol}, [][2]int{{0, 1}, {0, 2}, {3, 1}, {3, 2}, {4, 1}, {4, 2}, {1, 2}}},
	{"ring", []identity{alice, nobody, nobody, nobody, nobody, bob}, [][2]int{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 1}, {3, 5}}},
	{"clique", []identity{alice, nobody, nobody, nobody, bob}, [][2]int{{0, 1}, {1, 2}, {2, 3}, {3, 1}, {2, 4}, {3, 4}}},
}

// Validators that are connected through other nodes only reach each other, on
// real switches.
func TestRelayOnSwitches(t *testing.T) {
	for _, tt := range topologies {
		t.Run(tt.name, func(t *testing.T) {
			nodes := map[types.Operator]*node{}
			all := make([]*node, len(tt.ids))
			for i, id := range tt.ids {
				all[i] = newNode(t, i)
				all[i].r.SetRoster(rosterOf(alice, bob, carol))
				if id.op != "" {
					all[i].identify(t, id)
					nodes[id.op] = all[i]
				}
			}
			degree := make([]int, len(all))
			for _, l := range tt.links {
				connect(all[l[0]].sw, all[l[1]].sw)
				degree[l[0]]++
				degree[l[1]]++
			}
			for i, n := range all {
				eventually(t, "peers are there", func() bool { return n.r.Peers() == degree[i] })
			}
			a, b := nodes["alice"], nodes["bob"]
			require.NotContains(t, a.r.Reachable(), types.Operator("bob"))

			body := make([]byte, MaxRoundBody)
			require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", 1, body)))
			toAll := alice.envelope(wire.KIND_ROUND, "", 2, body)
			require.True(t, a.r.Send("bob", toAll))
			require.True(t, a.r.Send("carol", toAll))
			for seq := range uint64(20) {
				require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_CONFIRM, "bob", 10+seq, nil)))
				require.True(t, b.r.Send("alice", bob.envelope(wire.KIND_READY, "alice", 10+seq, nil)))
			}
			eventually(t, "bob has it all", func() bool { return len(b.sequences("alice")) == 22 })
			eventually(t, "alice has it all", func() bool { return len(a.sequences("bob")) == 20 })
			if c := nodes["carol"]; c != nil {
				// Where carol is a peer and on the way to bob, she gets it twice.
				eventually(t, "carol has what is for all", func() bool { return slices.Contains(c.sequences("alice"), 2) })
			}
			for i, n := range all {
				if tt.ids[i].op == "" {
					require.Empty(t, n.envelopes, "who only relays takes nothing")
				}
				require.Zero(t, n.drops(In, FaultShape)+n.drops(In, FaultSignature))
			}
		})
	}
}

// mesh are reactors whose peers hand messages over at once. It lives in a bubble
// of synctest: when all goroutines wait, nothing is on its way.
type mesh struct {
	t     *testing.T
	nodes []*Reactor
	recs  []*recorder
}

func newMesh(t *testing.T, tt topology) *mesh {
	m := &mesh{t: t}
	for i, id := range tt.ids {
		r, rec := lone(t, Options{Workers: 2}, defaultLimits())
		r.SetRoster(rosterOf(alice, bob, carol))
		if id.op != "" {
			require.NoError(t, r.SetSelf(id.self(peerName(i))))
		}
		require.NoError(t, r.Start())
		m.nodes, m.recs = append(m.nodes, r), append(m.recs, rec)
	}
	for _, l := range tt.links {
		m.link(l[0], l[1])
	}
	synctest.Wait()
	return m
}

func peerName(i int) cmtp2p.ID { return cmtp2p.ID(fmt.Sprintf("node%d", i)) }

func (m *mesh) link(i, j int) {
	atI, atJ := newFakePeer(string(peerName(j))), newFakePeer(string(peerName(i)))
	atI.send = func(msg proto.Message) bool { deliver(m.nodes[j], atJ, msg); return true }
	atJ.send = func(msg proto.Message) bool { deliver(m.nodes[i], atI, msg); return true }
	m.nodes[i].InitPeer(atI)
	m.nodes[j].InitPeer(atJ)
	m.nodes[i].AddPeer(atI)
	m.nodes[j].AddPeer(atJ)
}

func (m *mesh) relays() (n int) {
	for _, rec := range m.recs {
		n += rec.went("relay")
	}
	return n
}

// An envelope crosses each connection at most once each way, and then is gone.
func TestRelaysDoNotCirculate(t *testing.T) {
	for _, tt := range topologies {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMesh(t, tt)
				e := alice.envelope(wire.KIND_CONFIRM, "", 1, nil)
				last := 0
				for resend := range 3 {
					require.True(t, m.nodes[0].Send("bob", e))
					require.True(t, m.nodes[0].Send("bob", e), "a repeat is on its way already")
					synctest.Wait()
					relays := m.relays()
					require.Positive(t, relays-last)
					require.LessOrEqual(t, relays-last, 2*len(tt.links))
					last = relays
					for i, id := range tt.ids {
						want := 0
						if id.op == "bob" || id.op == "carol" {
							want = resend + 1
						}
						require.Len(t, m.recs[i].sequences("alice"), want, "node %d", i)
						require.Empty(t, m.recs[i].stopped)
					}
					time.Sleep(relayHoldMax)
					require.Equal(t, last, m.relays(), "nothing is on its way any more")
				}
			})
		})
	}
}

func TestHopsAreLimited(t *testing.T) {
	for sentries := MaxHops - 2; sentries <= MaxHops; sentries++ {
		t.Run(fmt.Sprint(sentries, " sentries"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt := topology{ids: []identity{alice}}
				for i := range sentries + 1 {
					tt.ids = append(tt.ids, nobody)
					tt.links = append(tt.links, [2]int{i, i + 1})
				}
				tt.ids[sentries+1] = bob
				m := newMesh(t, tt)
				require.True(t, m.nodes[0].Send("bob", alice.envelope(wire.KIND_READY, "bob", 1, nil)))
				synctest.Wait()
				arrived := len(m.recs[sentries+1].sequences("alice")) == 1
				require.Equal(t, sentries < MaxHops, arrived, "%d connections", sentries+1)
			})
		})
	}
}

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

// Peers that repeat a sender's envelopes use up their own parts of what may be delivered in
// its name, once half of it is gone, and the sender all of its own.
func TestRelayBudgets(t *testing.T) {
	many := budgetLimit{messages: 1000, messageBurst: 1000, bytes: 1 << 20, byteBurst: 1 << 20}
	few := func(n int) budgetLimit {
		return budgetLimit{messages: 1, messageBurst: n, bytes: 1 << 20, byteBurst: 1 << 20}
	}
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.others, l.presign, l.sender, l.detour, l.relay = few(12), few(2), few(5), few(4), many
		c := newCrossroads(t, Options{}, l)
		seq := uint64(0)
		passes := func(from string, id identity, n int, change ...func(*wire.Header)) (passed int) {
			for range n {
				seq++
				if len(c.relay(from, id.changed(wire.KIND_CONFIRM, "", seq, nil, change...), 1)) > 0 {
					passed++
				}
			}
			return passed
		}
		ofPresign := func(h *wire.Header) { h.RequestKind = uint32(types.KindPresign) }
		require.Equal(t, 6+12, passes("in", carol, 30), "half of it, and the part of one that is alone")
		require.Equal(t, 6, passes("out", carol, 30), "one of two parts")
		require.Equal(t, 4, passes("alices", carol, 30), "one of three parts")
		require.Equal(t, 1+2, passes("in", carol, 30, ofPresign), "beside it, what is for presignatures")
		require.Equal(t, 4, passes("in", alice, 10), "what comes beside its own connection")
		require.Zero(t, passes("out", alice, 10))
		require.Equal(t, 5, passes("alices", alice, 10), "all of its own")
		require.Equal(t, 12+24+26+27+6+10+5, c.drops(In, DropSenderBudget))
		time.Sleep(2 * time.Second)
		require.Equal(t, 2, passes("alices", alice, 10))
		time.Sleep(partFor)
		require.Equal(t, 1, passes("out", carol, 1))
		time.Sleep(partFor)
		require.Greater(t, passes("out", carol, 30), 6, "it is alone again")
	})
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.relay = few(4)
		c := newCrossroads(t, Options{}, l)
		for seq := range uint64(10) {
			c.relay("in", alice.envelope(wire.KIND_CONFIRM, "", seq, nil), 1)
		}
		require.Equal(t, 6, c.drops(In, DropRelayBudget))
		require.NoError(t, c.SetSelf(carol.self("self")))
		deliver(c.Reactor, c.peers["in"], alice.envelope(wire.KIND_CONFIRM, "carol", 99, nil))
		synctest.Wait()
		require.Equal(t, []uint64{99}, c.sequences("alice"), "its own are not held up")
	})
}

// Peers of a participant's sentry kept what it signed for an open request, and say it
// again, each as much as a peer may, whenever the sentry would let it pass once more.
// What the participant itself says meanwhile passes all the same, to the last message:
// here, and at the next node, which gives this one a share for all that it brings of the
// participant.
func TestOldWordsDoNotSilenceTheirSender(t *testing.T) {
	tenth := func(b budgetLimit) budgetLimit {
		return budgetLimit{b.messages / 10, b.messageBurst / 10, b.bytes / 10, b.byteBurst / 10}
	}
	const rogues, seconds, own, firstOwn = 8, 12, 20, 1_000_000
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		for _, b := range []*budgetLimit{&l.relay, &l.sender, &l.others, &l.detour, &l.relayPace} {
			*b = tenth(*b)
		}
		c := newCrossroads(t, Options{}, l)
		for i := range rogues {
			name := fmt.Sprint("rogue", i)
			c.peers[name] = join(c.Reactor, newFakePeer(name))
		}
		old, fresh := uint64(0), uint64(firstOwn)
		passed := func() (olds, own int) {
			for _, m := range c.sent["bobs"].list() {
				if relay, ok := m.(*wire.Relay); ok && relay.Envelope.Header.Sequence >= firstOwn {
					own++
				} else if ok {
					olds++
				}
			}
			return olds, own
		}
		var olds int
		for second := range seconds {
			before, _ := passed()
			for range own {
				for i := range rogues {
					for range l.relay.messages / own {
						old++
						deliver(c.Reactor, c.peers[fmt.Sprint("rogue", i)], &wire.Relay{Envelope: alice.envelope(wire.KIND_CONFIRM, "bob", old, nil), Hops: 1})
					}
				}
				fresh++
				deliver(c.Reactor, c.peers["alices"], &wire.Relay{Envelope: alice.envelope(wire.KIND_CONFIRM, "bob", fresh, nil), Hops: 1})
				synctest.Wait()
				time.Sleep(time.Second / own)
			}
			after, _ := passed()
			if olds = after - before; second == seconds-1 {
				require.LessOrEqual(t, olds+own, l.others.messages, "the next node takes it all")
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		_, all := passed()
		require.Equal(t, seconds*own, all)
		require.Positive(t, c.drops(In, DropSenderBudget), "they say more than they may")
	})
}

// What belongs to no open request goes on sparingly: a replay is cheap to stop,
// and a new request is not known everywhere at once.
func TestRelayOfClosedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.notOpen = budgetLimit{messages: 1, messageBurst: 2, bytes: 1 << 20, byteBurst: 1 << 20}
		open := false
		c := newCrossroads(t, Options{Open: func(id types.RequestID) bool { return id.ID == "request" && open }}, l)
		passed := 0
		for seq := range uint64(6) {
			passed += len(c.relay("in", alice.envelope(wire.KIND_CONFIRM, "bob", seq, nil), 1))
		}
		require.Equal(t, 2, passed)
		require.Equal(t, 4, c.drops(In, DropNotOpen))
		open = true
		for seq := range uint64(6) {
			passed += len(c.relay("in", alice.envelope(wire.KIND_CONFIRM, "bob", 10+seq, nil), 1))
		}
		require.Equal(t, 8, passed)
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
