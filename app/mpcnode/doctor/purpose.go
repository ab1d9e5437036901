package doctor

import (
	"slices"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// fewestSigners is as few as any key needs: a threshold is at least 1.
const fewestSigners = 2

// examinePurpose sums up whether enough are there for what is to be done.
func examinePurpose(r *Report, f Facts) {
	if f.For == "" || f.Node == nil || !f.Node.Asked {
		return
	}
	members := f.members()
	switch {
	case f.For == Sign && f.Key != "" && f.Node.Key == nil: // there is none, which was said
	case f.For == Sign && f.Node.Key == nil && len(f.Node.Held) > 0:
		f.judgeKeys(r)
	case f.For == Sign && f.Node.Key == nil:
		there := f.count(members, f.comes)
		if there < fewestSigners {
			r.found(string(Sign), Problem, types.ErrStalled, "%d of %d participants are there, no key signs with fewer than %d", there, len(members), fewestSigners)
			return
		}
		r.ok(string(Sign), "%d of %d participants are there; this node is one of no READY key", there, len(members))
	case f.For == Sign:
		f.sumUp(r, "participants are there", members, int(f.Node.Key.Threshold)+1, f.signs)
	case f.Choosing():
		f.sumUpChosen(r)
	default:
		f.sumUp(r, "participants are there", members, len(members), f.comes)
	}
}

// sumUpChosen looks at those who hold the key, if a reshare of one is to be asked for, and
// those who are to get a share.
func (f *Facts) sumUpChosen(r *Report) {
	if f.Node.Key != nil {
		f.sumUp(r, "participants of now are there with a share", f.holders(), int(f.Node.Key.Threshold)+1, f.signs)
	}
	f.refused(r)
	if c := f.Node.Chosen; c != nil && len(c.Operators) == 0 && len(f.Committee) == 0 {
		return // the chain would choose nobody
	}
	f.leftOut(r)
	receivers := f.receivers()
	f.sumUp(r, "participants to be are there", receivers, len(receivers), f.comes)
}

func operators(participants []mpcnode.ParticipantReport) []string {
	names := make([]string, len(participants))
	for i, p := range participants {
		names[i] = p.Operator
	}
	return names
}

// sumUp says whether as many are there as are needed; and where not all are, whether one
// may be lost yet.
func (f *Facts) sumUp(r *Report, are string, members []mpcnode.ParticipantReport, needed int, able func(mpcnode.ParticipantReport) bool) {
	check, there := string(f.For), f.count(members, able)
	switch {
	case there < needed:
		r.found(check, Problem, types.ErrStalled, "%d of %d %s, %d are needed", there, len(members), are, needed)
	case there == needed && (f.For == Sign || needed < len(members)):
		r.found(check, Warning, types.ErrStalled, "%d of %d %s, just as many as are needed: none may be lost", there, len(members), are)
	default:
		r.ok(check, "%d of %d %s, %d are needed", there, len(members), are, needed)
	}
}

func (f *Facts) count(members []mpcnode.ParticipantReport, able func(mpcnode.ParticipantReport) bool) (n int) {
	for _, p := range members {
		if able(p) {
			n++
		}
	}
	return n
}

// comes: a participant is there and able, as far as anybody can tell.
func (f *Facts) comes(p mpcnode.ParticipantReport) bool { return f.absence(p) == "" }

// absence is why a participant does not come, in words that follow its name; empty if it
// does.
func (f *Facts) absence(p mpcnode.ParticipantReport) string {
	s := f.Node.Status
	switch {
	case p.IdentityVersion == 0:
		return "has no identity"
	case p.Self && s.IdentityOutdated != 0, !p.Self && p.Outdated():
		return "has an outdated identity"
	case p.Self && s.Problem != "":
		return "is this node and takes part in nothing (" + s.Problem + ")"
	case p.Self && s.CatchingUp, p.CatchingUp:
		return "is behind the chain"
	case !p.Self && !p.Answered:
		return "does not answer"
	}
	return ""
}

// signs: it comes, and has a share of the key that was asked for.
func (f *Facts) signs(p mpcnode.ParticipantReport) bool {
	k := f.Node.Key
	switch {
	case !f.comes(p) || slices.Contains(k.MissingShares, p.Operator):
		return false
	case p.Self:
		return !f.missesOwn(k.ID)
	}
	return p.HasShare && p.Epoch == k.Epoch
}

// missesOwn: this node knows that it has no share of a key that fits.
func (f *Facts) missesOwn(key string) bool {
	return slices.ContainsFunc(f.Node.Status.MissingShares, func(m mpcnode.MissingShare) bool { return m.KeyID == key })
}
