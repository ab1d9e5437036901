package sim

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// What of a Moment that is of the audit log: a line is written, and brought to disk.
const (
	AuditLine = "audit line"
	AuditSync = "audit sync"
)

// audited is the real audit log of a node, if the world has a place for them. It outlives
// the node as a file does: a process that is killed leaves what it wrote, a machine that
// loses power what it brought to disk, and a part of a line.
type audited struct {
	node *Node
	log  *audit.Log
	// onDisk is how much of the file is for certain.
	onDisk int64
}

var _ mpc.Auditor = (*audited)(nil)

// AuditFolder is where a node keeps its audit log.
func (n *Node) AuditFolder() string { return filepath.Join(n.world.Audits, string(n.Operator)) }

// openAudit begins to write, and returns what the engine tells; nil where nobody keeps a
// log.
func (n *Node) openAudit() mpc.Auditor {
	if n.world.Audits == "" {
		return nil
	}
	must(os.MkdirAll(n.AuditFolder(), 0o700))
	log, err := audit.Open(n.AuditFolder())
	must(err)
	n.audit = &audited{node: n, log: log}
	n.audit.onDisk = n.audit.size() // what the last life left has been read
	return n.audit
}

// closeAudit leaves what a crash leaves.
func (n *Node) closeAudit() {
	a := n.audit
	if a == nil {
		return
	}
	n.audit = nil
	must(a.log.Close())
	if n.world.PowerFails {
		written := a.size()
		must(os.Truncate(a.path(), a.onDisk+(written-a.onDisk)/2))
	}
}

func (a *audited) path() string { return filepath.Join(a.node.AuditFolder(), "audit.log") }

func (a *audited) size() int64 {
	info, err := os.Stat(a.path())
	must(err)
	return info.Size()
}

func (a *audited) write(u mpc.Use, event, outcome string) uint64 {
	a.node.comes(Before, AuditLine)
	must(a.log.Append(audit.Entry{
		Event: event, Kind: u.Request.Kind.String(), Request: u.Request.ID, Key: string(u.Key), Epoch: u.Epoch, Height: u.Height,
		Digest: hex.EncodeToString(u.Digest), Session: u.Session.String(), Attempt: u.Attempt, Outcome: outcome,
	}))
	a.node.comes(After, AuditLine)
	number, _ := a.log.Last()
	return number
}

func (a *audited) sync(number uint64) {
	a.node.comes(Before, AuditSync)
	must(a.log.Sync(number))
	a.onDisk = a.size()
	a.node.comes(After, AuditSync)
}

// ShareOpened implements mpc.Auditor.
func (a *audited) ShareOpened(u mpc.Use) func() {
	number := a.write(u, audit.Begin, "")
	return func() { a.sync(number) }
}

// PreparamsBurned implements mpc.Auditor.
func (a *audited) PreparamsBurned(u mpc.Use) { a.sync(a.write(u, audit.Burned, "")) }

// ShareClosed implements mpc.Auditor.
func (a *audited) ShareClosed(u mpc.Use, reason types.Reason) {
	outcome := string(reason)
	if reason == "" {
		outcome = audit.OutcomeOK
	}
	a.write(u, audit.End, outcome)
}

// Audited is what a node's audit log says.
type Audited struct {
	audit.Report
	Lines []audit.Entry
}

// ReadAudit verifies a node's audit log and reads it.
func (n *Node) ReadAudit() (Audited, error) {
	report, err := audit.Verify(n.AuditFolder())
	if err != nil {
		return Audited{}, fmt.Errorf("audit log of %s: %w", n.Operator, err)
	}
	read := Audited{Report: report}
	raw, err := os.ReadFile(filepath.Join(n.AuditFolder(), "audit.log"))
	if err != nil {
		return Audited{}, err
	}
	whole := raw[:len(raw)-report.TornBytes] // of a node that is down
	for lines := bufio.NewScanner(bytes.NewReader(whole)); lines.Scan(); {
		var e audit.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return Audited{}, fmt.Errorf("audit log of %s: %w", n.Operator, err)
		}
		read.Lines = append(read.Lines, e)
	}
	return read, nil
}

// Has says whether there is a line of an event in a session.
func (a *Audited) Has(event string, session types.Context) bool {
	return slices.ContainsFunc(a.Lines, func(e audit.Entry) bool { return e.Event == event && e.Session == session.String() })
}
