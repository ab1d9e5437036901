package types

import (
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Hopeless reports that of so many members so many refuse for good that fewer are left
// than are needed, and for which reason: the one that most of them gave, of equals the
// first in the alphabet.
func Hopeless(refusals []Refusal, members, needed int) (mpctypes.Reason, bool) {
	count := make(map[string]int)
	for _, r := range refusals {
		if mpctypes.RefusedForGood(mpctypes.Reason(r.Reason)) {
			count[r.Reason]++
			members--
		}
	}
	if members >= needed || len(count) == 0 {
		return "", false
	}
	var most string
	for _, r := range refusals { // in their order: all nodes find the same
		if n := count[r.Reason]; n > count[most] || n == count[most] && r.Reason < most {
			most = r.Reason
		}
	}
	return mpctypes.Reason(most), true
}

// RefusedBy lists who refuses.
func (s Signature) RefusedBy() []string {
	operators := make([]string, len(s.Refusals))
	for i, r := range s.Refusals {
		operators[i] = r.Operator
	}
	return operators
}

// validateRefusals checks those of a genesis file.
func (s Signature) validateRefusals() error {
	if len(s.Refusals) > mpctypes.MaxMembers || !ascending(s.RefusedBy()) || s.Test && len(s.Refusals) > 0 {
		return fmt.Errorf("%d refusals: at most %d, ascending by operator, and none of a test", len(s.Refusals), mpctypes.MaxMembers)
	}
	for _, r := range s.Refusals {
		if err := mpctypes.Reason(r.Reason).Validate(); err != nil {
			return fmt.Errorf("refusal of %s: %w", r.Operator, err)
		}
	}
	return nil
}

// refusedByMembers: nobody else refuses what is open.
func refusedByMembers(s Signature, r Request) bool {
	return !slices.ContainsFunc(s.Refusals, func(o Refusal) bool { _, member := r.Member(o.Operator); return !member })
}
