package mpcnode

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// BackupRequest asks a running node for a backup. Whoever asks shows the
// passphrase of the MPC folder: the socket alone gives nothing away.
type BackupRequest struct {
	Passphrase []byte `json:"passphrase"`
	// Recipients (age1...) or BackupPassphrase: one of the two.
	Recipients       []string `json:"recipients,omitempty"`
	BackupPassphrase []byte   `json:"backup_passphrase,omitempty"`
	// Last is the manifest of the last backup; nil: there is none.
	Last *backup.Manifest `json:"last,omitempty"`
	Full bool             `json:"full"`
	// SharesAreLost: the node may lack shares that the last one has.
	SharesAreLost bool `json:"shares_are_lost"`
}

// Wipe overwrites the passphrases.
func (r *BackupRequest) Wipe() {
	types.Wipe(r.Passphrase)
	types.Wipe(r.BackupPassphrase)
}

// To says whom the backup is for.
func (r *BackupRequest) To() (backup.Recipients, error) {
	if (len(r.Recipients) == 0) == (len(r.BackupPassphrase) == 0) {
		return backup.Recipients{}, backup.ErrKeys
	}
	if len(r.Recipients) > 0 {
		return backup.ForRecipients(r.Recipients)
	}
	return backup.ForPassphrase(r.BackupPassphrase)
}

// Plan looks at what a vault has that was just opened.
func (v *Vault) Plan(chainID string, r *BackupRequest) (*backup.Backup, error) {
	return v.planWith(v.keys, chainID, r)
}

// planWith is Plan with an identity that has keys since: it can be rotated while the
// node runs.
func (v *Vault) planWith(keys []ed25519.PrivateKey, chainID string, r *BackupRequest) (*backup.Backup, error) {
	return backup.Plan(v.db, keys, chainID, r.Last, r.Full, time.Now())
}

// headerJudged is set in the answer to a request for a backup by a node that looked at the
// staged shares that it lost: of those that can be judged none counts any more. Programs of
// before there was the header look at none.
const headerJudged = "Mpc-Staged-Judged"

const (
	// maxBackupRequestBytes: a manifest, passphrases and some recipients.
	maxBackupRequestBytes = 17 << 20
	// backupTimeout bounds a backup through the socket: gigabytes through a local
	// socket to a slow disk.
	backupTimeout = 10 * time.Minute
)

// backups serves pathBackup: a POST with a BackupRequest is answered with the
// manifest (its length in front, 4 bytes, big endian) and the file. One at a time.
type backups struct {
	vault    *Vault
	identity string
	chainID  string
	// word is what the chain says of what the node lost, see backup.Lost.Check. Of staged
	// shares it finds out what can be found out: see headerJudged.
	word func(backup.Lost) (elsewhere []string, wanted []backup.Entry)
	// record writes a line into the audit log.
	record func(Operation)

	mu sync.Mutex
}

// wait returns when no backup is being made. The socket's connections are closed
// by then, so it does not take long.
func (b *backups) wait() {
	b.mu.Lock()
	defer b.mu.Unlock()
}

// ServeHTTP implements http.Handler.
func (b *backups) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !b.mu.TryLock() {
		http.Error(w, "a backup is being made already", http.StatusConflict)
		return
	}
	defer b.mu.Unlock()
	control := http.NewResponseController(w)
	deadline := time.Now().Add(backupTimeout)
	if err := errors.Join(control.SetReadDeadline(deadline), control.SetWriteDeadline(deadline)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var identity storage.Identity
	defer func() { identity.Wipe() }()
	plan, to, status, err := b.plan(req, &identity)
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	manifest, err := json.Marshal(plan.Manifest)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set(headerJudged, "true")
	head := binary.BigEndian.AppendUint32(nil, uint32(len(manifest)))
	if _, err := w.Write(append(head, manifest...)); err != nil {
		return // the caller has gone
	}
	if err := plan.Write(w, to); err != nil {
		panic(http.ErrAbortHandler) // the status is sent: only a broken answer says that it is none
	}
}

// readBackupRequest reads a request into one buffer, as long as the request says it is,
// and wipes that: a buffer that grows leaves copies of what it held. What net/http reads
// ahead, 4 KiB, is out of reach.
func readBackupRequest(body io.Reader, length int64, r *BackupRequest) error {
	if length < 0 || length > maxBackupRequestBytes {
		return fmt.Errorf("a request of %d bytes", length)
	}
	raw := make([]byte, length)
	defer types.Wipe(raw)
	if _, err := io.ReadFull(body, raw); err != nil {
		return err
	}
	return json.Unmarshal(raw, r)
}

// absent is why there is nothing to save. What is on disk by now a node that runs does not
// open.
func (b *backups) absent() error {
	if lost := b.vault.Lost(); lost != nil {
		return fmt.Errorf("the running node has no MPC database open: %w", lost)
	}
	return errors.New("the running node was started without an MPC identity, and has nothing to save; if there is one now, start the node again")
}

// plan reads a request and wipes its passphrases. The identity that it opens is in the
// backup, and the caller's to wipe.
func (b *backups) plan(req *http.Request, identity *storage.Identity) (*backup.Backup, backup.Recipients, int, error) {
	var r BackupRequest
	defer r.Wipe()
	if err := readBackupRequest(req.Body, req.ContentLength, &r); err != nil {
		return nil, backup.Recipients{}, http.StatusBadRequest, errors.New("this is no request for a backup")
	}
	if !b.vault.Present() {
		return nil, backup.Recipients{}, http.StatusNotFound, b.absent()
	}
	var err error
	if *identity, err = storage.LoadIdentity(b.identity, r.Passphrase); err != nil {
		return nil, backup.Recipients{}, http.StatusForbidden, err
	}
	to, err := r.To()
	if err != nil {
		return nil, to, http.StatusBadRequest, err
	}
	plan, err := b.vault.planWith(identity.PrivateKeys(), b.chainID, &r)
	if err != nil {
		return nil, to, http.StatusInternalServerError, err
	}
	if lost := backup.LostSince(r.Last, plan.Manifest); !r.SharesAreLost {
		if err := lost.Check(b.word(lost)); err != nil {
			return nil, to, http.StatusConflict, err
		}
	}
	b.record(BackupOperation(plan.Manifest, &r))
	return plan, to, 0, nil
}

// Backup asks for a backup. take gets the manifest and the file, which is whole
// only if take reads it to its end without an error. judged says, of a request without
// SharesAreLost, that the node asked the chain about staged shares that it lost, see
// backup.Lost.Unjudged. ErrNotRunning if no node answers, ErrOtherUser if this user may not
// ask, backup.ErrOtherProgram or backup.ErrNewerFormat, before take, if this program cannot
// write the node's manifest.
func (c *Client) Backup(ctx context.Context, r *BackupRequest, take func(backup.Manifest, io.Reader) error) (judged bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, backupTimeout)
	defer cancel()
	body, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	defer types.Wipe(body)
	resp, err := c.do(ctx, http.MethodPost, pathBackup, body)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var head [4]byte
	if _, err := io.ReadFull(resp.Body, head[:]); err != nil {
		return false, fmt.Errorf("read the node's backup: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxBackupRequestBytes {
		return false, fmt.Errorf("read the node's backup: a manifest of %d bytes", n)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(resp.Body, raw); err != nil {
		return false, fmt.Errorf("read the node's backup: %w", err)
	}
	manifest, err := backup.ParseAnswer(raw)
	if err != nil {
		return false, fmt.Errorf("read the node's backup: %w", err)
	}
	return !r.SharesAreLost && resp.Header.Get(headerJudged) == "true", take(manifest, resp.Body)
}
