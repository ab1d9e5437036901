package session

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// What the tests outside the package look at. They are outside because the
// fake protocols import this package.
const (
	MaxWorking   = maxWorking
	SealOverhead = sealOverhead
)

// PendingTo lists what is still being resent to a member.
func (s *Session) PendingTo(op types.Operator) []*wire.Header {
	var headers []*wire.Header
	for _, d := range s.outbox.pending {
		if d.to == op {
			headers = append(headers, d.envelope.Header)
		}
	}
	return headers
}

// Drawn is what a member is charged with.
func (s *Session) Drawn(op types.Operator) time.Duration { return s.peers[op].drawn }

// Held counts the messages that took a slot of a round.
func (s *Session) Held(round uint32) int { return len(s.inbox.messages[round]) }

// Unread lists the opened messages that no step took yet.
func (s *Session) Unread() [][]byte {
	var bodies [][]byte
	for _, messages := range s.inbox.messages {
		for _, m := range messages {
			if m.secret && m.body != nil {
				bodies = append(bodies, m.body)
			}
		}
	}
	return bodies
}

// Keys counts the sealing keys and session keys still in memory.
func (s *Session) Keys() int {
	if s.ephemeral != nil {
		return len(s.links) + 1
	}
	return len(s.links)
}
