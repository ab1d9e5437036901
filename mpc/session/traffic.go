package session

import (
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Traffic is what a session sent and got, in envelopes and in their encoded bytes: with
// resends, and with what counted for nothing.
type Traffic struct {
	Sent, SentBytes         uint64
	Received, ReceivedBytes uint64
}

// metered is a Host that counts what a session hands over to be sent.
type metered struct {
	Host
	traffic *Traffic
}

// Send implements Host.
func (m metered) Send(to types.Operator, e *wire.Envelope) bool {
	queued := m.Host.Send(to, e)
	if queued {
		m.traffic.Sent++
		m.traffic.SentBytes += uint64(e.Size())
	}
	return queued
}

// Traffic is what went out and came in so far.
func (s *Session) Traffic() Traffic { return *s.traffic }

func (s *Session) received(e *wire.Envelope) {
	s.traffic.Received++
	s.traffic.ReceivedBytes += uint64(e.Size())
}
