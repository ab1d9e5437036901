package doctor

import (
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// examineValidator says whether this node's own validator is one that the chain chooses.
func examineValidator(r *Report, f Facts) {
	const check = "validator"
	if f.Node == nil || f.Node.Identity.Operator == "" || f.Node.Status.CatchingUp { // then it was so once
		return
	}
	const leaves = "a keygen, or a reshare that names nobody, leaves it out; with the keys that it has it signs as ever"
	switch state := f.Node.Validator; state {
	case "": // nobody could tell
	case mpcnode.ValidatorBonded:
		r.ok(check, "bonded")
	case mpcnode.ValidatorJailed:
		r.advise(check, Warning, types.ErrNotBonded, "once its time in jail is over: sequencerd tx slashing unjail --from KEY; who signed two blocks of one height stays there for ever",
			"jailed: %s", leaves)
	case mpcnode.ValidatorGone:
		r.advise(check, Warning, types.ErrNotBonded, "make one again: sequencerd tx staking create-validator", "the chain has it no more: %s", leaves)
	default:
		r.advise(check, Warning, types.ErrNotBonded, "it takes more stake than the last of the bonded ones has: sequencerd tx staking delegate OPERATOR AMOUNT --from KEY",
			"not bonded (%s): %s", state, leaves)
	}
}

// Choosing says whether somebody asks about a new key, or new shares, and so whom the chain would choose.
func (f *Facts) Choosing() bool { return f.For == Keygen && f.Key == "" || f.For == Reshare }

// refused notes that the chain would not take what is to be asked for, and who of those that
// were named cannot be taken for want of an identity: the chain names one.
func (f *Facts) refused(r *Report) {
	check, unknown := string(f.For), less(f.Committee, operators(f.Node.Participants))
	for _, op := range unknown {
		r.found(check, Problem, types.ErrUnregistered, "%s is to get a share and has no identity on chain", op)
	}
	c := f.Node.Chosen
	if c == nil || c.Refusal == "" || c.Reason == string(types.ErrUnregistered) && len(unknown) > 0 {
		return
	}
	r.found(check, Problem, types.Reason(c.Reason), "the chain would refuse it now: %s", c.Refusal)
}

// leftOut names those that the chain does not choose though they are registered.
func (f *Facts) leftOut(r *Report) {
	c := f.Node.Chosen
	if c == nil || len(f.Committee) > 0 || len(c.Operators) == 0 {
		return
	}
	var names []string
	self := false
	for _, p := range f.Node.Participants {
		if p.IdentityVersion != 0 && !slices.Contains(c.Operators, p.Operator) {
			names, self = append(names, p.Operator), self || p.Self
		}
	}
	switch {
	case len(names) == 0:
	case self && f.Node.Validator == mpcnode.ValidatorBonded:
		r.advise(string(f.For), Warning, "", "name who is to take part, or raise the parameter max_participants, or this validator's stake",
			"the chain leaves this node out: its validator has less power than each of the %d that it takes (max_participants)", len(c.Operators))
	default:
		r.ok(string(f.For), "the chain leaves out %s: jailed, not bonded, or of less power than the %d that it takes", strings.Join(names, ", "), len(c.Operators))
	}
}
