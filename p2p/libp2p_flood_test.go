package p2p

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/lp2p"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

const (
	// libp2pFloodVariable makes the test program one that floods on libp2p: it says with
	// what, where, and with which key.
	libp2pFloodVariable = "P2P_TEST_LIBP2P_FLOOD"
	// libp2pFlooders are its connections, more than a peer may have.
	libp2pFlooders = 2 * peerConnections
	// libp2pPulses are measured: nothing waits here for what leaves only every 10 ms.
	libp2pPulses = 2 * pulses
	// maxFloodGoroutines bounds what a flood may add: one for each stream, those that are
	// about to be refused among them, and some for what else a connection has.
	maxFloodGoroutines = libp2pStreams + openStreams
)

// libp2pFlood is what a listed peer does on libp2p without end.
type libp2pFlood struct {
	name string
	// makes is what is written on a stream of a number, of a host with an id. end is what
	// becomes of the stream then.
	makes func(id string, n uint64) []byte
	end   func(network.Stream)
	// many: what it makes differs from stream to stream.
	many bool
	// dropped is what is counted; empty: nothing, it stays within what a peer may.
	dropped types.Reason
	// logged says that the peer is disconnected for it, and the log why.
	logged types.Reason
	// member: it says first that it is carol's.
	member bool
}

// sayNothing makes nothing: the stream never says what it is for.
func sayNothing(string, uint64) []byte { return nil }

func resetStream(s network.Stream) { _ = s.Reset() }
func closeStream(s network.Stream) { _ = s.Close() }

// leaveOpen ends nothing.
func leaveOpen(network.Stream) {}

// goOn writes the same again and again, until the other end has enough.
func goOn(bz []byte) func(network.Stream) {
	return func(s network.Stream) {
		go func() { _, _ = io.Copy(io.Discard, s) }()
		for {
			if _, err := s.Write(bz); err != nil {
				_ = s.Reset()
				return
			}
		}
	}
}

// token is a word of the negotiation of protocols.
func token(word string) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(word)+1)), word+"\n"...)
}

// asking is what opens a stream of a protocol.
func asking(id protocol.ID) []byte {
	return slices.Concat(token("/multistream/1.0.0"), token(string(id)))
}

// onChannel is a message on a stream of its own, of a length that it says.
func onChannel(length int, bz []byte) []byte {
	return slices.Concat(asking(lp2p.ProtocolID(ChannelID)), binary.AppendUvarint(nil, uint64(length)), bz)
}

// always makes the same.
func always(bz []byte) func(string, uint64) []byte {
	return func(string, uint64) []byte { return bz }
}

// libp2pFloods are those of CometBFT's switch, and what it disconnects for by itself.
func libp2pFloods() []libp2pFlood {
	var all []libp2pFlood
	for _, f := range floods {
		if f.renames || f.logged == "" {
			continue // peers are those of a list; no connection has a limit
		}
		all = append(all, libp2pFlood{name: f.name, many: true, end: closeStream, dropped: f.logged, logged: f.logged, member: f.member,
			makes: func(id string, n uint64) []byte {
				bz, err := proto.Marshal(f.next(cmtp2p.ID(id), n).Wrap())
				if err != nil {
					panic(err)
				}
				return onChannel(len(bz), bz)
			}})
	}
	ready, err := proto.Marshal(carol.envelope(wire.KIND_READY, "bob", 1, nil).Wrap())
	if err != nil {
		panic(err)
	}
	tooLong, err := proto.Marshal(carol.envelope(wire.KIND_READY, "bob", 1, make([]byte, MaxRoundBody)).Wrap())
	if err != nil {
		panic(err)
	}
	return append(all,
		libp2pFlood{name: "one envelope again and again", makes: always(onChannel(len(ready), ready)), end: closeStream, dropped: DropPeerBudget, logged: FaultFlood},
		libp2pFlood{name: "garbage", makes: always(onChannel(1000, []byte(strings.Repeat("\xff", 1000)))), end: closeStream, dropped: DropOversize},
		libp2pFlood{name: "too long for their kind", makes: always(onChannel(len(tooLong), tooLong)), end: closeStream, dropped: DropOversize},
	)
}

// streamFloods are those of streams that bring no message.
func streamFloods() []libp2pFlood {
	ready, err := proto.Marshal(carol.envelope(wire.KIND_READY, "bob", 1, nil).Wrap())
	if err != nil {
		panic(err)
	}
	other := asking(lp2p.ProtocolID(ChannelID + 1))
	return []libp2pFlood{
		{name: "too much declared", makes: always(onChannel(MaxMessageBytes+1, nil)), end: closeStream, dropped: DropBrokenStream, logged: FaultFlood},
		{name: "ended too soon", makes: always(onChannel(len(ready), ready[1:])), end: closeStream, dropped: DropBrokenStream, logged: FaultFlood},
		{name: "declared and not sent", makes: always(onChannel(MaxMessageBytes, nil)), end: leaveOpen},
		{name: "another channel", makes: always(other), end: closeStream, dropped: DropBrokenStream, logged: FaultFlood},
		{name: "other channels without end", makes: always(other), end: goOn(slices.Repeat(token("x"), 1000)), dropped: DropBrokenStream, logged: FaultFlood},
		{name: "streams that are reset before they say what for", makes: sayNothing, end: resetStream, dropped: DropBrokenStream, logged: FaultFlood},
		{name: "streams that are closed before they say what for", makes: sayNothing, end: closeStream, dropped: DropBrokenStream, logged: FaultFlood},
		{name: "streams that never say what for", makes: always([]byte{0x13}), end: leaveOpen},
		{name: "streams of libp2p itself", makes: always(asking(identify.ID)), end: closeStream, dropped: FaultFlood, logged: FaultFlood},
		{name: "pings without end", makes: always(asking(ping.ID)), end: goOn(make([]byte, 1000*ping.PingSize)), dropped: FaultFlood, logged: FaultFlood},
	}
}

// runLibP2PFlood is the program that floods on libp2p until its input ends. Who says first
// who it is goes on after a byte of input: streams overtake each other.
func runLibP2PFlood() int {
	part := strings.Split(os.Getenv(libp2pFloodVariable), "@@")
	all := append(libp2pFloods(), streamFloods()...)
	i := slices.IndexFunc(all, func(f libp2pFlood) bool { return f.name == part[0] })
	key, err := hex.DecodeString(part[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	id, err := LibP2PID(ed25519.PrivKey(key))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	made, known := all[i].make(id), make(chan struct{})
	for range libp2pFlooders {
		go all[i].run(key, LibP2PPeer{ID: part[1], Address: part[2]}, made, known)
	}
	if _, err := os.Stdin.Read(make([]byte, 1)); err == nil {
		close(known)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// make is done beforehand: the victim has the cores.
func (f libp2pFlood) make(id string) [][]byte {
	made := [][]byte{f.makes(id, 0)}
	for f.many && len(made) < 5000 && (len(made) < 50 || len(made[0]) < 10_000) {
		made = append(made, f.makes(id, uint64(len(made))))
	}
	return made
}

// run floods on one connection at a time, a member as soon as it is known as one.
func (f libp2pFlood) run(key ed25519.PrivKey, to LibP2PPeer, made [][]byte, known <-chan struct{}) {
	host, err := lp2p.NewHost(rawConfig("127.0.0.1:0"), key, log.NewNopLogger())
	if err != nil {
		panic(err)
	}
	host.SetStreamHandler(lp2p.ProtocolID(ChannelID), func(s network.Stream) {
		_, _ = io.Copy(io.Discard, s)
		_ = s.Close()
	})
	address, err := lp2p.AddrInfoFromHostAndID(to.Address, to.ID)
	if err != nil {
		panic(err)
	}
	for n := 0; ; n++ {
		if host.Network().Connectedness(address.ID) != network.Connected {
			n = 0 // a member says first who it is
			host.Network().(*swarm.Swarm).Backoff().Clear(address.ID)
			if host.Connect(context.Background(), address) != nil {
				time.Sleep(tick)
				continue
			}
		}
		f.open(host, address.ID, made[n%len(made)])
		if f.member {
			<-known
		}
	}
}

// open floods with one stream.
func (f libp2pFlood) open(host *lp2p.Host, to peer.ID, bz []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s, err := host.Network().NewStream(network.WithNoDial(ctx, "flood"), to)
	if err != nil {
		return
	}
	if _, err := s.Write(bz); err != nil {
		_ = s.Reset()
		return
	}
	f.end(s)
}

// startLibP2PFlood runs the program beside the test, with a peer's key. known tells it that
// the victim knows whose it is.
func startLibP2PFlood(t *testing.T, f libp2pFlood, as, to place) (known, end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s@@%s@@%s@@%x", libp2pFloodVariable, f.name, to.ID, to.Address, []byte(as.key)))
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	known = func() {
		_, err := input.Write([]byte{1})
		require.NoError(t, err)
	}
	return known, func() {
		require.NoError(t, input.Close())
		require.NoError(t, cmd.Wait())
	}
}

// A listed peer floods on libp2p as on CometBFT: it is stopped, the log says why, memory and
// goroutines do not grow, and what others send arrives within bounds all the while.
func TestFloodOnLibP2P(t *testing.T) {
	for _, flood := range append([]libp2pFlood{{name: "none"}}, libp2pFloods()...) {
		t.Run(flood.name, flood.test)
	}
}

// A listed peer floods with streams and connections that bring no message, and is no worse.
func TestFloodOfStreamsOnLibP2P(t *testing.T) {
	for _, flood := range streamFloods() {
		t.Run(flood.name, flood.test)
	}
}

func (f libp2pFlood) test(t *testing.T) {
	if testing.Short() {
		t.Skip("floods take half a minute")
	}
	at := libp2pPlaces(t, 3)
	// The nodes find the flooder's place taken when they start, or they would wait for it.
	host, err := lp2p.NewHost(rawConfig(at[2].Address), at[2].key, log.NewNopLogger())
	require.NoError(t, err)
	b, a := startLibP2P(t, bob, at[0], at[1], at[2]), startLibP2P(t, alice, at[1], at[0])
	a.reaches(t, 1)
	b.reaches(t, 1)
	require.NoError(t, host.Close())
	connections := func() int { return len(b.sw.host.Network().ConnsToPeer(host.ID())) }
	eventually(t, "the flooder's place is empty", func() bool { return connections() == 0 })
	goroutines := runtime.NumGoroutine()
	if f.makes != nil {
		known, end := startLibP2PFlood(t, f, at[2], at[0])
		defer end()
		eventually(t, "it comes", func() bool { return connections() > 0 })
		if f.member {
			eventually(t, "it is known as hers", func() (is bool) {
				b.do(func() { is = slices.Contains(b.operators, types.Operator("carol")) })
				return is
			})
			known()
		}
	}
	if f.dropped != "" {
		eventually(t, "it is counted", func() bool { return b.drops(In, f.dropped) > 0 })
	}
	if f.logged != "" {
		eventually(t, "the log says it", func() bool { return strings.Contains(b.log.String(), "reason="+string(f.logged)) })
		require.Contains(t, b.log.String(), at[2].ID)
	}
	during := a.measure(t, b)
	t.Logf("%s, %+d goroutines; %d broken streams, %d slow ones, %d connections too many, disconnected %d times", during,
		during.goroutines-goroutines, b.drops(In, DropBrokenStream), b.drops(In, DropSlowStream), b.drops(In, DropConnection), b.drops(In, FaultFlood))
	during.requireBounded(t)
	require.Less(t, during.goroutines-goroutines, maxFloodGoroutines)
}

// measure has a node's envelopes cross to another, one after the other.
func (n *libp2pNode) measure(t *testing.T, to *libp2pNode) (f figures) {
	t.Helper()
	before, heap, began := used(), live(), time.Now()
	for seq := range uint64(libp2pPulses) {
		sent := time.Now()
		require.True(t, n.r.Send(to.id.op, n.id.envelope(wire.KIND_ROUND, to.id.op, seq, make([]byte, 1000))))
		eventually(t, "it arrives", func() bool { return len(to.sequences(n.id.op)) == int(seq)+1 })
		f.envelopes = append(f.envelopes, time.Since(sent))
		f.goroutines = max(f.goroutines, runtime.NumGoroutine())
	}
	f.cpu = (used() - before).Seconds() / time.Since(began).Seconds()
	f.grown = live() - heap
	return f
}
