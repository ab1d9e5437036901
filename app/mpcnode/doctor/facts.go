package doctor

import (
	"fmt"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// Purpose is what a node is to be able to do.
type Purpose string

// The purposes. Empty: its part, whatever comes.
const (
	Keygen  Purpose = "keygen"
	Sign    Purpose = "sign"
	Reshare Purpose = "reshare"
)

// ParsePurpose understands keygen, sign, reshare and nothing.
func ParsePurpose(text string) (Purpose, error) {
	switch p := Purpose(text); p {
	case "", Keygen, Sign, Reshare:
		return p, nil
	}
	return "", fmt.Errorf("%q is none of: keygen, sign, reshare", text)
}

// Facts are what was found out.
type Facts struct {
	For Purpose
	// Key and Request are ids that somebody asked about; empty: nobody did.
	Key, Request string
	// Committee are the operators that a keygen or a reshare is to give shares to; empty: whom
	// the chain chooses.
	Committee []string
	Files     Files
	// Node is what the running node says; nil if none answered, and why in NodeError
	// (mpcnode.ErrNotRunning: there is none; ErrOtherUser: who looks may not ask).
	Node      *mpcnode.Checkup
	NodeError error
}

// Files are what is on disk.
type Files struct {
	// Enabled: section [mpc] of app.toml has MPC switched on.
	Enabled bool
	// Folder is where identity and database are.
	Folder string
	// IdentityKeys are how many the identity file has; 0 without one. IdentityError is why
	// it cannot be read.
	IdentityKeys  int
	IdentityError error
	// HasDatabase: there is one, whatever is in it.
	HasDatabase bool
	Passphrase  Passphrase
	// Opened is the database of a node that does not run; nil if it was not opened, and why
	// in DatabaseError.
	Opened        *Database
	DatabaseError error
	// PreparamsTarget is how many sets of pre-parameters the node is to keep.
	PreparamsTarget int
	// Leftovers are the paths of what interrupted commands left beside identity and database.
	Leftovers []string
	Disks     []Disk
	// Signer is what signs blocks; nil if nobody could look.
	Signer *Signer
}

// Signer is the key that a node signs blocks with, as its files have it.
type Signer struct {
	// KeyFile and StateFile are where it is, and what it signed last.
	KeyFile, StateFile string
	// HasKey and HasState say whether they are there. Without the key, the next start makes
	// another one.
	HasKey, HasState bool
	// Height is that of what it signed last; 0: nothing.
	Height int64
}

// Passphrase is what became of trying the one that app.toml names.
type Passphrase struct {
	// Source is where it comes from.
	Source string
	// Tried: it was had and tried. If not, and Error is nil, it was left alone, since only
	// the node can have it, or nobody is there to type it.
	Tried bool
	Error error
}

// Database is what was found in it.
type Database struct {
	Records, Shares, Preparams int
}

// Disk is where files of the node are.
type Disk struct {
	// Path is a folder on it.
	Path string
	// Free bytes for this user; Error is why nobody knows.
	Free  uint64
	Error error
}
