package mpc

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Status is what the engine is doing, for people and metrics. It holds no
// secrets.
type Status struct {
	// Operator is empty while no identity of this node is registered.
	Operator        types.Operator
	IdentityVersion uint32
	// IdentityOutdated is the version of the operator that the chain goes by if this
	// node does not have its key, and takes no part in new requests; 0 otherwise.
	IdentityOutdated uint32
	Height           int64
	CatchingUp       bool
	ClockAhead       time.Duration // see View
	OpenRequests     int
	Sessions         []session.Snapshot
	Records          []types.Record
	Tombstones       []types.KeyID
	Preparams        int
	// Results waiting for a proposer.
	Results int
	// Resent counts envelopes that went out again since the engine was made: those
	// of sessions that are over, and those of Sessions so far.
	Resent uint64
	// Unknown are keys in the store that the chain does not know.
	Unknown []types.KeyID
	At      time.Time
}
