package doctor

import "github.com/sequencer-mpc/sequencer/app/mpcnode"

// examineSigner says whether the node signs blocks for the validator that it takes part in MPC
// for. Both have keys of their own, so a node that was restored may have one alone. One that
// takes part in MPC beside another one that signs is no fault.
func examineSigner(r *Report, f Facts) {
	const check = "consensus key"
	if f.Node == nil {
		examineStoppedSigner(r, check, f)
		return
	}
	switch s := f.Node.Signer; {
	case s == nil: // nobody knows
	case s.Own:
		r.ok(check, "%s, which is that of this node's validator", s.Address)
	case s.Elsewhere:
		r.ok(check, "%s, and another node signs blocks for the validator of %s: if it is so on purpose, leave it so", s.Address, f.Node.Identity.Operator)
	case f.Node.Validator != mpcnode.ValidatorBonded && f.Node.Validator != mpcnode.ValidatorJailed: // it signs none
		r.ok(check, "%s, and the validator of %s, which signs no blocks now, has another one", s.Address, f.Node.Identity.Operator)
	default:
		r.advise(check, Warning, "", mendSigner,
			"%s, and the validator of %s has another one, which signed none of the last %d blocks: whoever misses too many is jailed", s.Address, f.Node.Identity.Operator, mpcnode.SignerBlocks)
	}
}

// mendSigner is what to do about a node that has not the key of its validator.
const mendSigner = "if another node, or a remote signer, is to sign blocks for this validator, see that it does, and leave this so; else stop this one and bring back, from the machine that the validator was on and that must not run any more, " +
	"config/priv_validator_key.json and the newest data/priv_validator_state.json; if that key is lost, have the chain take the one that is here: " +
	`sequencerd tx staking rotate-cons-pub-key "$(sequencerd comet show-validator)" --from KEY`

// examineStoppedSigner looks at the files. What the chain has, a running node alone can tell,
// also of a key that never signed. Of a signer that the command line of "start" names nothing is
// known here.
func examineStoppedSigner(r *Report, check string, f Facts) {
	s := f.Files.Signer
	switch {
	case s == nil || !f.takesPart():
	case !s.HasKey:
		r.advise(check, Warning, "", mendSigner, "there is none (%s), and the next start makes another one than the validator has", s.KeyFile)
	case !s.HasState:
		r.advise(check, Problem, "", "bring its newest copy back; a node whose validator signs the same height twice is slashed, and jailed for ever",
			"what it signed last is not known (%s is gone), and the node does not start", s.StateFile)
	case s.Height == 0 && f.Files.Opened != nil && f.Files.Opened.Shares > 0:
		r.ok(check, "it is there, and never signed a block: so it is where the chain began again, where another node or a remote signer signs, and where it was made anew; whether the validator has it only a running node can tell")
	default:
		r.ok(check, "it is there, and signed last at height %d; whether the validator has it only a running node can tell", s.Height)
	}
}
