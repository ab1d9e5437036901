package doctor

import (
	"errors"
	"io/fs"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// examineDatabase says whether it is there and whole.
func examineDatabase(r *Report, f Facts) {
	const check = "database"
	if !f.takesPart() {
		return
	}
	if f.Node != nil {
		examineRunningDatabase(r, f)
		return
	}
	err := f.Files.DatabaseError
	switch reason := mpcnode.DamageOf(err); {
	case unreadable(r, check, err):
	case err != nil && !f.Files.HasDatabase: // nobody knows whether there is one
		r.found(check, Problem, types.ErrStorage, "%v", err)
	case !f.Files.HasDatabase:
		r.found(check, Problem, types.ErrDatabaseLost, "there is an identity and no database in %s", f.Files.Folder)
	case f.Files.Opened != nil:
		r.ok(check, "whole: %d records, %d shares", f.Files.Opened.Records, f.Files.Opened.Shares)
	case errors.Is(err, storage.ErrInUse):
		r.advise(check, Problem, "", "find out which process has it open and stop it; if it is a node that hangs, look at its log first",
			"another process has it open, and no node answers")
	case errors.Is(err, storage.ErrWrongPassphrase):
		examineLockedDatabase(r, f)
	case reason != "":
		r.found(check, Problem, reason, "%v", err)
	case err != nil:
		r.found(check, Problem, types.ErrStorage, "%v", err)
	default:
		notOpened(r)
	}
}

// examineLockedDatabase is for one that has another passphrase than what was tried.
func examineLockedDatabase(r *Report, f Facts) {
	const check = "database"
	p := f.Files.Passphrase
	switch {
	case errors.Is(p.Error, storage.ErrWrongPassphrase): // which is said of the identity
		notOpened(r)
	case f.Files.IdentityKeys > 0 && f.Files.IdentityError == nil && p.Error == nil:
		r.advise(check, Problem, "", samePassphrase("database", p.Source),
			"that of %s opens the identity, and not the database in %s, which has another one: one of the two may be a copy from before the passphrase was changed", p.Source, f.Files.Folder)
	default:
		r.advise(check, Problem, "", "try the one that it has now, after the last change of the passphrase: sequencerd mpc doctor --mpc-passphrase prompt",
			"the passphrase of %s does not open it", p.Source)
	}
}

func notOpened(r *Report) {
	r.advise("database", Warning, "", "give a passphrase that opens it: sequencerd mpc doctor --mpc-passphrase prompt", "not opened, for want of the passphrase")
}

// unreadable explains an error that says nothing of what is there, but of who looks.
func unreadable(r *Report, check string, err error) bool {
	if !errors.Is(err, fs.ErrPermission) {
		return false
	}
	r.advise(check, Problem, "", "look again as the user that the node runs as, with sudo -u; if the node itself cannot read it, give its user the files back",
		"it cannot be read by who looks now, and may be whole: %v", err)
	return true
}

func examineRunningDatabase(r *Report, f Facts) {
	check := "database"
	s := f.Node.Status
	switch {
	case s.Problem != "":
		if errors.Is(types.Reason(s.Problem), types.ErrIdentityLost) {
			check = "identity"
		}
		r.add(Finding{Check: check, Level: Problem, Detail: "the node found it missing or damaged when it was started", Reason: types.Reason(s.Problem), Remedy: s.Remedy})
	case f.Node.Identity.Keys == 0:
		// It was started without an identity, which was said.
	case s.Engine == mpcnode.EngineRunning:
		r.ok(check, "open; each entry was checked when the node was started")
	}
}
