package mpc

import (
	"maps"
	"slices"
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
	// BlocksLate: blocks come later than they use to, so what can wait does.
	BlocksLate   bool
	OpenRequests int
	Sessions     []session.Snapshot
	// Records and Tombstones are in order, and shared with other Statuses.
	Records    []types.Record
	Tombstones []types.KeyID
	Preparams  int
	// Results waiting for a proposer.
	Results int
	// Resent counts envelopes that went out again since the engine was made: those
	// of sessions that are over, and those of Sessions so far.
	Resent uint64
	// Presignatures of each key that this node has some of.
	Presignatures []PresignStatus
	// Unknown are keys in the store that the chain does not know.
	Unknown []types.KeyID
	// Withheld are shares that are kept though the chain has no use for them now, in
	// order.
	Withheld []Withheld
	At       time.Time
}

// listed are the lists of records and tombstones. A node has thousands of them, walks the
// records in each block and shows all twice a second: so the lists are made when something
// changed, and never changed themselves.
type listed struct {
	keys       []types.RecordKey
	records    []types.Record
	tombstones []types.KeyID
}

// listRecords are the records in order.
func (c *Core) listRecords() []types.Record {
	if len(c.listed.records) != len(c.records) { // know and forget drop it
		c.listed.records = make([]types.Record, 0, len(c.records))
		for _, k := range c.recordKeys() {
			c.listed.records = append(c.listed.records, c.records[k].Clone())
		}
	}
	return c.listed.records
}

// listTombstones are the destroyed keys in order: once there, they stay.
func (c *Core) listTombstones() []types.KeyID {
	if len(c.listed.tombstones) != len(c.tombstones) {
		c.listed.tombstones = slices.Sorted(maps.Keys(c.tombstones))
	}
	return c.listed.tombstones
}

// listWithheld are the shares that are kept, in order.
func (c *Core) listWithheld() (list []Withheld) {
	for k, why := range c.withheld {
		if _, there := c.records[k]; there && why != "" {
			list = append(list, Withheld{k, why})
		}
	}
	slices.SortFunc(list, func(a, b Withheld) int { return compareRecordKeys(a.RecordKey, b.RecordKey) })
	return list
}

// Status is what people are shown.
func (c *Core) Status() Status {
	st := Status{
		Operator: c.self.Operator, IdentityVersion: c.self.Version, IdentityOutdated: c.outdated, Height: c.view.Height,
		CatchingUp: c.view.CatchingUp, ClockAhead: c.view.ClockAhead, BlocksLate: c.pace.late(c.opts.Now()), OpenRequests: len(c.requests), Results: c.pool.size(), Resent: c.resent, At: c.opts.Now(),
	}
	for _, l := range c.ordered() {
		if l.Phase() == session.Parked {
			continue // see Presignatures
		}
		st.Sessions = append(st.Sessions, l.Snapshot())
		st.Resent += uint64(l.Resent())
	}
	st.Presignatures = c.presignStatus()
	st.Records, st.Tombstones, st.Withheld = c.listRecords(), c.listTombstones(), c.listWithheld()
	for id := range c.unknown {
		st.Unknown = append(st.Unknown, id)
	}
	slices.Sort(st.Unknown)
	if c.opts.Store != nil {
		if ids, err := c.opts.Store.Preparams(); err == nil {
			st.Preparams = len(ids)
		}
	}
	return st
}
