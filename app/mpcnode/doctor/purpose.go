package doctor

import "github.com/sequencer-mpc/sequencer/mpc/types"

// examinePurpose sums up whether enough are there for what is to be done.
func examinePurpose(r *Report, f Facts) {
	if f.For == "" || f.Node == nil || !f.Node.Asked {
		return
	}
	check := string(f.For)
	members, there := f.members(), 0
	for _, p := range members {
		if f.comes(p.Operator) {
			there++
		}
	}
	needed := len(members)
	if f.For == Sign {
		if f.Node.Key == nil {
			r.ok(check, "%d of %d participants are there; how many a signature needs, its key says: --key ID", there, len(members))
			return
		}
		needed = int(f.Node.Key.Threshold) + 1
	}
	switch {
	case there < needed:
		r.found(check, Problem, types.ErrStalled, "%d of %d participants are there, %d are needed", there, len(members), needed)
	case f.For == Sign && there == needed:
		r.found(check, Warning, types.ErrStalled, "%d of %d participants are there, just as many as are needed: none may be lost", there, len(members))
	default:
		r.ok(check, "%d of %d participants are there, %d are needed", there, len(members), needed)
	}
}

// comes: a participant is there and able, as far as anybody can tell.
func (f *Facts) comes(operator string) bool {
	for _, p := range f.members() {
		if p.Operator != operator || p.IdentityVersion == 0 {
			continue
		}
		if p.Self {
			s := f.Node.Status
			return !s.CatchingUp && s.Problem == "" && s.IdentityOutdated == 0 && !f.lacks(operator)
		}
		return p.Answered && !p.CatchingUp && !f.lacks(operator)
	}
	return false
}

// lacks: it has no share of the key that is to sign.
func (f *Facts) lacks(operator string) bool {
	k := f.Node.Key
	if k == nil || f.For != Sign {
		return false
	}
	for _, m := range k.MissingShares {
		if m == operator {
			return true
		}
	}
	for _, p := range f.Node.Participants {
		if p.Operator == operator && !p.Self {
			return p.Answered && (!p.HasShare || p.Epoch != k.Epoch)
		}
	}
	for _, m := range f.Node.Status.MissingShares {
		if m.KeyID == k.ID {
			return true
		}
	}
	return false
}
