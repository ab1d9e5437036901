package doctor

import (
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// examineKey says what became of the key that somebody asked about.
func examineKey(r *Report, f Facts) {
	const check = "key"
	if f.Node == nil || f.Key == "" || f.Node.ChainError != "" {
		return
	}
	k := f.Node.Key
	if k == nil {
		r.found(check, Problem, types.ErrUnknownKey, "the chain has no key %s", f.Key)
		return
	}
	switch k.Status {
	case types.KeyPending.String():
		r.found(check, f.needs(Sign, Reshare), types.ErrKeyNotReady, "%s is being made since height %d; attested by %d of %d, not by %s",
			k.ID, k.RequestedHeight, len(k.Attested), len(k.Participants), strings.Join(less(k.Participants, k.Attested), ", "))
	case types.KeyError.String():
		failed(r, check, k, types.ErrKeyFailed)
	case mpcnode.StatusPruned: // READY keys never are
		r.found(check, Problem, types.ErrPruned, "the keygen of %s failed so long ago that the chain does not keep it", k.ID)
	case types.KeyDeleting.String():
		r.found(check, Problem, types.ErrKeyDeleted, "%s is DELETING, and is destroyed at height %d", k.ID, k.RetireHeight)
	case types.KeyDeleted.String():
		r.found(check, Problem, types.ErrKeyDeleted, "%s is DELETED; %d of its participants say that they destroyed what they had", k.ID, len(k.DeletionAcks))
	default:
		r.ok(check, "%s is %s, epoch %d, %d of %d sign", k.ID, k.Status, k.Epoch, k.Threshold+1, len(k.Participants))
		examineEpochs(r, f)
	}
}

// failed explains what is in ERROR: what it means for whoever uses it, and why it came to
// that.
func failed(r *Report, check string, o *mpcnode.OutcomeReport, reason types.Reason) {
	remedy := reason.Remedy()
	if o.Reason != string(reason) && o.Remedy != "" {
		remedy += "; why it failed (" + o.Reason + "): " + o.Remedy
	}
	r.add(Finding{
		Check: check, Level: Problem, Reason: reason, Remedy: remedy,
		Detail: o.Kind + " " + o.ID + " is in ERROR since height " + height(o.DecidedHeight) + ": " + o.Reason,
	})
}

// examineEpochs compares the shares that participants say they have with the chain's
// epoch. Of who revoked its identity it was said that it signs nothing.
func examineEpochs(r *Report, f Facts) {
	const check = "epoch"
	k := f.Node.Key
	agree, silent, revoked := 0, 0, 0
	for _, p := range f.holders() {
		missing := slices.Contains(k.MissingShares, p.Operator)
		switch {
		case p.IdentityVersion == 0:
			revoked++
		case missing:
			r.found(check, Warning, types.ErrShareMissing, "%s said on chain that it has no share of epoch %d", p.Operator, k.Epoch)
		case p.Self && f.missesOwn(k.ID): // it stands under shares
		case p.Self:
			agree++
		case !p.Answered:
			silent++
		case !p.HasShare:
			r.found(check, Warning, types.ErrShareMissing, "%s answers that it has no share", p.Operator)
		case p.Epoch != k.Epoch:
			r.found(check, Warning, types.ErrShareMissing, "%s answers that it has epoch %d, the chain is at %d", p.Operator, p.Epoch, k.Epoch)
		default:
			agree++
		}
	}
	if needed := int(k.Threshold) + 1; agree+silent < needed { // whoever is silent may have one
		reason, with := types.ErrShareMissing, ""
		if revoked > 0 {
			reason, with = types.ErrTooFewSigners, "an identity and "
		}
		r.found(check, Problem, reason, "at most %d of %d have %sa share of epoch %d, %d are needed", agree+silent, len(k.Participants), with, k.Epoch, needed)
		return
	}
	r.ok(check, "%d of %d say that they have a share of epoch %d", agree, len(k.Participants), k.Epoch)
}

// less lists what is in all and not in some.
func less(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}
