package doctor

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// examinePeers looks at the connections that carry the channel.
func examinePeers(r *Report, f Facts) {
	const check = "peers"
	if f.Node == nil {
		return
	}
	switch peers := f.Node.Status.Peers; {
	case peers == 0 && len(f.Node.Participants) > 1:
		r.advise(check, Problem, types.ErrStalled, "look at persistent_peers in config.toml (or libp2p-peers in section [mpc] of app.toml), and that the nodes there run with enabled = true in section [mpc]",
			"no peer has the MPC channel: nobody hears this node")
	default:
		r.ok(check, "%d with the MPC channel", peers)
	}
	examineStrangers(r, f.Node.Strangers)
}

// maxStrangers are named; of the rest there is a count.
const maxStrangers = 3

// examineStrangers counts peers without the channel, which any full node of the chain may be.
func examineStrangers(r *Report, strangers []p2p.Stranger) {
	if len(strangers) == 0 {
		return
	}
	r.advise("peers", Warning, "", MendStrangers, "%s", NameStrangers(strangers))
}

// MendStrangers is what to do about peers without the channel.
const MendStrangers = "if one of them is yours or a validator's: there, set enabled = true in section [mpc] of app.toml and start the node again, with a program that has MPC; other peers relay meanwhile"

// NameStrangers says how many peers have no channel, and the names of some.
func NameStrangers(strangers []p2p.Stranger) string {
	names := make([]string, 0, maxStrangers)
	for _, s := range strangers[:min(len(strangers), maxStrangers)] {
		name := s.ID
		if s.Address != "" {
			name += "@" + s.Address
		}
		if s.Moniker != "" {
			name += fmt.Sprintf(" (%q)", s.Moniker)
		}
		names = append(names, name)
	}
	list := strings.Join(names, ", ")
	if more := len(strangers) - len(names); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%d without the MPC channel, nothing of MPC passes them: %s", len(strangers), list)
}

// examineParticipants lists those of the key, or all.
func examineParticipants(r *Report, f Facts) {
	const check = "participant"
	if f.Node == nil || !f.Node.Asked {
		examineUnasked(r, f)
		return
	}
	for _, p := range f.members() {
		switch {
		case p.Self:
		case p.IdentityVersion == 0:
			r.advise(check, Warning, types.ErrIdentityRevoked, "it makes a new one: sequencerd mpc identity rotate, starts its node again, and registers: sequencerd mpc register --from KEY",
				"%s revoked its identity, and signs nothing until it registers another", p.Operator)
		case !p.Answered:
			r.found(check, f.silence(p), types.ErrStalled, "%s does not answer%s", p.Operator, silent(p.Direct))
		case p.Outdated():
			r.advise(check, f.silence(p), types.ErrIdentityOld, "tell its operator, whose node says more: sequencerd mpc doctor",
				"%s answers with version %d of its identity, the chain goes by version %d: it takes no part in new requests", p.Operator, p.AnsweredAs, p.IdentityVersion)
		case f.clockOf(p) && p.CatchingUp:
			r.advise(check, f.silence(p), types.ErrCatchingUp, "tell its operator: timedatectl set-ntp true",
				"%s answers, and its clock is %s this node's: all blocks look old to it, and it takes part in nothing", p.Operator, off(p.ClockAhead))
		case p.CatchingUp:
			r.found(check, f.silence(p), types.ErrCatchingUp, "%s answers and is behind the chain, at height %d", p.Operator, p.Height)
		case f.clockOf(p):
			r.advise(check, Warning, "", "tell its operator: timedatectl set-ntp true", "%s answers, and its clock is %s this node's", p.Operator, off(p.ClockAhead))
		default:
			r.ok(check, "%s: %s, %s%s", p.Operator, way(p.Direct), milliseconds(p.RoundTrip), versionOf(p))
		}
	}
}

// examineUnasked says why this node could not ask the others. That it has no part, no state
// or no identity to ask with was said with what to do, and why its engine has stopped.
func examineUnasked(r *Report, f Facts) {
	const check = "participant"
	switch {
	case f.Node == nil || !f.takesPart() || f.Node.ChainError != "" || f.Node.Status.Problem != "":
	case f.Node.Status.Engine != mpcnode.EngineRunning:
		r.ok(check, "the others were not asked: this node's engine has stopped")
	case f.Node.AskError == "":
		r.ok(check, "the others were not asked: this node has no identity that the chain goes by")
	default:
		r.advise(check, Problem, types.ErrStorage, "look at the disk and the log of this node; if it goes on, start it again", "the others could not be asked: %s", f.Node.AskError)
	}
}

// members are whom it takes: the participants of the key that was asked for, for a reshare
// those that are to be too, for a keygen those that are to be; or all.
func (f *Facts) members() []mpcnode.ParticipantReport {
	switch {
	case f.Node == nil:
		return nil
	case f.Choosing() && f.Node.Key == nil:
		return f.receivers()
	case f.Choosing():
		return f.among(f.isHolder, f.isReceiver)
	}
	return f.holders()
}

// holders are the participants of the key that was asked for, or all.
func (f *Facts) holders() []mpcnode.ParticipantReport { return f.among(f.isHolder) }

// receivers are the participants that a keygen or a reshare is to give shares to.
func (f *Facts) receivers() []mpcnode.ParticipantReport { return f.among(f.isReceiver) }

func (f *Facts) among(kinds ...func(mpcnode.ParticipantReport) bool) []mpcnode.ParticipantReport {
	return slices.DeleteFunc(slices.Clone(f.Node.Participants), func(p mpcnode.ParticipantReport) bool {
		return !slices.ContainsFunc(kinds, func(is func(mpcnode.ParticipantReport) bool) bool { return is(p) })
	})
}

func (f *Facts) isHolder(p mpcnode.ParticipantReport) bool {
	return f.Node.Key == nil || slices.Contains(f.Node.Key.Participants, p.Operator)
}

// isReceiver: it was named; or nobody was, and the chain would choose it, as far as it can be
// asked.
func (f *Facts) isReceiver(p mpcnode.ParticipantReport) bool {
	switch c := f.Node.Chosen; {
	case len(f.Committee) > 0:
		return slices.Contains(f.Committee, p.Operator)
	case c != nil && len(c.Operators) > 0:
		return slices.Contains(c.Operators, p.Operator)
	}
	return p.IdentityVersion != 0
}

// silence is how bad it is that one does not come: what needs everybody cannot be done. Of
// those that only hold the key that is to be reshared there are others.
func (f *Facts) silence(p mpcnode.ParticipantReport) Level {
	if f.For == Reshare && !f.isReceiver(p) {
		return Warning
	}
	return f.needs(Keygen, Reshare)
}

func silent(direct bool) string {
	if direct {
		return ", though its node is a peer of this one: it runs an older version, or its engine stopped"
	}
	return ": its node is down, or not connected to anybody"
}

func way(direct bool) string {
	if direct {
		return "direct"
	}
	return "by relay"
}

func versionOf(p mpcnode.ParticipantReport) string {
	if p.Version == "" {
		return ""
	}
	return ", version " + p.Version
}

// clockOf: its clock is wrong, and not this node's, as the others show.
func (f *Facts) clockOf(p mpcnode.ParticipantReport) bool {
	own, others := f.ownClock()
	return others > 1 && math.Abs(own) < clockOff && math.Abs(p.ClockAhead) >= clockWrong
}

// examineVersions says who runs what.
func examineVersions(r *Report, f Facts) {
	const check = "versions"
	if f.Node == nil || !f.Node.Asked {
		return
	}
	others, same := make(map[string][]string), 0
	for _, p := range f.Node.Participants {
		switch {
		case !p.Answered || p.Version == "":
		case p.Version == f.Node.Version:
			same++
		default:
			others[p.Version] = append(others[p.Version], p.Operator)
		}
	}
	if f.Node.Version == "" {
		return // a program that was built by hand does not know
	}
	if len(others) == 0 {
		r.ok(check, "%s, as the %d others that say theirs", f.Node.Version, same)
		return
	}
	var list []string
	for v, ops := range others {
		list = append(list, v+" ("+strings.Join(ops, ", ")+")")
	}
	slices.Sort(list)
	r.advise(check, Warning, "", "fine while an upgrade goes round; run the same version on all nodes in the end",
		"this node runs %s, others: %s", f.Node.Version, strings.Join(list, "; "))
}
