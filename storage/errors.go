package storage

import "github.com/sequencer-mpc/sequencer/mpc/types"

// Error is what can be wrong with a database or an identity file. Its text says
// what to do. Compare with errors.Is; types.ReasonOf is types.ErrStorage
// or types.ErrWriteRefused.
type Error string

// Error is the text.
func (e Error) Error() string { return types.ForProgram(string(e)) }

// Unwrap makes every Error the typed reason storage_failed, but for what was
// refused before anything was written: write_refused or restore_refused.
func (e Error) Unwrap() error {
	switch e {
	case ErrInvalid, ErrStatus, ErrFixed, ErrSamePassphrase:
		return types.ErrWriteRefused
	case ErrOlderEpoch, ErrOtherContent:
		return types.ErrRestore
	}
	return types.ErrStorage
}

// What keeps a database from being made or opened. None of them changed
// anything on disk.
const (
	// ErrNoDatabase: the folder is not there or holds no database.
	ErrNoDatabase Error = "there is no MPC database in this folder; check the path; if the node had one, restore the newest backup: sequencerd mpc backup restore; on a node that never had one: sequencerd mpc identity create"
	// ErrExists: Create was asked for a folder that is not empty.
	ErrExists Error = "the folder for the MPC database is not empty; choose another, or open the database that is there"
	// ErrInUse: another process, or this one, has the database open.
	ErrInUse Error = "the MPC database is open already; stop the other node or tool, or ask the running node through its socket"
	// ErrEmptyPassphrase: shares are never stored without a passphrase.
	ErrEmptyPassphrase Error = "the passphrase is empty; give one by file, environment, systemd credential or prompt"
	// ErrWrongPassphrase: the file is intact, but this passphrase does not open it.
	ErrWrongPassphrase Error = "wrong passphrase; give the one that this file has now, after the last change of the passphrase"
	// ErrSamePassphrase: a change to the passphrase that it has.
	ErrSamePassphrase Error = "the new passphrase is the old one; choose another"
	// ErrNewerFormat: written by a later version of this program.
	ErrNewerFormat Error = "the format is newer than this program; update sequencerd"
	// ErrHeaderDamaged: the header does not match its checksum or its bounds.
	ErrHeaderDamaged Error = "the header of the MPC database is damaged; move its folder away and restore the newest backup: sequencerd mpc backup restore"
	// ErrEntryDamaged: an entry does not open under its key, or does not decode.
	ErrEntryDamaged Error = "an entry of the MPC database is damaged; move its folder away and restore the newest backup: sequencerd mpc backup restore"
	// ErrFilesDamaged: goleveldb's files, or those of one of the two databases,
	// are truncated, missing or corrupted.
	ErrFilesDamaged Error = "files of the MPC database are damaged or missing; move its folder away and restore the newest backup: sequencerd mpc backup restore"
	// ErrEntriesMissing: entries that were acknowledged are gone, or were
	// replaced by older ones, or one of the two databases by an older copy.
	ErrEntriesMissing Error = "the MPC database has lost entries that were stored; move its folder away and restore the newest backup: sequencerd mpc backup restore"
)

// What can go wrong with an open database.
const (
	// ErrClosed: a method was called after Close.
	ErrClosed Error = "the MPC database is closed; open it again"
	// ErrLooking: the database was opened to be read (OpenToLook).
	ErrLooking Error = "the MPC database was opened to be looked at, and nothing is written to it; stop the node or tool that looks, and open it for good"
	// ErrFailed: this or an earlier write failed on disk.
	ErrFailed Error = "a write to the MPC database failed and no more are accepted; look at the disk, then start the node again"
	// ErrInvalid: a value is outside its bounds and was not stored.
	ErrInvalid Error = "the value cannot be stored; correct the named field"
	// ErrStatus: types.Status.CanMoveTo forbids the change.
	ErrStatus Error = "this status may not follow the stored one; read the record again before changing it"
	// ErrFixed: a share, and what describes it, never change once stored.
	ErrFixed Error = "the record has a share already, which never changes; leave Data nil and what describes the share as it is"
)

// What Restore refuses beside types.ErrKeyDeleted.
const (
	// ErrOlderEpoch: the key was reshared since the backup was made.
	ErrOlderEpoch Error = "the database has a newer epoch of the key, and an older share is not put beside it; nothing was changed, leave the key out, or, if the chain went back to the older one, move the database away and restore that one first"
	// ErrOtherContent: a record never changes into another.
	ErrOtherContent Error = "the database has this record with other content, which is never overwritten; nothing was changed, find out which of the two the chain knows"
)

// What can go wrong with an identity file. ErrEmptyPassphrase,
// ErrWrongPassphrase and ErrNewerFormat are shared with the database.
const (
	// ErrNoIdentity: the file is not there.
	ErrNoIdentity Error = "there is no MPC identity file; check the path; if the node had one, restore the newest backup: sequencerd mpc backup restore; on a node that never had one: sequencerd mpc identity create"
	// ErrIdentityExists: an identity is never overwritten.
	ErrIdentityExists Error = "the MPC identity file exists and is not overwritten; add a key to it, or choose another path"
	// ErrIdentityDamaged: the file does not parse or match its checksum.
	ErrIdentityDamaged Error = "the MPC identity file is damaged; move it away and restore the newest backup: sequencerd mpc backup restore"
	// ErrIdentityMismatch: the public keys are not those of the private keys.
	ErrIdentityMismatch Error = "the public keys in the MPC identity file are not those of its private keys; somebody changed it, move it away and restore the newest backup: sequencerd mpc backup restore"
)
