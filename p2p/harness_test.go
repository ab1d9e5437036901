package p2p

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cometbft/cometbft/config"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

const (
	chain = "chain-1"
	// patient bounds waits that end as soon as what they wait for is there.
	patient = time.Minute
	tick    = 2 * time.Millisecond
)

// TestMain fails the package when a goroutine of a reactor outlived its test.
// Those of CometBFT's test switches do: they never close their listeners.
func TestMain(m *testing.M) {
	if os.Getenv(floodVariable) != "" {
		os.Exit(runFlood())
	}
	if os.Getenv(libp2pFloodVariable) != "" {
		os.Exit(runLibP2PFlood())
	}
	code := m.Run()
	if left := ownGoroutines(); code == 0 && left != "" {
		fmt.Fprintln(os.Stderr, "goroutines of a reactor are left:\n"+left)
		code = 1
	}
	os.Exit(code)
}

func ownGoroutines() string {
	buf := make([]byte, 16<<20)
	for g := range bytes.SplitSeq(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
		if bytes.Contains(g, []byte("sequencer-mpc/sequencer/p2p.(*Reactor)")) {
			return string(g)
		}
	}
	return ""
}

// identity is a participant's key of one version.
type identity struct {
	op      types.Operator
	version uint32
	key     ed25519.PrivateKey
}

func newIdentity(op types.Operator, version uint32) identity {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, fmt.Sprintf("%s/%d", op, version))
	return identity{op, version, ed25519.NewKeyFromSeed(seed)}
}

func (i identity) public() []byte { return i.key.Public().(ed25519.PublicKey) }

func (i identity) self(peer cmtp2p.ID) Self { return Self{i.op, i.version, string(peer), i.key} }

func (i identity) hello(peer cmtp2p.ID) *wire.Hello {
	h := &wire.Hello{Operator: string(i.op), IdentityVersion: i.version, PeerId: string(peer)}
	h.Signature = ed25519.Sign(i.key, types.HelloSignBytes(chain, i.op, i.version, string(peer)))
	return h
}

// envelope signs one; seq tells envelopes apart.
func (i identity) envelope(kind wire.Kind, to types.Operator, seq uint64, body []byte) *wire.Envelope {
	return i.changed(kind, to, seq, body)
}

// changed signs one whose header was changed.
func (i identity) changed(kind wire.Kind, to types.Operator, seq uint64, body []byte, change ...func(*wire.Header)) *wire.Envelope {
	h := &wire.Header{
		ChainId: chain, Context: make([]byte, 32), Kind: kind, From: string(i.op),
		IdentityVersion: i.version, To: string(to), Sequence: seq, RequestKind: uint32(types.KindSign), RequestId: "request",
	}
	if kind == wire.KIND_ROUND {
		h.Type = "round1"
	}
	for _, do := range change {
		do(h)
	}
	return types.SignEnvelope(h, body, i.key)
}

func (i identity) attestation(attempt uint32) *wire.Gossip {
	payload := types.KeygenPayload{PublicKey: make([]byte, 33), ParametersHash: types.Hash{1}}
	a := types.Attestation{
		Request: types.RequestID{Kind: types.KindKeygen, ID: "k1"}, Attempt: attempt, Session: types.Hash{2},
		Payload: payload.Encode(), Operator: i.op, IdentityVersion: i.version,
	}
	a.Sign(chain, i.key)
	return &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}}
}

func rosterOf(ids ...identity) *types.Roster {
	m := map[types.Operator][]types.Identity{}
	for _, id := range ids {
		m[id.op] = append(m[id.op], types.Identity{Version: id.version, Key: id.public()})
	}
	return types.NewRoster(m)
}

// recorder is a sink and metrics that remember.
type recorder struct {
	mu        sync.Mutex
	envelopes []types.Verified
	gossip    []*wire.Gossip
	peers     []string
	operators []types.Operator
	gone      []types.Operator
	dropped   map[string]int
	// sent counts outbound messages by kind.
	sent    map[string]int
	stopped []string
	// hold, if set, is waited for in Receive: a stuck sink.
	hold chan struct{}
}

func newRecorder() *recorder { return &recorder{dropped: map[string]int{}, sent: map[string]int{}} }

func (s *recorder) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *recorder) Receive(v types.Verified) {
	if s.hold != nil {
		<-s.hold
	}
	s.do(func() { s.envelopes = append(s.envelopes, v) })
}
func (s *recorder) ReceiveGossip(peer string, g *wire.Gossip) error {
	s.do(func() { s.gossip = append(s.gossip, g) })
	return nil
}
func (s *recorder) PeerConnected(p string) { s.do(func() { s.peers = append(s.peers, p) }) }
func (s *recorder) Connected(o types.Operator) {
	s.do(func() { s.operators = append(s.operators, o) })
}
func (s *recorder) Disconnected(o types.Operator) { s.do(func() { s.gone = append(s.gone, o) }) }
func (s *recorder) Dropped(w Way, why types.Reason) {
	s.do(func() { s.dropped[string(w)+" "+string(why)]++ })
}
func (s *recorder) Queued(Way, int) {}
func (s *recorder) Peers(int, int)  {}
func (s *recorder) Bytes(w Way, kind string, _ int) {
	if w == Out {
		s.do(func() { s.sent[kind]++ })
	}
}

func (s *recorder) drops(w Way, why types.Reason) (n int) {
	s.do(func() { n = s.dropped[string(w)+" "+string(why)] })
	return n
}

// sequences lists what arrived of a sender.
func (s *recorder) sequences(from types.Operator) (seqs []uint64) {
	s.do(func() {
		for _, v := range s.envelopes {
			if v.From() == from {
				seqs = append(seqs, v.Header().Sequence)
			}
		}
	})
	return seqs
}

// went counts what went out of a kind.
func (s *recorder) went(kind string) (n int) {
	s.do(func() { n = s.sent[kind] })
	return n
}

func (s *recorder) gossiped() (n int) {
	s.do(func() { n = len(s.gossip) })
	return n
}

// clock is set by the test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Unix(1_700_000_000, 0)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// node is a reactor with its recorder on a real switch.
type node struct {
	*recorder
	r  *Reactor
	sw *cmtp2p.Switch
	id identity
}

func newNode(t *testing.T, i int) *node {
	t.Helper()
	return newNodeWithin(t, i, defaultLimits())
}

func newNodeWithin(t *testing.T, i int, l limits) *node {
	t.Helper()
	n := &node{recorder: newRecorder()}
	n.r = newReactor(Options{ChainID: chain, Metrics: n.recorder}, l)
	n.r.SetSink(n.recorder)
	n.sw = startSwitch(t, i, n.r)
	return n
}

// startSwitch runs a reactor on a switch of its own until the test ends.
func startSwitch(t *testing.T, i int, r cmtp2p.Reactor) *cmtp2p.Switch {
	t.Helper()
	sw := cmtp2p.MakeSwitch(config.TestP2PConfig(), i, func(_ int, sw *cmtp2p.Switch) *cmtp2p.Switch {
		sw.AddReactor("MPC", r)
		return sw
	})
	require.NoError(t, sw.Start())
	t.Cleanup(func() {
		if sw.IsRunning() {
			require.NoError(t, sw.Stop())
		}
	})
	return sw
}

func (n *node) peerID() cmtp2p.ID { return n.sw.NodeInfo().ID() }

func (n *node) identify(t *testing.T, id identity) {
	t.Helper()
	n.id = id
	require.NoError(t, n.r.SetSelf(id.self(n.peerID())))
}

func connect(a, b *cmtp2p.Switch) { cmtp2p.Connect2Switches([]*cmtp2p.Switch{a, b}, 0, 1) }

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, patient, tick, what)
}

// rogue speaks on the channel without any rule.
type rogue struct {
	cmtp2p.BaseReactor
	channel byte
	mu      sync.Mutex
	heard   []proto.Message
}

func newRogue(channel byte) *rogue {
	r := &rogue{channel: channel}
	r.BaseReactor = *cmtp2p.NewBaseReactor("rogue", r)
	return r
}

func (r *rogue) GetChannels() []*cmtp2p.ChannelDescriptor {
	return []*cmtp2p.ChannelDescriptor{{ID: r.channel, Priority: 5, SendQueueCapacity: 1000, MessageType: &wire.Message{}}}
}

func (r *rogue) Receive(e cmtp2p.Envelope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, e.Message)
}

// say sends to the only peer of a switch.
func say(t *testing.T, sw *cmtp2p.Switch, m proto.Message) {
	t.Helper()
	peers := sw.Peers().Copy()
	require.Len(t, peers, 1)
	require.True(t, peers[0].Send(cmtp2p.Envelope{ChannelID: ChannelID, Message: m}))
}

// raw is an encoded message of any content.
type raw []byte

func (raw) Reset()                     {}
func (raw) String() string             { return "raw" }
func (raw) ProtoMessage()              {}
func (b raw) Marshal() ([]byte, error) { return b, nil }

// fakePeer is a peer without a connection. A nil send takes everything.
type fakePeer struct {
	cmtp2p.Peer
	id   cmtp2p.ID
	info cmtp2p.NodeInfo
	send func(proto.Message) bool
	mu   sync.Mutex
	data map[string]any
}

func newFakePeer(id string) *fakePeer {
	return &fakePeer{
		id: cmtp2p.ID(id), data: map[string]any{},
		info: cmtp2p.DefaultNodeInfo{DefaultNodeID: cmtp2p.ID(id), Channels: []byte{ChannelID}},
	}
}

func (p *fakePeer) ID() cmtp2p.ID             { return p.id }
func (p *fakePeer) NodeInfo() cmtp2p.NodeInfo { return p.info }
func (p *fakePeer) TrySend(e cmtp2p.Envelope) bool {
	m := e.Message
	if o, ok := m.(*outgoing); ok {
		m = o.Message
	}
	return p.send == nil || p.send(m)
}
func (p *fakePeer) Set(k string, v any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data[k] = v
}
func (p *fakePeer) Get(k string) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data[k]
}

// lone is a reactor without a switch, with small limits if wanted.
func lone(t testing.TB, opts Options, l limits) (*Reactor, *recorder) {
	rec := newRecorder()
	opts.ChainID, opts.Metrics = chain, rec
	r := newReactor(opts, l)
	r.SetSink(rec)
	r.SetSwitch(&fakeSwitch{rec: rec})
	t.Cleanup(func() {
		if r.IsRunning() {
			require.NoError(t, r.Stop())
		} else {
			r.OnStop()
		}
	})
	return r, rec
}

// fakeSwitch records who was stopped.
type fakeSwitch struct {
	cmtp2p.Switcher
	rec *recorder
}

func (s *fakeSwitch) StopPeerForError(p cmtp2p.Peer, _ any) {
	s.rec.do(func() { s.rec.stopped = append(s.rec.stopped, string(p.ID())) })
}

func join(r *Reactor, p *fakePeer) *fakePeer {
	r.InitPeer(p)
	r.AddPeer(p)
	return p
}

func deliver(r *Reactor, p cmtp2p.Peer, m proto.Message) {
	r.Receive(cmtp2p.Envelope{Src: p, ChannelID: ChannelID, Message: m})
}
