package backup

import "github.com/sequencer-mpc/sequencer/mpc/types"

// Error is what can be wrong with backups. Its text says what to do; the typed
// reason is types.ErrBackup.
type Error string

// Error is the text.
func (e Error) Error() string { return types.ForProgram(string(e)) }

// Unwrap gives the typed reason.
func (e Error) Unwrap() error { return types.ErrBackup }

// What can be wrong.
const (
	// ErrNone: the folder holds no backup.
	ErrNone Error = "there is no backup in this folder; check the path, or make one with: sequencerd mpc backup create"
	// ErrChain: files are missing, changed or out of order.
	ErrChain Error = "the chain of backup files is broken; put the missing or unchanged files back, or use another copy of the folder"
	// ErrDamaged: a file decrypts, or a manifest parses, to something else than was
	// written.
	ErrDamaged Error = "the backup is damaged or was not written by this program; use another copy"
	// ErrWrongKey: the passphrase or identity does not decrypt a file.
	ErrWrongKey Error = "no passphrase or age identity that was given opens this file of the backup; give the one that it was made for, and each one if the files of a folder were made for several"
	// ErrNewerFormat: written by a later version of this program.
	ErrNewerFormat Error = "the format of the backup is newer than this program; update sequencerd"
	// ErrOtherProgram: the running node writes another manifest than this program would.
	ErrOtherProgram Error = "the node runs another version of sequencerd than this command; nothing was added: call the program that the node runs, or start the node with this one"
	// ErrIncomplete: a share that should be in the backup is not.
	ErrIncomplete Error = "the backup lacks shares of keys that are READY on chain, or DELETING, which their owners can take back; make a new one on the node that has them: sequencerd mpc backup create, and where the node has none either, refresh the key: sequencerd tx mpc refresh"
	// ErrIdentityMissing: the identity that is registered now is not in the backup.
	ErrIdentityMissing Error = "the backup lacks the identity key that is registered on chain now; make a new one on the node: sequencerd mpc backup create"
	// ErrUnproved: what the chain has of a key is not known.
	ErrUnproved Error = "not every share could be proved, since nobody said what the chain has of its key; give its answer: --key-state, or ask a node that follows this chain: --node"
	// ErrChanged: the database changed while it was read.
	ErrChanged Error = "a record went away while it was being saved; nothing is wrong, make the backup again"
	// ErrTooLarge: the manifest would be longer than anybody reads.
	ErrTooLarge Error = "the node has more records than the manifest of a backup may list (some 48,000); reshares and deletions retire records, or give some keys to other participants"
	// ErrOtherNode: the files in the folder are of an identity that this node never had.
	ErrOtherNode Error = "the newest file in this folder is of another node, or of an identity that this node lost; give each node a folder of its own, and a new one after a new identity was made; a file that another node put here by mistake can be moved away together with its manifest: sequencerd mpc backup list"
	// ErrLost: the node has lost shares since the newest file, as one that was put back to
	// an older copy, or whose database was made anew.
	ErrLost Error = "the node lacks shares that the newest file here has: it was put back to an older copy, or its database is a new one; put them back first: sequencerd mpc backup restore; if other participants have those keys now, as a running node knows by itself, or the shares are to stay lost: --shares-are-lost, and keep the files of before, which restore reads with --upto"
	// ErrKeys: neither recipient nor passphrase, or both, or one that is none.
	ErrKeys Error = "give either recipients (age1...) or a passphrase for the backup"
)
