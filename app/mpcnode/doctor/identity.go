package doctor

import (
	"errors"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// examineIdentity looks at the identity file, and at what the chain says of its keys.
func examineIdentity(r *Report, f Facts) {
	const check = "identity"
	switch {
	case !f.takesPart() && f.Node != nil && f.Node.Status.Problem != "":
		s := f.Node.Status
		r.add(Finding{Check: check, Level: Problem, Detail: "the chain has this node's validator as a participant, and there is neither identity nor database",
			Reason: types.Reason(s.Problem), Remedy: s.Remedy})
		return
	case !f.takesPart() && f.For == "":
		r.ok(check, "none: this node follows the chain and passes messages on")
		return
	case !f.takesPart():
		r.advise(check, Problem, "", "make one: sequencerd mpc identity create, start the node again, then sequencerd mpc register --from KEY",
			"none: this node takes part in no keys and signatures")
		return
	case unreadable(r, check, f.Files.IdentityError):
		return
	case f.Files.IdentityError != nil:
		r.found(check, Problem, reasonOr(f.Files.IdentityError, types.ErrIdentityLost), "%v", f.Files.IdentityError)
		return
	case f.Node == nil:
		r.ok(check, "it has keys, %d; whether the newest is registered only a running node can tell", f.Files.IdentityKeys)
		return
	}
	chain, s := f.Node.Identity, f.Node.Status
	switch {
	case chain.Keys == 0:
		r.advise(check, Problem, "", "start the node again", "the node was started before it had an identity")
	case f.Node.ChainError != "":
	case s.CatchingUp && (chain.Operator == "" || chain.Revoked): // it may have been registered since
		r.ok(check, "it has keys, %d; whether the newest is registered shows when the node has caught up", chain.Keys)
	case chain.Operator == "":
		r.advise(check, Problem, types.ErrUnregistered, "register it: sequencerd mpc register --from KEY", "the chain knows none of its keys, %d", chain.Keys)
	case chain.Revoked:
		r.advise(check, Problem, types.ErrIdentityRevoked,
			"make a new one: sequencerd mpc identity rotate, start the node again, then sequencerd mpc register --from KEY",
			"%s revoked it", chain.Operator)
	case s.IdentityOutdated != 0 || chain.Version != chain.Current:
		r.found(check, Problem, types.ErrIdentityOld, "the newest key of this node is version %d of %s, the chain goes by version %d",
			chain.Version, chain.Operator, chain.Current)
	case f.Files.IdentityKeys > chain.Keys:
		r.advise(check, Warning, "", "start the node again, then: sequencerd mpc register --from KEY",
			"the file has a newer key than the running node; the chain goes by version %d of %s", chain.Version, chain.Operator)
	default:
		r.ok(check, "version %d of %s, which is current on chain", chain.Version, chain.Operator)
	}
}

// reasonOr is the typed reason of an error, if it says more than that something with
// storage is wrong.
func reasonOr(err error, otherwise types.Reason) types.Reason {
	if reason := types.ReasonOf(err); reason != "" && !errors.Is(reason, types.ErrStorage) {
		return reason
	}
	return otherwise
}
