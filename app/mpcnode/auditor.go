package mpcnode

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// auditor writes each use of a share, and of pre-parameters, into the audit log. It is
// called on the engine's loop, one call at a time; what ShareOpened returns on any
// goroutine.
type auditor struct {
	lines *audit.Log
	log   *slog.Logger
	// failed: the last line could not be written, which is told once; unsynced: not
	// brought to disk.
	failed   bool
	unsynced atomic.Bool
}

var _ mpc.Auditor = (*auditor)(nil)

// ShareOpened implements mpc.Auditor.
func (a *auditor) ShareOpened(u mpc.Use) func() {
	if !a.write(auditLine(u, audit.Begin, "")) {
		return nil
	}
	number, _ := a.lines.Last()
	return func() { a.sync(number) }
}

// PreparamsBurned implements mpc.Auditor.
func (a *auditor) PreparamsBurned(u mpc.Use) {
	if a.write(auditLine(u, audit.Burned, "")) {
		number, _ := a.lines.Last()
		a.sync(number)
	}
}

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
func (a *auditor) write(e audit.Entry) bool {
	err := a.lines.Append(e)
	if err != nil && !a.failed {
		a.log.Error("the audit log cannot be written; signing goes on, and the log will show a gap", "err", err)
	}
	a.failed = err != nil
	return err == nil
}

// sync waits for the disk. One that fails is no reason either.
func (a *auditor) sync(number uint64) {
	err := a.lines.Sync(number)
	if failed := err != nil; a.unsynced.Swap(failed) != failed && failed {
		a.log.Error("the audit log cannot be brought to disk; signing goes on, and a power failure may take its lines", "err", err)
	}
}

func auditLine(u mpc.Use, event, outcome string) audit.Entry {
	return audit.Entry{
		Event: event, Kind: u.Request.Kind.String(), Request: u.Request.ID, Key: string(u.Key), Epoch: u.Epoch,
		Height: u.Height, Digest: hex.EncodeToString(u.Digest), Session: u.Session.String(), Attempt: u.Attempt,
		Signers: texts(u.Signers), Outcome: outcome,
	}
}

// openAudit opens the audit log of a node with an identity, and compares it with what
// the database knows of it. A node whose log cannot be opened works without, says so, and
// tries again.
func (m *member) openAudit(folder string) {
	if !m.vault.Present() {
		return
	}
	m.audit = audit.OpenLater(folder, audit.Retention{Files: m.cfg.AuditFiles, Removed: m.tellRemoved})
	if err := m.audit.Failing(); err != nil {
		m.log.Error("the audit log cannot be opened; this node works without, and tries again", "err", err)
	}
	if err := m.compare(folder); err != nil {
		m.log.Error("the database cannot be compared with the audit log and the chain", "err", err)
	}
}

// tellRemoved says that a part of the audit log is gone, or should be and is not.
func (m *member) tellRemoved(path string, last uint64, err error) {
	if err != nil {
		m.log.Error("a file of the audit log is one too many and stays; it is tried again when the next one is full", "file", path, "err", err)
		return
	}
	m.log.Warn("the oldest file of the audit log was removed; audit-files in section [mpc] of app.toml says how many are kept", "file", path, "last_line", last)
}

// databaseLag is how much later than the database was told a share may be used: a
// second, and some for a disk that is slow.
const databaseLag = time.Minute

// compare looks whether the log beside the database and the chain are what the database
// knows of them. If shares were used long after it was told, or the chain went on, it is an
// older copy that was put back, without its bindings and with pre-parameters that were used
// since. Those are destroyed, new ones are made, and the operator is told. A backup that was
// restored over it brings back what the database knew when that one was made, and no more:
// only uses before are none to tell of, and of the chain it says nothing.
func (m *member) compare(folder string) error {
	db := m.vault.Database()
	noted, err := db.AuditHead()
	if err != nil {
		return err
	}
	seen, err := db.ChainSeen()
	if err != nil {
		return err
	}
	if m.copied, err = m.lookForOldCopy(); err != nil {
		return err
	}
	found, err := audit.Compare(folder, noted.Number, hex.EncodeToString(noted.Hash[:]))
	if err != nil {
		return err
	}
	m.backup = found.Backup
	err = m.compareAudit(noted, found)
	old := behindChain(seen, m.app.ChainID(), m.began)
	if noted != (storage.AuditHead{}) && found.LastUse.After(noted.At.Add(databaseLag)) {
		old = fmt.Sprintf("its last note of the audit log is of %s, line %d, and a share or pre-parameters were used at %s",
			noted.At.Format(time.RFC3339), noted.Number, found.LastUse.Format(time.RFC3339))
	}
	if old == "" {
		return err
	}
	return errors.Join(err, m.warn(types.ErrDatabaseOld, old+m.sinceRestored()), m.copied.doubt())
}

// sinceRestored says what a backup that was restored over an older copy leaves to do.
func (m *member) sinceRestored() string {
	if m.backup.IsZero() {
		return ""
	}
	return fmt.Sprintf("; a backup of %s was restored over it since, and what requests were bound to until then is known again: if there is no newer one, there is nothing more to do",
		m.backup.Format(time.RFC3339))
}

// compareAudit looks whether what the database noted last of the log is there still.
func (m *member) compareAudit(noted storage.AuditHead, found audit.Comparison) error {
	end := m.audit.Head()
	if noted.Number > 0 && !found.Found && !found.Removed {
		return m.warn(types.ErrAudit, fmt.Sprintf("line %d with hash %x was in the audit log, and is not any more; the log ends at line %d", noted.Number, noted.Hash, end.Number))
	}
	if noted.Lost > 0 && end.Number == noted.Number {
		return m.audit.Note(fmt.Sprintf("%d lines before this one could not be written until the node stopped", noted.Lost))
	}
	return nil
}

// warn says what is wrong in the log, in the audit log, and until the node stops in its
// status.
func (m *member) warn(reason types.Reason, detail string) error {
	w, err := m.warning(reason, detail)
	m.warnings = append(m.warnings, w)
	return err
}

// warning says what is wrong in the log and the audit log.
func (m *member) warning(reason types.Reason, detail string) (Warning, error) {
	m.log.Error(detail, "reason", reason, "remedy", reason.Remedy())
	return Warning{Reason: string(reason), Detail: detail, Remedy: reason.Remedy()}, m.audit.Note(fmt.Sprintf("%s: %s", reason, detail))
}

// runAudit brings lines to disk until the context ends. A disk that fails is no
// reason to stop a validator, nor to stop writing: it is asked again.
func (m *member) runAudit(ctx context.Context) error {
	if err := safely(m.log, "the audit log", func() error { return m.audit.Run(ctx, m.tellAudit, m.noteAudit) }); err != nil {
		m.tellAudit(err)
	}
	return nil
}

// noteAudit tells the database where the log ends: what is not on disk is no end yet, but
// lines that are lost are.
func (m *member) noteAudit(end audit.Head, onDisk bool) {
	db := m.vault.Database()
	noted, err := db.AuditHead()
	if err == nil {
		noted.Lost, noted.At = end.Lost, time.Now()
		if onDisk {
			noted.Number, noted.Hash = end.Number, [storage.AuditHashBytes]byte{}
			_, err = hex.Decode(noted.Hash[:], []byte(end.Hash))
		}
		err = errors.Join(err, db.NoteAudit(noted))
	}
	if err != nil {
		m.log.Error("the database could not be told where the audit log ends", "err", err)
	}
}

func (m *member) tellAudit(err error) {
	if err != nil {
		m.log.Error("the audit log cannot be brought to disk; it is tried again, and until then a power failure may take its lines", "err", err)
		return
	}
	m.log.Info("the audit log is on disk again")
}

// record writes what an operator did. It goes on without a line that cannot be written,
// as signing does; the log has it when it can be written again.
func (m *member) record(o Operation) {
	if m.audit == nil {
		return // of a node without a database, which has nothing to record
	}
	if err := m.audit.Append(audit.Entry{Event: o.Event, Note: o.Note}); err != nil {
		m.log.Error("the audit log cannot be written; it lacks a line until it can", "event", o.Event, "note", o.Note, "err", err)
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
