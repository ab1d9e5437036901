package cluster

import (
	"encoding/hex"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// auditor keeps a member's audit log on disk, as a node does: a share is used when the
// note of it is durable.
type auditor struct {
	m     *member
	lines *audit.Log
}

var _ mpc.Auditor = (*auditor)(nil)

// ShareOpened implements mpc.Auditor.
func (a *auditor) ShareOpened(u mpc.Use) func() {
	number := a.write(u, audit.Begin, "")
	return func() { a.sync(number) }
}

// PreparamsBurned implements mpc.Auditor.
func (a *auditor) PreparamsBurned(u mpc.Use) { a.sync(a.write(u, audit.Burned, "")) }

// ShareClosed implements mpc.Auditor.
func (a *auditor) ShareClosed(u mpc.Use, reason types.Reason) {
	outcome := string(reason)
	if reason == "" {
		outcome = audit.OutcomeOK
	}
	a.write(u, audit.End, outcome)
}

func (a *auditor) write(u mpc.Use, event, outcome string) uint64 {
	if err := a.lines.Append(audit.Entry{
		Event: event, Kind: u.Request.Kind.String(), Request: u.Request.ID, Key: string(u.Key), Epoch: u.Epoch, Height: u.Height,
		Digest: hex.EncodeToString(u.Digest), Session: u.Session.String(), Attempt: u.Attempt, Outcome: outcome,
	}); err != nil {
		a.m.c.t.Errorf("write the audit log of %s: %v", a.m.op, err)
	}
	number, _ := a.lines.Last()
	return number
}

func (a *auditor) sync(number uint64) {
	if err := a.lines.Sync(number); err != nil {
		a.m.c.t.Errorf("bring the audit log of %s to disk: %v", a.m.op, err)
	}
}
