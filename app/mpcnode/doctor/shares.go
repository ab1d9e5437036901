package doctor

import (
	"strings"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// examineShares says where the chain and this node differ about shares.
func examineShares(r *Report, f Facts) {
	const check = "shares"
	if f.Node == nil || f.Node.Identity.Operator == "" {
		return
	}
	if n := f.Node.SpentKeys; n > 0 && f.Key == "" && f.For != Sign { // that names each
		r.advise(check, Warning, types.ErrTooFewSigners, "see which, and who can mend it: sequencerd mpc doctor --for sign",
			"READY keys of this node that too few participants have a share and an identity of to sign: %d", n)
	}
	s := f.Node.Status
	for _, m := range s.MissingShares {
		told := "the chain does not know yet"
		if m.OnChain {
			told = "the chain knows"
		}
		r.found(check, Warning, types.ErrShareMissing, "%s: the share of epoch %d is %s here (%s)", m.KeyID, m.Epoch, m.What, told)
	}
	for _, w := range s.Withheld {
		r.add(Finding{Check: check, Level: Warning, Remedy: w.Remedy, Detail: "a share of " + w.KeyID + " is kept though the chain has no use for it: " + w.Why})
	}
	if len(s.UnknownKeys) > 0 {
		r.advise(check, Warning, types.ErrUnknownKey, "nothing is lost; check that this database belongs to this chain: sequencerd mpc keys",
			"the chain does not know %s; the shares are kept", strings.Join(s.UnknownKeys, ", "))
	}
	if len(s.MissingShares)+len(s.Withheld)+len(s.UnknownKeys) == 0 && !s.CatchingUp && s.Problem == "" {
		r.ok(check, "all that the chain says this node has, in the chain's epochs")
	}
}
