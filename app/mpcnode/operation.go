package mpcnode

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sequencer-mpc/sequencer/storage/audit"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// Operation is what an operator did with shares or identity, for the audit log.
type Operation struct {
	// Event is one of package audit's, for which audit.IsOperation holds.
	Event string `json:"event"`
	Note  string `json:"note"`
}

// maxOperationBytes bounds one on its way through the socket: each byte of a note may
// take six in JSON.
const maxOperationBytes = 8 << 10

func (o Operation) check() error {
	if !audit.IsOperation(o.Event) || len(o.Note) > audit.MaxNoteBytes {
		return errors.New("this is no line for the audit log")
	}
	return nil
}

// Record writes an operation into the audit log of a node: through the node if it runs
// and keeps one, into the file otherwise.
func Record(ctx context.Context, paths Paths, o Operation) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := NewClient(paths.Socket).Record(ctx, o); err == nil {
		return nil
	}
	lines, err := audit.Open(paths.Folder)
	if err != nil {
		return err
	}
	return errors.Join(lines.Append(audit.Entry{Event: o.Event, Note: o.Note}), lines.Close())
}

// Record asks the node to write an operation into its audit log.
func (c *Client) Record(ctx context.Context, o Operation) error {
	ctx, cancel := context.WithTimeout(ctx, socketTimeout)
	defer cancel()
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	resp, err := c.do(ctx, http.MethodPost, pathAudit, body)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// recordOperation serves pathAudit. Whoever may use the socket may write the file
// itself; here the chain stays whole.
func (s *engineState) recordOperation(w http.ResponseWriter, req *http.Request) {
	var o Operation
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxOperationBytes))
	if err == nil {
		err = errors.Join(json.NewDecoder(bytes.NewReader(raw)).Decode(&o), o.check())
	}
	switch {
	case err != nil:
		http.Error(w, "this is no line for the audit log", http.StatusBadRequest)
	case s.audit == nil:
		http.Error(w, "this node keeps no audit log", http.StatusNotFound)
	default:
		if err := s.audit.Append(audit.Entry{Event: o.Event, Note: o.Note}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

// BackupOperation is the making of a backup. It is noted before anything leaves the
// node: what a reader took is out, whatever becomes of the file.
func BackupOperation(m backup.Manifest, r *BackupRequest) Operation {
	kind, to := "changes", "a passphrase"
	if m.Full {
		kind = "full"
	}
	if len(r.Recipients) > 0 {
		to = strings.Join(r.Recipients, " ")
	}
	note := fmt.Sprintf("file %06d (%s) of %d records, %d identity keys, to %s", m.Number, kind, len(m.Records), len(m.Identity), to)
	return Operation{audit.BackedUp, shortened(note)}
}

// RestoreOperation is the restoring of a backup.
func RestoreOperation(saved *backup.Saved, done VaultRestored) Operation {
	if done.IdentityOnly {
		return Operation{audit.IdentityRestored, shortened(fmt.Sprintf("of the backup of %s, chain %q: %d identity keys",
			saved.Created.UTC().Format(time.RFC3339), saved.ChainID, done.IdentityKeys))}
	}
	return Operation{audit.Restored, shortened(audit.RestoredNote(saved.Created, fmt.Sprintf("chain %q: %d records, %d shares, %d tombstones, %d bindings (%d that differ left out), %d identity keys, %d sets of pre-parameters destroyed",
		saved.ChainID, done.Records, done.Shares, done.Tombstones, done.Bindings, len(done.BindingsDiffer), done.IdentityKeys, done.Preparams)))}
}

// KeyOperation names a public identity key.
func KeyOperation(event string, key []byte) Operation {
	return Operation{event, hex.EncodeToString(key)}
}

// shortened keeps a note within its bound.
func shortened(note string) string {
	if len(note) <= audit.MaxNoteBytes {
		return note
	}
	const more = "..."
	return strings.ToValidUTF8(note[:audit.MaxNoteBytes-len(more)], "") + more
}
