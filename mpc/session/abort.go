package session

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// A session of exactly t+1 signers, or of all participants, cannot do without
// anybody. Whoever leaves one early says so: the others would wait for it until
// they take it for the one that stalled, and refuse the next attempt meanwhile. Before
// the Start too: a dishonest member could otherwise make two honest ones accuse each
// other, by a Ready that makes the initiator give up, or a Start of which only one
// got a bad copy.

// abort tells the others that this node leaves. It is sent once here; Aborted
// gives it to the engine for those who still talk to the session. What the chain
// decided they hear anyway, and what another one said when it left is passed on.
//
// It names for whom it leaves, so that nobody takes it for the one that broke off: its
// accusation may be on chain since an earlier session, and is not said twice.
func (s *Session) abort(end End) {
	reason, culprits := end.Reason, end.Culprits
	decided := reason == types.ErrAlreadyDecided || reason == types.ErrExpired
	switch {
	case reason == "":
	case s.phase == Preparing: // a Ready may be on its way, and a refusal that says "decided" may be a lie
		s.leave(s.id, reason, culprits, s.cfg.Request.Operators())
	case s.phase == Waiting && !decided && reason != types.ErrAborted && reason != types.ErrReleased:
		s.leave(s.id, reason, culprits, nil) // nobody waits for it unless a Start comes yet
	case s.phase == Parked && reason != types.ErrAborted:
		s.leave(s.context, reason, slices.Concat(culprits, end.Awaited), s.others())
	case s.phase == Running && !decided:
		if reason != types.ErrAborted {
			s.leave(s.context, reason, slices.Concat(culprits, end.Awaited), s.others())
		}
		if s.initiator == s.cfg.Self { // who has no Start yet does not know the context
			s.leave(s.id, reason, culprits, slices.DeleteFunc(s.others(), func(op types.Operator) bool {
				p, ok := s.peers[op]
				return ok && p.started
			}))
		}
	}
}

// leave says to some, and for later, that this node leaves what they know by a name:
// the session's context, or its id.
func (s *Session) leave(name types.Hash, reason types.Reason, culprits, to []types.Operator) {
	body := wire.Abort{Reason: string(reason)}
	if reason != types.ErrAborted { // for whom another one left it says itself
		body.Culprits = namesOf(culprits)
	}
	bz, err := body.Marshal()
	if err != nil {
		return // strings always encode
	}
	e := s.envelope(wire.Header{Context: name[:], Kind: wire.KIND_ABORT}, bz)
	s.keepAborted(name, e)
	for _, op := range to {
		if op != s.cfg.Self {
			s.cfg.Host.Send(op, e)
		}
	}
}

// namesOf lists culprits as an Abort has them.
func namesOf(culprits []types.Operator) []string {
	sorted := slices.Sorted(slices.Values(culprits))
	sorted = slices.Compact(sorted)
	var names []string
	for _, op := range sorted[:min(len(sorted), types.MaxNamed)] {
		names = append(names, string(op))
	}
	return names
}

// leftOver reads whom somebody names that leaves: others that run the session, itself
// and this node not among them. A list that no honest member would make is none.
func (s *Session) leftOver(who types.Operator, names []string) []types.Operator {
	if len(names) > types.MaxNamed || !slices.IsSorted(names) {
		return nil
	}
	var ops []types.Operator
	for _, op := range s.others() {
		if op != who && slices.Contains(names, string(op)) {
			ops = append(ops, op)
		}
	}
	return ops
}

func (s *Session) keepAborted(name types.Hash, e *wire.Envelope) {
	if s.aborted == nil {
		s.aborted = make(map[types.Hash]*wire.Envelope)
	}
	s.aborted[name] = e
}

// Aborted is what this node says when it left early, or what whoever left before it
// said, to who knows the session by its context or by its id; nil if it says nothing.
func (s *Session) Aborted(name types.Hash) *wire.Envelope { return s.aborted[name] }

// onAbort ends the session. Nobody is blamed for it here: whoever left names whom it
// left for, and accuses it, and a member that leaves for nobody makes itself no friends
// (see Config.Suspicion).
func (s *Session) onAbort(v types.Verified) {
	var a wire.Abort
	if err := a.Unmarshal(v.Body()); err != nil || types.Reason(a.Reason).Remedy() == "" {
		a = wire.Abort{Reason: string(types.ErrProtocolFault)}
	}
	if s.collects() && s.peers[v.From()] != nil && string(v.Header().Context) == string(s.context[:]) && types.Reason(a.Reason) == types.ErrAborted {
		s.accuse(v, fmt.Errorf("it leaves because another one left, which is passed on in the words of that one"))
		return
	}
	switch {
	case s.phase == Waiting && v.From() == s.initiator && string(v.Header().Context) == string(s.id[:]):
		// The others that wait for its Start need not hear it from this node: they wait for
		// nobody else. Who gets a Start all the same forwards it, and hears it then.
		s.keepAborted(s.id, v.Envelope())
	case s.collects() && s.peers[v.From()] != nil && s.isName(v.Header().Context):
		s.passOn(v)
	default:
		return
	}
	over := s.leftOver(v.From(), a.Culprits)
	s.end(End{
		Reason: types.ErrAborted, Left: v.From(), LeftFor: types.Reason(a.Reason), LeftOver: over,
		Err: fmt.Errorf("%s left the session: %s %s", v.From(), a.Reason, strings.Join(namesOf(over), " ")),
	})
}

// isName: the session is meant. Who left before it had the Start knows its id only.
func (s *Session) isName(name []byte) bool {
	return string(name) == string(s.context[:]) || string(name) == string(s.id[:])
}

// passOn tells the others who left, in its own words, and keeps them for those who
// still talk to the session: who says so to one member alone makes that one look as if
// it stalled.
func (s *Session) passOn(v types.Verified) {
	for _, name := range []types.Hash{types.Hash(v.Header().Context), s.context} {
		s.keepAborted(name, v.Envelope())
	}
	for _, op := range s.others() {
		if op != v.From() {
			s.cfg.Host.Send(op, v.Envelope())
		}
	}
}
