package doctor

import (
	"slices"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
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
	ready, parked, building := 0, 0, 0
	for _, p := range f.Node.Presignatures {
		if f.Key == "" || p.KeyID == f.Key {
			ready, parked, building = ready+p.Ready, parked+p.Parked, building+p.Building
		}
	}
	of := ""
	if f.Key != "" {
		of = " of " + f.Key
	}
	most := f.presignKeys() * f.Node.PresignTarget
	switch {
	case most == 0 || !f.makesOwn():
		r.ok(check, "%d%s ready for requests that this node leads, %d parked here in all", ready, of, parked)
	case ready == 0 && building == 0:
		r.advise(check, Warning, "", "they are made one by one when nothing else is to be done, and after a failure up to five minutes later; if there are none for long, look at the participants below",
			"none%s is ready for requests that this node leads, of %d to be kept, and none is being made; these are signed the long way", of, most)
	case ready < most:
		r.ok(check, "%d of %d%s ready for requests that this node leads, %d parked here in all, %d being made", ready, most, of, parked, building)
	default:
		r.ok(check, "%d of %d%s ready for requests that this node leads, %d parked here in all", ready, most, of, parked)
	}
}

// presignKeys are how many keys this node is to have presignatures of: its READY ones, or the
// one that was asked for if it is among them.
func (f *Facts) presignKeys() int {
	k := f.Node.Key
	switch {
	case f.Key == "":
		return f.Node.ReadyKeys
	case k != nil && k.Status == types.KeyReady.String() && slices.Contains(k.Participants, f.Node.Identity.Operator):
		return 1
	}
	return 0
}

// makesOwn: nothing that was said already keeps this node from making presignatures.
func (f *Facts) makesOwn() bool {
	s := f.Node.Status
	return s.Engine == mpcnode.EngineRunning && s.Problem == "" && !s.CatchingUp && s.IdentityOutdated == 0 && !f.Node.Identity.Revoked
}
