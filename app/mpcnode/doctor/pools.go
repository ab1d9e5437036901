package doctor

import (
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// examinePools looks at what is made ahead of time.
func examinePools(r *Report, f Facts) {
	if !f.takesPart() {
		return
	}
	have, target, known := f.preparams()
	switch {
	case !known:
	case have == 0 && f.Node == nil:
		r.found("pre-parameters", f.needs(Keygen, Reshare), types.ErrNoPreparams,
			"none; a node that runs makes them, in seconds to minutes of one core, when no session does")
	case have == 0:
		r.found("pre-parameters", f.needs(Keygen, Reshare), types.ErrNoPreparams,
			"none of %d; until there is a set this node refuses keygens and new shares, and signs as ever", target)
	case have < target && f.Node == nil:
		r.ok("pre-parameters", "%d of %d sets, a node that runs makes the others", have, target)
	case have < target:
		r.ok("pre-parameters", "%d of %d sets, the others are being made", have, target)
	default:
		r.ok("pre-parameters", "%d sets", have)
	}
	if f.Node == nil || f.Node.Identity.Operator == "" {
		return
	}
	examinePresignatures(r, f)
}

// preparams are how many sets there are, and should be.
func (f *Facts) preparams() (have, target int, known bool) {
	switch {
	case f.Node != nil:
		return f.Node.Status.Preparams, f.Node.PreparamsTarget, f.Node.Status.Problem == "" && f.Node.Identity.Keys > 0
	case f.Files.Opened != nil:
		return f.Files.Opened.Preparams, f.Files.PreparamsTarget, true
	}
	return 0, 0, false
}

func examinePresignatures(r *Report, f Facts) {
	const check = "presignatures"
	if f.Node.PresignTarget == 0 {
		r.ok(check, "switched off on chain (presign_target is 0)")
		return
	}
	ready, parked := 0, 0
	for _, p := range f.Node.Presignatures {
		if f.Key == "" || p.KeyID == f.Key {
			ready, parked = ready+p.Ready, parked+p.Parked
		}
	}
	of := ""
	if f.Key != "" {
		of = " of " + f.Key
	}
	if ready == 0 && f.usesOwn() {
		r.advise(check, Warning, "", "they are made when nothing else is to be done; if there are none for long, look at the participants below",
			"none%s is ready for requests that this node leads; they are signed the long way", of)
		return
	}
	r.ok(check, "%d%s ready for requests that this node leads, %d parked here in all", ready, of, parked)
}

// usesOwn: this node takes part in the key that was asked for, which signs.
func (f *Facts) usesOwn() bool {
	k := f.Node.Key
	return k != nil && k.Status == types.KeyReady.String() && slices.Contains(k.Participants, f.Node.Identity.Operator)
}
