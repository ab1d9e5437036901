package types

import (
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Receives reports whether an operator is of the new committee.
func (h *Handover) Receives(operator string) bool { return has(h.Receivers, operator) }

// Holds reports whether an operator is of the committee before.
func (h *Handover) Holds(operator string) bool { return has(h.Holders, operator) }

// DoesWithout says whether a request can be decided without members who revoked the
// identity that it pinned. A reshare can, if none of them gets a share by it and t+1 of the
// committee before are left to deal theirs; whether these have them is Key.EnoughShares.
// Nothing else can.
func (r Request) DoesWithout(revoked []string) bool {
	if len(revoked) == 0 {
		return true
	}
	h := r.Handover
	if h == nil || slices.ContainsFunc(revoked, h.Receives) {
		return false
	}
	return len(r.Dealers(revoked)) > int(h.Threshold)
}

// Dealers lists the members of a reshare who are to deal their shares, ascending, without
// those who revoked the identity that it pinned.
func (r Request) Dealers(revoked []string) (dealers []string) {
	for _, m := range r.Members {
		if r.Handover.Holds(m.Operator) && !slices.Contains(revoked, m.Operator) {
			dealers = append(dealers, m.Operator)
		}
	}
	return dealers
}

func has(sorted []string, name string) bool {
	_, found := slices.BinarySearch(sorted, name)
	return found
}

// toEngine converts for the node.
func (h *Handover) toEngine() *mpctypes.Handover {
	out := &mpctypes.Handover{
		Holders: toOperators(h.Holders), Threshold: int(h.Threshold), Receivers: toOperators(h.Receivers),
		PublicShares: make([][]byte, len(h.PublicShares)),
	}
	for i, s := range h.PublicShares {
		out.PublicShares[i] = slices.Clone(s)
	}
	return out
}

// validateHandover checks a reshare's request of a genesis file against its key and
// its reshare.
func (r Request) validateHandover(key Key, reshare Reshare) error {
	h := r.Handover
	switch {
	case r.KeyId != reshare.KeyId || r.Epoch != reshare.Epoch || r.Threshold != reshare.Threshold:
		return fmt.Errorf("request %s asks for something else than its reshare", r.Id)
	case string(r.KeySession) != string(key.Session):
		return fmt.Errorf("request %s deals shares of another session than those of key %s", r.Id, key.Id)
	case !slices.Equal(h.Holders, reshare.OldParticipants) || h.Threshold != reshare.OldThreshold:
		return fmt.Errorf("request %s: the committee before is not that of the reshare", r.Id)
	case !slices.Equal(h.Receivers, reshare.Participants):
		return fmt.Errorf("request %s: the new committee is not that of the reshare", r.Id)
	case !slices.EqualFunc(h.PublicShares, key.PublicShares, slices.Equal):
		return fmt.Errorf("request %s: the public shares are not those of key %s", r.Id, key.Id)
	}
	dealers, receivers := 0, 0
	for _, m := range r.Members {
		holds, receives := h.Holds(m.Operator), h.Receives(m.Operator)
		if holds {
			dealers++
		}
		if receives {
			receivers++
		}
		if !holds && !receives {
			return fmt.Errorf("request %s: member %s is of neither committee", r.Id, m.Operator)
		}
	}
	if dealers <= int(h.Threshold) || receivers != len(h.Receivers) {
		return fmt.Errorf("request %s has %d members of the committee before and %d of the new one, which are too few", r.Id, dealers, receivers)
	}
	return nil
}
