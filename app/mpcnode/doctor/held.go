package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// maxKeysNamed of those that are in the same case have a line, or stand in one; the rest is
// counted. A participant that is down is one of many keys.
const maxKeysNamed = 10

// judgeKeys says of each READY key of this node whether it can be signed with now. Of
// shares it knows what the chain and this node do: others are asked about one key alone.
func (f *Facts) judgeKeys(r *Report) {
	const check = string(Sign)
	cannot, edge := 0, []string{}
	for _, k := range f.Node.Held {
		able, left, why := f.signers(k)
		needed := k.Threshold + 1
		switch {
		case able >= needed:
			if able == needed {
				edge = append(edge, k.KeyID)
			}
			continue
		case cannot < maxKeysNamed:
			reason := types.ErrStalled
			if left < needed {
				reason = types.ErrTooFewSigners // that all are there does not help
			}
			r.found(check, Problem, reason, "%s cannot be signed with now: %d of %d participants are there with a share, %d are needed: %s",
				k.KeyID, able, len(k.Participants), needed, strings.Join(why, ", "))
		}
		cannot++
	}
	if more := cannot - maxKeysNamed; more > 0 {
		r.found(check, Problem, types.ErrStalled, "and %d more keys cannot be signed with now", more)
	}
	if len(edge) > 0 {
		r.found(check, Warning, types.ErrStalled, "of %s just as many participants are there as are needed: none may be lost", some(edge))
	}
	if all := len(f.Node.Held); cannot < all {
		r.ok(check, "%d of %d READY keys of this node can be signed with now; whether all have the share of one: --key ID", all-cannot, all)
	}
}

// signers are how many participants of a key are there with a share, and how many are left
// that have a share and an identity; why others do not sign is in words.
func (f *Facts) signers(k mpcnode.HeldKey) (able, left int, why []string) {
	for _, op := range k.Participants {
		p := mpcnode.ParticipantReport{Operator: op} // without an identity, if it is nowhere
		if i := slices.IndexFunc(f.Node.Participants, func(p mpcnode.ParticipantReport) bool { return p.Operator == op }); i >= 0 {
			p = f.Node.Participants[i]
		}
		if slices.Contains(k.MissingShares, op) || p.Self && f.missesOwn(k.KeyID) {
			why = append(why, op+" has no share")
			continue
		}
		if p.IdentityVersion != 0 {
			left++
		}
		if absent := f.absence(p); absent != "" {
			why = append(why, op+" "+absent)
			continue
		}
		able++
	}
	return able, left, why
}

// some names the first, and counts the rest.
func some(names []string) string {
	text := strings.Join(names[:min(len(names), maxKeysNamed)], ", ")
	if more := len(names) - maxKeysNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
