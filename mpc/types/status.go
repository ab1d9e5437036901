package types

import "fmt"

// Status is the life of a key share record on a node.
type Status uint8

// The statuses of a record.
const (
	// StatusNone is the status of a record that does not exist.
	StatusNone Status = 0
	// StatusPending: a session is at work, or its share waits for the chain's
	// decision.
	StatusPending Status = 1
	// StatusReady: the chain chose this session; the share can sign.
	StatusReady Status = 2
	// StatusError: the session failed, or the chain chose another one.
	StatusError Status = 3
)

// transitions is the only place that says what may follow what. A READY record
// never changes again: it is destroyed or it stays. A record may be written
// again in its own status, PENDING gains its share that way.
var transitions = map[Status][]Status{
	StatusNone:    {StatusPending},
	StatusPending: {StatusPending, StatusReady, StatusError},
	StatusReady:   {StatusReady},
	StatusError:   {StatusError},
}

// CanMoveTo reports whether a record may go from s to next.
func (s Status) CanMoveTo(next Status) bool {
	for _, t := range transitions[s] {
		if t == next {
			return true
		}
	}
	return false
}

// String is the name that operators see.
func (s Status) String() string {
	switch s {
	case StatusNone:
		return "NONE"
	case StatusPending:
		return "PENDING"
	case StatusReady:
		return "READY"
	case StatusError:
		return "ERROR"
	}
	return fmt.Sprintf("STATUS-%d", uint8(s))
}
