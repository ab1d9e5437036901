package p2p

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/libs/log"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

const (
	// floodVariable makes the test program one that floods: it says with what
	// and where.
	floodVariable = "P2P_TEST_FLOOD"
	// flooders are its connections; each comes back when it is closed.
	flooders = 4
	// pulses are measured of each sort.
	pulses = 60
	// maxGrowth bounds what a flood may leave in memory: each connection has 2
	// MiB in the inbox and CometBFT's buffers.
	maxGrowth = 32 << 20
	// maxMedian and maxLate bound how long a message of an honest peer takes under a flood,
	// in the middle and at the 95th percentile: more than ten times what two cores need
	// that have other work too.
	maxMedian = 300 * time.Millisecond
	maxLate   = 3 * time.Second
)

// flood is what a peer sends without end.
type flood struct {
	name string
	// next makes the message of a number on a connection with an id.
	next func(id cmtp2p.ID, n uint64) cmtp2p.Wrapper
	// logged says what becomes of it; empty: it stays within what a peer may.
	logged types.Reason
	// renames: it comes back under a new name each time.
	renames bool
	// member: its connections say that they are carol's, and prove it.
	member bool
	// fast: the victim takes as much as comes. CometBFT's default rate of a connection is little
	// more than what a peer may, so that the burst of what is long lasts for half a minute.
	fast bool
}

// Carol is a participant.
var floods = []flood{
	{name: "empty messages", next: func(cmtp2p.ID, uint64) cmtp2p.Wrapper { return &wire.Envelope{} }, logged: FaultShape},
	{name: "wrong signatures", next: func(_ cmtp2p.ID, n uint64) cmtp2p.Wrapper {
		e := carol.envelope(wire.KIND_ROUND, "bob", n, nil)
		e.Signature[0] ^= 1
		return e
	}, logged: FaultSignature},
	{name: "unknown results", next: func(cmtp2p.ID, uint64) cmtp2p.Wrapper { return &wire.Gossip{} }, logged: FaultFlood},
	{name: "unknown senders", next: func(_ cmtp2p.ID, n uint64) cmtp2p.Wrapper {
		return newIdentity("dave", 1).envelope(wire.KIND_ROUND, "bob", n, nil)
	}, logged: FaultFlood},
	{name: "signed by a participant", next: func(_ cmtp2p.ID, n uint64) cmtp2p.Wrapper {
		return carol.envelope(wire.KIND_ROUND, "bob", n, nil)
	}, logged: FaultFlood},
	{name: "signed by a participant, of new peers", next: func(_ cmtp2p.ID, n uint64) cmtp2p.Wrapper {
		return carol.envelope(wire.KIND_ROUND, "bob", n, nil)
	}, logged: FaultFlood, renames: true},
	{name: "the largest, signed", next: largest},
	{name: "the largest, signed, on connections without a limit", next: largest, logged: FaultFlood, fast: true},
	{name: "relays", next: func(_ cmtp2p.ID, n uint64) cmtp2p.Wrapper {
		return &wire.Relay{Envelope: carol.envelope(wire.KIND_ROUND, "", n, nil), Hops: MaxHops - 1}
	}, logged: FaultFlood},
	{name: "one relay again and again", next: func(cmtp2p.ID, uint64) cmtp2p.Wrapper {
		return &wire.Relay{Envelope: carol.envelope(wire.KIND_ROUND, "", 1, nil), Hops: MaxHops - 1}
	}, logged: FaultFlood},
	{name: "hellos", next: func(id cmtp2p.ID, n uint64) cmtp2p.Wrapper {
		return []identity{alice, carol}[n%2].hello(id)
	}, logged: FaultFlood},
	{name: "all that a participant may say, on its own connection", next: func(id cmtp2p.ID, n uint64) cmtp2p.Wrapper {
		switch {
		case n%1000 == 0: // first of all
			return carol.hello(id)
		case n%3 == 0:
			return &wire.Relay{Envelope: carol.envelope(wire.KIND_ROUND, "", n, nil), Hops: MaxHops - 1}
		case n%3 == 1:
			return carol.attestation(uint32(n))
		}
		return carol.envelope(wire.KIND_ROUND, "bob", n, nil)
	}, logged: FaultFlood, member: true},
	{name: "results of a participant", next: func(_ cmtp2p.ID, n uint64) cmtp2p.Wrapper { return carol.attestation(uint32(n)) }, logged: FaultFlood},
}

// largest is as long as a message may be.
func largest(_ cmtp2p.ID, n uint64) cmtp2p.Wrapper {
	return carol.envelope(wire.KIND_ROUND, "bob", n, make([]byte, MaxRoundBody))
}

// runFlood is the program that floods until its input ends.
func runFlood() int {
	flag.Parse() // the switches of tests ask for flags
	what, where, _ := strings.Cut(os.Getenv(floodVariable), "@@")
	address, err := cmtp2p.NewNetAddressString(where)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	i := slices.IndexFunc(floods, func(f flood) bool { return f.name == what })
	for n := range flooders {
		go floods[i].send(n, address)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// send floods from one connection at a time. Messages are signed beforehand: the
// victim has the cores.
func (f flood) send(i int, address *cmtp2p.NetAddress) {
	sw := rogueSwitch(i)
	messages := make([]cmtp2p.Wrapper, 5000)
	for n := range messages {
		if n >= 50 && messages[0].(interface{ Size() int }).Size() > 10_000 {
			messages[n] = messages[n%50]
			continue
		}
		messages[n] = f.next(sw.NodeInfo().ID(), uint64(i*len(messages)+n))
	}
	for n, dials := 0, 0; ; {
		peer := sw.Peers().Get(address.ID)
		if peer != nil {
			peer.Send(cmtp2p.Envelope{ChannelID: ChannelID, Message: messages[n%len(messages)]})
			n++
			continue
		}
		if f.renames && dials > 0 {
			_ = sw.Stop()
			sw = rogueSwitch(i)
		}
		if f.member {
			n = 0 // it says first whose it is
		}
		dials++
		if err := sw.DialPeerWithAddress(address); err != nil {
			time.Sleep(tick)
		}
	}
}

func rogueSwitch(i int) *cmtp2p.Switch {
	c := config.TestP2PConfig()
	c.SendRate = 1 << 30
	sw := cmtp2p.MakeSwitch(c, i, func(_ int, sw *cmtp2p.Switch) *cmtp2p.Switch {
		sw.AddReactor("rogue", newRogue(ChannelID))
		return sw
	})
	sw.SetLogger(log.NewNopLogger())
	if err := sw.Start(); err != nil {
		panic(err)
	}
	return sw
}

// echo answers votes on a channel like consensus's.
type echo struct {
	cmtp2p.BaseReactor
	answers bool
	heard   chan struct{}
}

const voteChannel = byte(0x22)

func newEcho(answers bool) *echo {
	r := &echo{answers: answers, heard: make(chan struct{}, pulses)}
	r.BaseReactor = *cmtp2p.NewBaseReactor("echo", r)
	return r
}

func (r *echo) GetChannels() []*cmtp2p.ChannelDescriptor {
	return []*cmtp2p.ChannelDescriptor{{ID: voteChannel, Priority: 7, SendQueueCapacity: 100, MessageType: &wire.Message{}}}
}

func (r *echo) Receive(e cmtp2p.Envelope) {
	if r.answers {
		e.Src.TrySend(cmtp2p.Envelope{ChannelID: voteChannel, Message: e.Message.(cmtp2p.Wrapper).Wrap()})
		return
	}
	r.heard <- struct{}{}
}

// bystander is an honest connection: alice's node with bob's, both with the
// channel of votes beside MPC.
type bystander struct {
	alice, bob *node
	votes      *echo
	arrived    chan struct{}
	log        *lockedBuffer
}

// lockedBuffer takes the log of several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// announcing tells when something of alice arrived.
type announcing struct {
	Sink
	arrived chan struct{}
}

func (s announcing) Receive(v types.Verified) {
	if v.From() == "alice" {
		s.arrived <- struct{}{}
	}
}

func (announcing) ReceiveGossip(string, *wire.Gossip) error { return nil }

func newBystander(t *testing.T, fast bool) *bystander {
	t.Helper()
	c := config.TestP2PConfig()
	if fast {
		c.RecvRate = 1 << 30
	}
	b := &bystander{votes: newEcho(false), arrived: make(chan struct{}, pulses), log: &lockedBuffer{}}
	run := func(i int, n *node, votes *echo, opts Options) *node {
		opts.ChainID, opts.Metrics = chain, n.recorder
		n.r = NewReactor(opts)
		n.r.SetSink(n.recorder)
		n.sw = cmtp2p.MakeSwitch(c, i, func(_ int, sw *cmtp2p.Switch) *cmtp2p.Switch {
			sw.AddReactor("MPC", n.r)
			sw.AddReactor("votes", votes)
			return sw
		})
		n.sw.SetLogger(log.NewNopLogger())
		require.NoError(t, n.sw.Start())
		t.Cleanup(func() { require.NoError(t, n.sw.Stop()) })
		n.r.SetRoster(rosterOf(alice, bob, carol))
		return n
	}
	b.bob = run(0, &node{recorder: newRecorder()}, newEcho(true), Options{Logger: slog.New(slog.NewTextHandler(b.log, nil))})
	b.alice = run(1, &node{recorder: newRecorder()}, b.votes, Options{})
	b.bob.r.SetSink(announcing{b.bob.recorder, b.arrived})
	b.bob.identify(t, bob)
	b.alice.identify(t, alice)
	require.NoError(t, b.alice.sw.DialPeerWithAddress(b.bob.sw.NetAddress()))
	eventually(t, "they are connected", func() bool { return len(b.alice.r.Reachable()) == 1 && len(b.bob.r.Reachable()) == 1 })
	return b
}

// figures are what a flood costs.
type figures struct {
	votes, envelopes []time.Duration
	cpu              float64
	grown            int64
	// goroutines are the most that there were.
	goroutines int
}

func percentile(d []time.Duration, percent int) time.Duration {
	return slices.Sorted(slices.Values(d))[len(d)*percent/100]
}

// requireBounded: a flood costs others no more than this package says.
func (f figures) requireBounded(t *testing.T) {
	t.Helper()
	for what, delays := range map[string][]time.Duration{"votes": f.votes, "envelopes": f.envelopes} {
		if len(delays) > 0 {
			require.Less(t, percentile(delays, 50), maxMedian, what)
			require.Less(t, percentile(delays, 95), maxLate, what)
		}
	}
	require.Less(t, f.grown, int64(maxGrowth))
}

func (f figures) String() string {
	at := func(d []time.Duration, percent int) string {
		return fmt.Sprintf("%.1f", float64(percentile(d, percent).Microseconds())/1000)
	}
	text := ""
	if len(f.votes) > 0 {
		text = fmt.Sprintf("vote there and back %s ms (95 %%: %s), ", at(f.votes, 50), at(f.votes, 95))
	}
	return text + fmt.Sprintf("envelope there %s ms (95 %%: %s), %.2f cores, memory %+.1f MB",
		at(f.envelopes, 50), at(f.envelopes, 95), f.cpu, float64(f.grown)/1e6)
}

// measure has votes and envelopes cross the honest connection, one after the
// other.
func (b *bystander) measure(t *testing.T, from uint64) (f figures) {
	t.Helper()
	wait := func(c chan struct{}, what string) time.Duration {
		began := time.Now()
		select {
		case <-c:
		case <-time.After(patient):
			require.Fail(t, what+" did not arrive")
		}
		return time.Since(began)
	}
	peer := b.alice.sw.Peers().Get(b.bob.peerID())
	vote := (&wire.Hello{Operator: strings.Repeat("v", 200)}).Wrap()
	before, heap, began := used(), live(), time.Now()
	for n := range uint64(pulses) {
		require.True(t, peer.Send(cmtp2p.Envelope{ChannelID: voteChannel, Message: vote}))
		f.votes = append(f.votes, wait(b.votes.heard, "a vote"))
		require.True(t, b.alice.r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", from+n, make([]byte, 10_000))))
		f.envelopes = append(f.envelopes, wait(b.arrived, "an envelope"))
	}
	f.cpu = (used() - before).Seconds() / time.Since(began).Seconds()
	f.grown = live() - heap
	return f
}

// used is the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// live is what is in memory and not garbage.
func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Several peers send as fast as their connections take it, and come back when
// they are stopped. Votes and envelopes of an honest peer arrive within bounds, memory does
// not grow, and the log says what becomes of the flood.
func TestFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("floods take half a minute")
	}
	t.Run("none", func(t *testing.T) { t.Logf("%s", newBystander(t, false).measure(t, 0)) })
	for _, flood := range floods {
		t.Run(flood.name, func(t *testing.T) {
			b := newBystander(t, flood.fast)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), floodVariable+"="+flood.name+"@@"+b.bob.sw.NetAddress().String())
			cmd.Stderr = os.Stderr
			input, err := cmd.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			defer func() {
				require.NoError(t, input.Close())
				require.NoError(t, cmd.Wait())
			}()
			if flood.logged == "" {
				eventually(t, "it comes", func() bool { return b.bob.r.arrivals.Load() > 100 })
			} else {
				eventually(t, "the log says it", func() bool { return strings.Contains(b.log.String(), "reason="+string(flood.logged)) })
			}
			if flood.member {
				eventually(t, "it is known as hers", func() (known bool) {
					b.bob.do(func() { known = slices.Contains(b.bob.operators, types.Operator("carol")) })
					return known
				})
			}
			during := b.measure(t, 0)
			t.Logf("%s", during)
			stopped := b.bob.drops(In, FaultFlood) + (b.bob.drops(In, FaultShape)+b.bob.drops(In, FaultSignature))/MaxFaults
			t.Logf("stopped %d times, %d messages were beyond a budget", stopped, b.bob.drops(In, DropPeerBudget))
			during.requireBounded(t)
		})
	}
}

// A peer that delivers more than it may is throttled first, and stopped when it
// goes on.
func TestThrottledThenStopped(t *testing.T) {
	l := defaultLimits()
	l.peer = budgetLimit{messages: 10, messageBurst: 20, bytes: 1 << 20, byteBurst: 1 << 20}
	l.patience = budgetLimit{messages: 1, messageBurst: 30 * newcomerPart, bytes: 1 << 20, byteBurst: 1 << 20}
	c := newClock()
	out := &lockedBuffer{}
	r, rec := lone(t, Options{Now: c.now, Logger: slog.New(slog.NewTextHandler(out, nil))}, l)
	p := join(r, newFakePeer("p"))
	send := func(n int) {
		for range n {
			deliver(r, p, alice.envelope(wire.KIND_READY, "bob", 1, nil))
		}
	}
	send(20)
	require.Zero(t, rec.drops(In, DropPeerBudget))
	send(30)
	require.Equal(t, 30, rec.drops(In, DropPeerBudget))
	require.Contains(t, out.String(), "is throttled")
	require.Empty(t, rec.stopped)
	c.add(time.Second)
	send(11)
	require.Empty(t, rec.stopped)
	r.RemovePeer(p, nil)
	p = join(r, newFakePeer("p")) // coming back changes nothing
	send(2)
	require.Equal(t, []string{"p"}, rec.stopped)
	require.Contains(t, out.String(), "reason=flood")
	before := rec.drops(In, DropPeerBudget)
	send(5)
	require.Equal(t, before, rec.drops(In, DropPeerBudget), "what still comes is not even counted")
	require.Equal(t, []string{"p"}, rec.stopped, "once")
	require.Equal(t, 1, strings.Count(out.String(), "is throttled"))
}

// A crowd of peers does not fill the log.
func TestWarningsAreFew(t *testing.T) {
	out := &lockedBuffer{}
	c := newClock()
	r, rec := lone(t, Options{Workers: 1, Now: c.now, Logger: slog.New(slog.NewTextHandler(out, nil))}, defaultLimits())
	require.NoError(t, r.Start())
	for i := range warningBurst {
		p := join(r, newFakePeer(fmt.Sprint(i)))
		for range MaxFaults {
			deliver(r, p, &wire.Envelope{})
		}
	}
	eventually(t, "all are counted, and stopped", func() (all bool) {
		rec.do(func() { all = len(rec.stopped) == warningBurst })
		return all && rec.drops(In, FaultShape) == warningBurst*MaxFaults
	})
	require.Equal(t, warningBurst, strings.Count(out.String(), "level=WARN"))
	c.add(time.Second)
	p := join(r, newFakePeer("p"))
	deliver(r, p, &wire.Envelope{})
	eventually(t, "one more a second", func() bool { return strings.Count(out.String(), "level=WARN") == warningBurst+warningRate })
}

// Hellos make the engine resend what is due, so there are few.
func TestHelloBudget(t *testing.T) {
	l := defaultLimits()
	c := newClock()
	r, rec := lone(t, Options{Workers: 1, Now: c.now}, l)
	r.SetRoster(rosterOf(alice, bob))
	require.NoError(t, r.Start())
	p := join(r, newFakePeer("p"))
	for n := range l.hello.messageBurst + 5 {
		deliver(r, p, []identity{alice, bob}[n%2].hello("p"))
	}
	require.Equal(t, 5, rec.drops(In, DropHelloBudget))
	deliver(r, p, alice.envelope(wire.KIND_READY, "bob", 1, nil))
	eventually(t, "the rest goes on", func() bool { return rec.drops(In, DropNoIdentity) == 1 })
	require.LessOrEqual(t, len(rec.operators), l.hello.messageBurst)
	c.add(time.Second)
	deliver(r, p, carol.hello("p"))
	eventually(t, "one more a second", func() bool { return rec.drops(In, DropHelloWaits) == 1 })
}
