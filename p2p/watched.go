package p2p

import (
	"errors"
	"io"
	"math"
	"os"

	"github.com/cometbft/cometbft/lp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	// maxNegotiation is how many bytes a stream may take to say what it is for: twenty for
	// how to talk about it, and some thirty for each protocol that is proposed. Honest nodes
	// propose one.
	maxNegotiation = 1 << 10
	// maxOwnBytes is how many a stream of libp2p's own protocols may bring: who a peer is
	// has some 500, a ping 32, and CometBFT pings twice.
	maxOwnBytes = 16 << 10
)

// errSaysTooMuch ends a stream that has no end of its own.
var errSaysTooMuch = errors.New("more than such a stream may bring")

// watchedStream remembers what a stream is for and how reading it ended, and bounds what is
// read of one that is not the channel's. A stream is read on one goroutine, which closes it
// when it had what it wanted, and resets it if that did not come.
type watchedStream struct {
	network.Stream
	// of is the protocol; empty until the two sides agreed on it.
	of protocol.ID
	// room is how many bytes it may still bring.
	room         int
	began, reset bool
	// err is what the last Read ended with.
	err error
}

// SetProtocol implements the stream. The host says so when it has agreed with the peer.
func (s *watchedStream) SetProtocol(id protocol.ID) error {
	s.of, s.room = id, maxOwnBytes
	if id == lp2p.ProtocolID(ChannelID) {
		s.room = math.MaxInt // the switch knows how much it wants
	}
	return s.Stream.SetProtocol(id)
}

// Read implements the stream.
func (s *watchedStream) Read(b []byte) (int, error) {
	if s.room == 0 {
		s.err = nil
		return 0, errSaysTooMuch
	}
	n, err := s.Stream.Read(b[:min(len(b), s.room)])
	s.room -= n
	s.began, s.err = s.began || n > 0, err
	return n, err
}

// Reset implements the stream.
func (s *watchedStream) Reset() error {
	s.reset = true
	return s.Stream.Reset()
}

// ResetWithError implements the stream.
func (s *watchedStream) ResetWithError(code network.StreamErrorCode) error {
	s.reset = true
	return s.Stream.ResetWithError(code)
}

// late: the time was over before the message was there. A slow line does that too.
func (s *watchedStream) late() bool {
	return s.reset && errors.Is(s.err, os.ErrDeadlineExceeded)
}

// broken: the peer declared too much, ended the stream before all was there, or before it
// said what for. It is not to blame for what ends with its connection, or is ended by this
// node.
func (s *watchedStream) broken() bool {
	if !s.reset || s.Conn().IsClosed() {
		return false
	}
	if s.err == nil {
		return s.began // else nobody looked at it: the switch does not run yet
	}
	var byStream *network.StreamError
	return errors.Is(s.err, io.EOF) || (errors.As(s.err, &byStream) && byStream.Remote)
}
