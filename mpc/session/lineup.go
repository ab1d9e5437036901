package session

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// lineup is who runs the rounds of a session. Both lists ascend.
type lineup struct {
	signers []types.Operator
	// dealers of a reshare; empty otherwise.
	dealers []types.Operator
}

// has says whether a signer has a role.
func (s *Session) has(op types.Operator, role Role) bool {
	switch role {
	case Dealers:
		return slices.Contains(s.dealers, op)
	case Owner:
		return op == s.initiator
	case Receivers:
		return s.cfg.Request.Handover != nil && s.cfg.Request.Handover.Receives(op)
	}
	return true
}

// passes says whether a message goes from one signer to another.
func (s *Session) passes(spec MessageSpec, from, to types.Operator) bool {
	return s.has(from, spec.From) && (spec.Broadcast || s.has(to, spec.To))
}

// chooseLineup picks who runs the rounds: this node and those that were ready,
// the least suspected first, then in order of arrival. For a while it waits for
// somebody better. Who is shunned is not taken at all. Nobody is excluded for
// good: whoever accuses everybody keeps nobody out. Nil: not enough yet.
func (s *Session) chooseLineup(now time.Time) *lineup {
	if s.cfg.Request.Handover != nil {
		return s.chooseCommittees(now)
	}
	signers := s.leastSuspected(s.cfg.Request.SignersNeeded()-1, s.order, now)
	if signers == nil {
		return nil
	}
	signers = append(signers, s.cfg.Self)
	slices.Sort(signers)
	return &lineup{signers: signers}
}

// chooseCommittees picks the dealers of a reshare. Its receivers are fixed.
func (s *Session) chooseCommittees(now time.Time) *lineup {
	h := s.cfg.Request.Handover
	for _, op := range h.Receivers {
		if _, ready := s.readys[op]; !ready && op != s.cfg.Self {
			return nil
		}
	}
	candidates := slices.DeleteFunc(slices.Clone(s.order), func(op types.Operator) bool { return !s.deals[op] })
	needed := h.DealersNeeded()
	own := s.cfg.Deals && h.Holds(s.cfg.Self)
	if own {
		needed--
	}
	dealers := s.leastSuspected(needed, candidates, now)
	if dealers == nil {
		return nil
	}
	if own {
		dealers = append(dealers, s.cfg.Self)
	}
	slices.Sort(dealers)
	signers := append(slices.Clone(dealers), h.Receivers...)
	slices.Sort(signers)
	return &lineup{slices.Compact(signers), dealers}
}

// leastSuspected picks as many of those that are ready; nil: not enough yet.
func (s *Session) leastSuspected(count int, ready []types.Operator, now time.Time) []types.Operator {
	ready = slices.DeleteFunc(slices.Clone(ready), s.shunned)
	slices.SortStableFunc(ready, func(a, b types.Operator) int { return cmp.Compare(s.suspicion(a), s.suspicion(b)) })
	if len(ready) < count {
		return nil
	}
	chosen := ready[:count:count]
	if count > 0 && now.Sub(s.since) < s.cfg.Timing.Grace && s.betterToCome(chosen[count-1]) {
		return nil
	}
	return append([]types.Operator{}, chosen...) // never nil: that means "not enough"
}

func (s *Session) shunned(op types.Operator) bool { return s.cfg.Shunned != nil && s.cfg.Shunned(op) }

func (s *Session) suspicion(op types.Operator) int {
	if s.cfg.Suspicion == nil {
		return 0
	}
	return s.cfg.Suspicion(op)
}

// betterToCome: somebody who has not answered yet is less suspected.
func (s *Session) betterToCome(than types.Operator) bool {
	return slices.ContainsFunc(s.unheard(), func(op types.Operator) bool {
		return !s.shunned(op) && s.suspicion(op) < s.suspicion(than)
	})
}

// given is what the Prepare and the Readys in a Start say.
type given struct {
	// keys are the session keys of the initiator and all that were ready.
	keys map[types.Operator][]byte
	// deals are those of them that have a share to deal.
	deals map[types.Operator]bool
}

// checkLineup: ascending, exactly those that the request needs, each of them
// ready.
func (s *Session) checkLineup(signers, dealers []string, g *given) (*lineup, error) {
	l := &lineup{}
	var err error
	if l.signers, err = ascending(signers, g.keys); err != nil {
		return nil, err
	}
	if l.dealers, err = ascending(dealers, g.keys); err != nil {
		return nil, err
	}
	if s.cfg.Request.Handover != nil {
		return l, s.checkCommittees(l, g.deals)
	}
	if needed := s.cfg.Request.SignersNeeded(); len(l.signers) != needed {
		return nil, fmt.Errorf("%d signers, not %d", len(l.signers), needed)
	}
	if len(l.dealers) != 0 {
		return nil, fmt.Errorf("%d dealers in what is no reshare", len(l.dealers))
	}
	if s.parking.round > 0 && !slices.Contains(l.signers, s.initiator) {
		return nil, fmt.Errorf("%s owns a presignature that it is no signer of", s.initiator)
	}
	return l, nil
}

// checkCommittees: the signers of a reshare are all receivers and as many dealers
// as are needed, and nobody else.
func (s *Session) checkCommittees(l *lineup, deals map[types.Operator]bool) error {
	h := s.cfg.Request.Handover
	if len(l.dealers) != h.DealersNeeded() {
		return fmt.Errorf("%d dealers, not %d", len(l.dealers), h.DealersNeeded())
	}
	for _, op := range l.dealers {
		if !h.Holds(op) || !deals[op] {
			return fmt.Errorf("dealer %s has no share to deal", op)
		}
	}
	want := append(slices.Clone(l.dealers), h.Receivers...)
	slices.Sort(want)
	if !slices.Equal(l.signers, slices.Compact(want)) {
		return fmt.Errorf("signers are not the dealers and all receivers")
	}
	return nil
}

// ascending wants operators in order, each of them ready.
func ascending(names []string, ready map[types.Operator][]byte) ([]types.Operator, error) {
	ops := make([]types.Operator, len(names))
	for i, name := range names {
		ops[i] = types.Operator(name)
		if _, said := ready[ops[i]]; !said {
			return nil, fmt.Errorf("signer %s did not say Ready", name)
		}
		if i > 0 && ops[i] <= ops[i-1] {
			return nil, fmt.Errorf("signers are not ascending")
		}
	}
	return ops, nil
}
