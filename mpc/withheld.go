package mpc

import "github.com/sequencer-mpc/sequencer/mpc/types"

// Withholding is why a share is kept that the chain has no use for now. Empty: it is not
// known for long enough that it is.
type Withholding string

// Reasons to keep a share.
const (
	// WithheldForeign: it is, or may be, of a key that was READY, and the chain has another
	// one under its id.
	WithheldForeign Withholding = "other_key"
	// WithheldUnasked: it is of a reshare that the chain does not know, be it another one under the
	// same id.
	WithheldUnasked Withholding = "unknown_reshare"
	// WithheldUncommitted: the chain chose its session, but this node ran that for another
	// request under the same id.
	WithheldUncommitted Withholding = "other_request"
	// WithheldPrevious: it is of an earlier epoch, and this node has none of the present
	// one that opens.
	WithheldPrevious Withholding = "share_missing"
	// WithheldEarlier: it is of an earlier epoch, and t or fewer participants are known to have a
	// share of the present one: it may be one of the last of the key.
	WithheldEarlier Withholding = "previous_epoch"
	// WithheldNext: it is of an epoch that the chain has not reached, and this node has none
	// of the present one that opens. After a rollback it may be one of the last of the key.
	WithheldNext Withholding = "later_epoch"
)

// Remedy says what to do about it.
func (w Withholding) Remedy() string {
	switch w {
	case WithheldForeign:
		return types.ForProgram("check that this database belongs to this chain; make a backup: sequencerd mpc backup create")
	case WithheldUnasked:
		return types.ForProgram("nothing is to be done if the chain was rolled back and t+1 participants have their shares of the key: sequencerd query mpc key; otherwise check that this database belongs to this chain")
	case WithheldUncommitted:
		return types.ErrIdentityShared.Remedy()
	case WithheldPrevious:
		return types.ErrShareMissing.Remedy()
	case WithheldEarlier:
		return types.ForProgram("have the participants that lost their share put it back: sequencerd mpc backup restore; where they cannot, do not delete the key, make a backup: sequencerd mpc backup create, and see MPCShareWithheld in the runbook")
	case WithheldNext:
		return types.ForProgram("make a backup: sequencerd mpc backup create; refresh the key (sequencerd tx mpc refresh) if t+1 others have their shares, and otherwise see MPCShareWithheld in the runbook: this may be one of its last")
	}
	return ""
}

// Withheld is a share that is kept.
type Withheld struct {
	types.RecordKey
	Why Withholding
}

// withhold notes that a share is kept, and reports whether it was not kept at the last
// look: it is told once.
func (c *Core) withhold(r types.Record, why Withholding) bool {
	if c.view.CatchingUp {
		return false
	}
	c.withheld[r.RecordKey] = why
	return c.withheldBefore[r.RecordKey] != why
}

// withholdAtLast is withhold of what may be nothing by the next look: it counts from that on.
func (c *Core) withholdAtLast(r types.Record, why Withholding) bool {
	if _, before := c.withheldBefore[r.RecordKey]; before || c.view.CatchingUp {
		return c.withhold(r, why)
	}
	c.withheld[r.RecordKey] = ""
	return false
}

// lookAgain begins a look at all records. Nothing is found out while catching up.
func (c *Core) lookAgain() {
	if !c.view.CatchingUp {
		c.withheldBefore, c.withheld = c.withheld, make(map[types.RecordKey]Withholding)
	}
}
