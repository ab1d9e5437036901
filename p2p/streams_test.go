package p2p

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// fakeStream is a stream of one Read.
type fakeStream struct {
	network.Stream
	from   peer.ID
	closed bool // its connection is
	n      int
	err    error
	resets int
}

func (s *fakeStream) Conn() network.Conn              { return fakeConn{s: s} }
func (s *fakeStream) SetReadDeadline(time.Time) error { return nil }
func (s *fakeStream) Read(b []byte) (int, error)      { return min(s.n, len(b)), s.err }
func (s *fakeStream) SetProtocol(protocol.ID) error   { return nil }
func (s *fakeStream) Reset() error                    { s.resets++; return nil }
func (s *fakeStream) ResetWithError(network.StreamErrorCode) error {
	s.resets++
	return nil
}

type fakeConn struct {
	network.Conn
	s *fakeStream
}

func (c fakeConn) RemotePeer() peer.ID { return c.s.from }
func (c fakeConn) IsClosed() bool      { return c.s.closed }

type fakeHost struct {
	host.Host
	net *fakeNetwork
}

func (h fakeHost) Network() network.Network { return h.net }

// fakeNetwork remembers whose connections were closed.
type fakeNetwork struct {
	network.Network
	closed []peer.ID
	// meanwhile happens while they are being closed.
	meanwhile func()
}

func (n *fakeNetwork) ClosePeer(id peer.ID) error {
	n.closed = append(n.closed, id)
	if n.meanwhile != nil {
		n.meanwhile()
	}
	return nil
}

// loneGuard is a guard with two listed peers.
func loneGuard(t *testing.T, opts Options, l streamLimit) (*streamGuard, *fakeNetwork, *recorder) {
	t.Helper()
	limits := defaultLimits()
	limits.streams = l
	r, rec := lone(t, opts, limits)
	net := &fakeNetwork{}
	g := &streamGuard{Host: fakeHost{net: net}, r: r, peers: map[peer.ID]*streamPeer{"p": newStreamPeer(l), "q": newStreamPeer(l)}}
	return g, net, rec
}

// agree says at once that a stream is for a protocol, and has it handled.
func (g *streamGuard) agree(s network.Stream, on protocol.ID, handle network.StreamHandler) {
	g.open(s, func(s network.Stream) {
		_ = s.SetProtocol(on)
		if on == lp2p.ProtocolID(ChannelID) {
			g.serve(s, handle)
			return
		}
		handle(s)
	})
}

// onOurs is for the channel.
func (g *streamGuard) onOurs(s network.Stream, handle network.StreamHandler) {
	g.agree(s, lp2p.ProtocolID(ChannelID), handle)
}

// giveUp reads once and resets, as the switch does with what is no message.
func giveUp(s network.Stream) {
	_, _ = s.Read(make([]byte, 1))
	_ = s.Reset()
}

// What ended a stream decides whom it is held against.
func TestWhoseFaultABrokenStreamIs(t *testing.T) {
	for name, c := range map[string]struct {
		s            fakeStream
		handle       network.StreamHandler
		broken, slow int
	}{
		"a message":               {fakeStream{n: 1, err: io.EOF}, func(s network.Stream) { _, _ = s.Read(make([]byte, 1)) }, 0, 0},
		"too much declared":       {fakeStream{n: 1}, giveUp, 1, 0},
		"ended too soon":          {fakeStream{err: io.EOF}, giveUp, 1, 0},
		"reset by the peer":       {fakeStream{err: &network.StreamError{Remote: true}}, giveUp, 1, 0},
		"reset here":              {fakeStream{err: &network.StreamError{}}, giveUp, 0, 0},
		"connection lost":         {fakeStream{err: &network.ConnError{Remote: true}}, giveUp, 0, 0},
		"connection closed since": {fakeStream{err: io.EOF, closed: true}, giveUp, 0, 0},
		"too slow":                {fakeStream{n: 1, err: os.ErrDeadlineExceeded}, giveUp, 0, 1},
		"switch does not run":     {fakeStream{}, func(s network.Stream) { _ = s.Reset() }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g, _, rec := loneGuard(t, Options{}, defaultLimits().streams)
			c.s.from = "p"
			g.onOurs(&c.s, c.handle)
			require.Equal(t, c.broken, rec.drops(In, DropBrokenStream))
			require.Equal(t, c.slow, rec.drops(In, DropSlowStream))
		})
	}
}

// A peer of no list gets no further.
func TestStreamOfAnUnlistedPeer(t *testing.T) {
	g, _, _ := loneGuard(t, Options{}, defaultLimits().streams)
	s := &fakeStream{from: "stranger"}
	g.onOurs(s, func(network.Stream) { require.Fail(t, "handed over") })
	require.Equal(t, 1, s.resets)
}

// What ends before it says what it is for is judged as what brings no message.
func TestStreamThatDoesNotSayWhatForIsBroken(t *testing.T) {
	for name, c := range map[string]struct {
		s            fakeStream
		broken, slow int
	}{
		"reset by the peer": {fakeStream{err: &network.StreamError{Remote: true}}, 1, 0},
		"ended":             {fakeStream{n: 1, err: io.EOF}, 1, 0},
		"something else":    {fakeStream{n: 1}, 1, 0},
		"nothing in time":   {fakeStream{n: 1, err: os.ErrDeadlineExceeded}, 0, 1},
		"connection lost":   {fakeStream{err: &network.ConnError{Remote: true}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g, _, rec := loneGuard(t, Options{}, defaultLimits().streams)
			c.s.from = "p"
			g.open(&c.s, func(s network.Stream) {
				_, _ = s.Read(make([]byte, 1))
				_ = s.ResetWithError(network.StreamProtocolNegotiationFailed)
			})
			require.Equal(t, c.broken, rec.drops(In, DropBrokenStream))
			require.Equal(t, c.slow, rec.drops(In, DropSlowStream))
		})
	}
}

// What a stream brings is bounded until it is one of the channel, whose switch knows how
// much it wants.
func TestStreamsBringSoMuch(t *testing.T) {
	g, _, rec := loneGuard(t, Options{}, defaultLimits().streams)
	read := func(s network.Stream) (bytes int) {
		for {
			n, err := s.Read(make([]byte, 100))
			if bytes += n; err != nil || bytes > 2*maxOwnBytes {
				_ = s.Reset()
				return bytes
			}
		}
	}
	var ours, own, none int
	g.onOurs(&fakeStream{from: "p", n: 100}, func(s network.Stream) { ours = read(s) })
	g.agree(&fakeStream{from: "p", n: 100}, identify.ID, func(s network.Stream) { own = read(s) })
	g.open(&fakeStream{from: "p", n: 100}, func(s network.Stream) { none = read(s) })
	require.Greater(t, ours, 2*maxOwnBytes)
	require.Equal(t, maxOwnBytes, own)
	require.Equal(t, maxNegotiation, none)
	require.Equal(t, 3, rec.drops(In, DropBrokenStream))
}

// Streams of libp2p's own protocols have a budget of their own, and those of the channel,
// which have their messages', need none of it.
func TestStreamsOfOtherProtocolsAreFew(t *testing.T) {
	l := defaultLimits().streams
	l.own, l.ownBurst = 1, 3
	c := newClock()
	g, net, rec := loneGuard(t, Options{Now: c.now}, l)
	bring := func(from peer.ID, on protocol.ID) {
		g.agree(&fakeStream{from: from, n: 1, err: io.EOF}, on, func(s network.Stream) { _, _ = s.Read(make([]byte, 1)) })
	}
	for range 3 {
		bring("p", identify.ID)
	}
	for range 10 {
		bring("p", lp2p.ProtocolID(ChannelID))
	}
	require.Empty(t, net.closed)
	bring("p", identify.ID)
	require.Equal(t, []peer.ID{"p"}, net.closed)
	require.Equal(t, 1, rec.drops(In, FaultFlood))
	c.add(time.Second)
	bring("p", identify.ID)
	bring("q", identify.ID)
	require.Len(t, net.closed, 1)
}

// A peer has so many streams open; those beyond are refused and held against it, and
// another peer's are not.
func TestOpenStreamsAreBounded(t *testing.T) {
	l := defaultLimits().streams
	l.open, l.failureBurst = 2, 1
	g, net, rec := loneGuard(t, Options{Now: newClock().now}, l)
	ended := &fakeStream{from: "p"}
	var within func(network.Stream)
	depth := 0
	within = func(network.Stream) {
		if depth++; depth < 2 {
			g.open(&fakeStream{from: "p"}, within)
			return
		}
		g.open(ended, func(network.Stream) { require.Fail(t, "it is beyond what there may be") })
		g.open(&fakeStream{from: "q"}, func(network.Stream) { depth++ })
	}
	g.open(&fakeStream{from: "p"}, within)
	require.Equal(t, 3, depth)
	require.Equal(t, 1, ended.resets)
	require.Equal(t, 1, rec.drops(In, DropQueueFull))
	require.Empty(t, net.closed)
	depth = 0
	g.open(&fakeStream{from: "p"}, within)
	require.Equal(t, []peer.ID{"p"}, net.closed)
}

// Some streams may break; a peer that goes on is disconnected, each time, and others are not.
func TestPeerOfBrokenStreamsIsDisconnected(t *testing.T) {
	c, out := newClock(), &lockedBuffer{}
	opts := Options{Now: c.now, Logger: slog.New(slog.NewTextHandler(out, nil))}
	g, net, rec := loneGuard(t, opts, streamLimit{open: 1, atOnce: 1, patience: time.Minute, failures: 1, failureBurst: 3})
	breakOne := func(from peer.ID) { g.onOurs(&fakeStream{from: from, n: 1}, giveUp) }
	for range 3 {
		breakOne("p")
	}
	require.Empty(t, net.closed)
	breakOne("p")
	require.Equal(t, []peer.ID{"p"}, net.closed)
	breakOne("q")
	require.Len(t, net.closed, 1)
	c.add(time.Second)
	breakOne("p")
	require.Len(t, net.closed, 1, "one a second is borne")
	breakOne("p")
	require.Equal(t, []peer.ID{"p", "p"}, net.closed)
	require.Equal(t, 2, rec.drops(In, FaultFlood))
	require.Equal(t, 1, strings.Count(out.String(), "reason=flood"), "the log says it once a minute")
	net.meanwhile = func() { breakOne("p") }
	breakOne("p")
	require.Len(t, net.closed, 3, "it is being disconnected already")
	net.meanwhile = nil
	breakOne("p")
	require.Len(t, net.closed, 4)
}

// Few streams of a peer are with the switch at a time. The next one waits for one of them,
// and not for ever; those of others do not.
func TestStreamsWaitForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience = 30 * time.Second
		g, _, rec := loneGuard(t, Options{}, streamLimit{open: 10, atOnce: 2, patience: patience, failures: 1, failureBurst: 1})
		entered, leave := map[peer.ID]int{}, make(chan struct{})
		open := func(from peer.ID) *fakeStream {
			s := &fakeStream{from: from}
			go g.onOurs(s, func(network.Stream) {
				rec.do(func() { entered[from]++ })
				<-leave
			})
			synctest.Wait()
			return s
		}
		open("p")
		open("p")
		open("p")
		require.Equal(t, 2, entered["p"])
		open("q")
		require.Equal(t, 1, entered["q"])
		last := open("p")
		require.Equal(t, 2, entered["p"])

		time.Sleep(patience) // on the bubble's clock
		synctest.Wait()
		require.Equal(t, 1, last.resets)
		require.Equal(t, 2, rec.drops(In, DropSlowStream))
		open("p")
		leave <- struct{}{}
		leave <- struct{}{}
		synctest.Wait()
		require.Equal(t, 3, entered["p"], "a place became free")
		close(leave)
		synctest.Wait()
	})
}

// declare opens a stream and says how much will come. The other end may be gone, or may
// take no more of them.
func declare(ctx context.Context, host *lp2p.Host, to peer.ID, size uint64) (network.Stream, error) {
	s, err := host.NewStream(ctx, to, lp2p.ProtocolID(ChannelID))
	if err != nil {
		return nil, err
	}
	_, err = s.Write(binary.AppendUvarint(nil, size))
	return s, err
}

// breakStream declares more than a message may have, and ends the stream.
func breakStream(ctx context.Context, host *lp2p.Host, to peer.ID) {
	if s, err := declare(ctx, host, to, MaxMessageBytes+1); err == nil {
		_ = s.Close()
	}
}

// Streams that declare too much, one after the other, cost the connection, and the log
// says why. What others send arrives.
func TestBrokenStreamsOnLibP2P(t *testing.T) {
	at := libp2pPlaces(t, 3)
	a, b := startLibP2P(t, alice, at[0], at[1], at[2]), startLibP2P(t, bob, at[1], at[0])
	a.reaches(t, 1)
	b.reaches(t, 1)
	host, id := rawHost(t, at[2], at[0], func(network.Stream) {})
	conn := host.Network().ConnsToPeer(id)[0]
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	for !conn.IsClosed() {
		require.NoError(t, ctx.Err(), "it is disconnected")
		breakStream(ctx, host, id)
	}
	require.Contains(t, a.log.String(), "reason=flood")
	require.Contains(t, a.log.String(), at[2].ID)
	require.Positive(t, a.drops(In, FaultFlood))
	require.True(t, b.r.Send("alice", bob.envelope(wire.KIND_READY, "alice", 1, nil)))
	eventually(t, "others go on", func() bool { return len(a.sequences("bob")) == 1 })
}

// Whatever a peer has the switch say, the log gets few lines of it.
func TestLogOfBrokenStreamsOnLibP2P(t *testing.T) {
	const streams = 4 * sparingLines
	l := defaultLimits()
	l.streams.failureBurst = 2 * streams
	at := libp2pPlaces(t, 2)
	a := startLibP2PWithin(t, l, alice, at[0], at[1])
	host, id := rawHost(t, at[1], at[0], func(network.Stream) {})
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	began := time.Now()
	for a.drops(In, DropBrokenStream) < streams {
		require.NoError(t, ctx.Err(), "the streams arrive")
		breakStream(ctx, host, id)
	}
	lines := strings.Count(a.switchLog.String(), "Failed to read payload")
	require.Positive(t, lines)
	require.LessOrEqual(t, lines, sparingLines+int(time.Since(began)/sparingPause)+1)
}

// A stream that brings nothing is ended, and held against nobody.
func TestStreamThatBringsNothingOnLibP2P(t *testing.T) {
	l := defaultLimits()
	l.streams.patience = 3 * time.Second
	at := libp2pPlaces(t, 2)
	a := startLibP2PWithin(t, l, alice, at[0], at[1])
	host, id := rawHost(t, at[1], at[0], func(network.Stream) {})
	var s network.Stream
	eventually(t, "it is opened", func() bool {
		var err error
		s, err = declare(t.Context(), host, id, MaxMessageBytes)
		return err == nil
	})
	require.NoError(t, s.SetReadDeadline(time.Now().Add(patient)))
	_, err := s.Read(make([]byte, 1))
	var ended *network.StreamError
	require.True(t, errors.As(err, &ended) && ended.Remote, "%v", err)
	eventually(t, "it is counted", func() bool { return a.drops(In, DropSlowStream) > 0 })
	require.Zero(t, a.drops(In, DropBrokenStream))
	require.False(t, s.Conn().IsClosed())
	require.NoError(t, write(t, host, id, encode(t, carol.envelope(wire.KIND_READY, "alice", 1, nil))))
	eventually(t, "the next one arrives", func() bool { return len(a.sequences("carol")) == 1 })
}
