package mpcnode

import (
	"context"
	"encoding/hex"
	"log/slog"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// auditor writes each use of a share into the audit log. It is called on the
// engine's loop, one call at a time.
type auditor struct {
	lines *audit.Log
	log   *slog.Logger
	// failed: the last line could not be written, which is told once.
	failed bool
}

var _ mpc.Auditor = (*auditor)(nil)

// ShareOpened implements mpc.Auditor.
func (a *auditor) ShareOpened(u mpc.Use) { a.write(auditLine(u, audit.Begin, "")) }

// ShareClosed implements mpc.Auditor.
func (a *auditor) ShareClosed(u mpc.Use, reason types.Reason) {
	outcome := string(reason)
	if reason == "" {
		outcome = audit.OutcomeOK
	}
	a.write(auditLine(u, audit.End, outcome))
}

// write goes on without a line that cannot be written: a full disk is no reason to
// let others down. The log itself notes the gap.
func (a *auditor) write(e audit.Entry) {
	err := a.lines.Append(e)
	if err != nil && !a.failed {
		a.log.Error("the audit log cannot be written; signing goes on, and the log will show a gap", "err", err)
	}
	a.failed = err != nil
}

func auditLine(u mpc.Use, event, outcome string) audit.Entry {
	return audit.Entry{
		Event: event, Kind: u.Request.Kind.String(), Request: u.Request.ID, Key: string(u.Key), Epoch: u.Epoch,
		Height: u.Height, Digest: hex.EncodeToString(u.Digest), Session: u.Session.String(), Attempt: u.Attempt,
		Signers: texts(u.Signers), Outcome: outcome,
	}
}

// openAudit opens the audit log of a node with an identity. A node whose log cannot
// be opened works without, and says so.
func (m *member) openAudit(folder string) {
	if !m.vault.Present() {
		return
	}
	lines, err := audit.Open(folder)
	if m.auditErr = err; err != nil {
		m.log.Error("the audit log cannot be opened; this node works without", "err", err)
		return
	}
	m.audit = lines
}

// runAudit brings lines to disk until the context ends. A disk that fails is no
// reason to stop a validator, nor to stop writing: it is asked again.
func (m *member) runAudit(ctx context.Context) error {
	if err := safely(m.log, "the audit log", func() error { return m.audit.Run(ctx, m.tellAudit) }); err != nil {
		m.tellAudit(err)
	}
	return nil
}

func (m *member) tellAudit(err error) {
	if err != nil {
		m.log.Error("the audit log cannot be brought to disk; it is tried again, and until then a power failure may take its lines", "err", err)
		return
	}
	m.log.Info("the audit log is on disk again")
}

// record writes what an operator did. It goes on without a line that cannot be written,
// as signing does.
func (m *member) record(o Operation) {
	if m.audit == nil {
		return
	}
	if err := m.audit.Append(audit.Entry{Event: o.Event, Note: o.Note}); err != nil {
		m.log.Error("the audit log cannot be written; it lacks a line", "event", o.Event, "note", o.Note, "err", err)
	}
}

// closeAudit comes after the engine's last line.
func (m *member) closeAudit() {
	if m.audit == nil {
		return
	}
	if err := m.audit.Close(); err != nil {
		m.log.Error("close the audit log", "err", err)
	}
}
