package doctor

import (
	"errors"
	"strings"

	"github.com/sequencer-mpc/sequencer/storage"
)

// examinePassphrase says whether the node could start with what app.toml names.
func examinePassphrase(r *Report, f Facts) {
	const check = "passphrase"
	p := f.Files.Passphrase
	if f.Files.IdentityKeys == 0 {
		return // nothing that it could open
	}
	running := ""
	if f.Node != nil {
		running = "; the running node has opened everything, its next start would fail"
	}
	switch {
	case errors.Is(p.Error, storage.ErrWrongPassphrase) && f.Files.Opened != nil:
		r.advise(check, Problem, "", samePassphrase("identity", p.Source),
			"that of %s opens the database, and not the identity, which has another one: one of the two may be a copy from before the passphrase was changed", p.Source)
	case errors.Is(p.Error, storage.ErrWrongPassphrase):
		r.advise(check, Problem, "", "put the one that the identity has now there (after the last change of the passphrase), or name its source in section [mpc] of app.toml; to try another one: sequencerd mpc doctor --mpc-passphrase prompt",
			"that of %s is wrong%s", p.Source, running)
	case p.Error != nil && !p.Tried:
		r.advise(check, Problem, "", "make it readable, or name another source in section [mpc] of app.toml; to try one: sequencerd mpc doctor --mpc-passphrase prompt",
			"it cannot be had%s: %v", running, p.Error)
	case p.Tried && f.Files.IdentityError != nil && f.Files.Opened != nil:
		r.ok(check, "that of %s opens the database", p.Source)
	case p.Tried && f.Files.IdentityError != nil: // of a damaged one nobody can say
	case p.Tried:
		r.ok(check, "that of %s opens the identity", p.Source)
	case f.Node != nil:
		r.ok(check, "the running node has one; not tried again, it comes from %s", p.Source)
	default:
		r.advise(check, Warning, "", "try it: sequencerd mpc doctor --mpc-passphrase prompt", "not tried: it comes from %s", p.Source)
	}
}

// samePassphrase is how to give identity and database, which have different ones, that of a
// source. A credential is there for the node alone, and is typed in.
func samePassphrase(other, source string) string {
	if strings.HasPrefix(source, "credential:") {
		source = "prompt"
	}
	return "give both the same passphrase; you are asked for the one that the " + other + " has: sequencerd mpc passphrase change --mpc-passphrase prompt --new-mpc-passphrase " + source
}
