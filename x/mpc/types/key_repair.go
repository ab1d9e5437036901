package types

import (
	"fmt"
	"slices"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// To say that one's share is missing costs nothing, and a new one takes the whole
// committee a reshare. A disk that fails once is repaired at the usual pace; whoever loses
// its new share soon after each reshare waits twice as long for the next, each time.

// Miss records in a block that a participant has no share, until it takes that back or to
// the next epoch.
func (k *Key) Miss(operator string, height int64) {
	k.MissingShares = insertSorted(k.MissingShares, operator)
	k.Repairs = slices.DeleteFunc(k.Repairs, func(r ShareRepair) bool { return r.Operator == operator && height >= r.UntilHeight })
}

// RepairDue says whether the module may ask for a reshare in a block because a share of the
// epoch is missing.
func (k Key) RepairDue(height int64, pauseBlocks uint32) bool {
	return slices.ContainsFunc(k.MissingShares, func(operator string) bool {
		return height >= k.DecidedHeight+repairPause(k.repairsOf(operator), pauseBlocks)
	})
}

// repairPause is how long the module waits after so many repairs in a row.
func repairPause(times, pauseBlocks uint32) int64 {
	return min(int64(pauseBlocks)<<min(times, MaxPauseDoublings), MaxLengthBlocks)
}

func (k Key) repairsOf(operator string) uint32 {
	i, known := slices.BinarySearchFunc(k.Repairs, operator, byRepaired)
	if !known {
		return 0
	}
	return k.Repairs[i].Times
}

func byRepaired(r ShareRepair, operator string) int { return strings.Compare(r.Operator, operator) }

// repaired lists for whom a reshare was made because of a missing share: who has none, and
// where it was for nothing else who took that back as well. Or it would do so as soon as the
// module asks for the reshare, and cost the others one after each pause.
func (k Key) repaired(r Reshare) []string {
	operators := slices.Clone(k.MissingShares)
	if r.Repairs() {
		for _, operator := range k.FoundShares {
			operators = insertSorted(operators, operator)
		}
	}
	return operators
}

// repair notes in the block that begins an epoch who of its participants has a share
// again, and forgets whom it need not know any more.
func (k *Key) repair(repaired []string, height int64, pauseBlocks uint32) {
	k.Repairs = slices.DeleteFunc(slices.Clone(k.Repairs), func(r ShareRepair) bool {
		_, participates := slices.BinarySearch(k.Participants, r.Operator)
		return !participates || height >= r.UntilHeight && !slices.Contains(repaired, r.Operator)
	})
	for _, operator := range repaired {
		if _, participates := slices.BinarySearch(k.Participants, operator); !participates {
			continue
		}
		r := ShareRepair{Operator: operator, Times: min(k.repairsOf(operator)+1, MaxPauseDoublings)}
		r.UntilHeight = height + min(AbsenteePauses*repairPause(r.Times, pauseBlocks), MaxLengthBlocks)
		i, known := slices.BinarySearchFunc(k.Repairs, operator, byRepaired)
		if known {
			k.Repairs[i] = r
		} else {
			k.Repairs = slices.Insert(k.Repairs, i, r)
		}
	}
}

// validateRepairs checks who had a share again.
func (k Key) validateRepairs() error {
	last := ""
	for _, r := range k.Repairs {
		_, participates := slices.BinarySearch(k.Participants, r.Operator)
		switch {
		case !participates || r.Operator <= last:
			return fmt.Errorf("key %s: repairs must be of its participants and ascend, and one is of %q", k.Id, r.Operator)
		case r.Times < 1 || r.Times > MaxPauseDoublings || r.UntilHeight < 1:
			return fmt.Errorf("key %s: repair of %s, %d times until height %d", k.Id, r.Operator, r.Times, r.UntilHeight)
		}
		last = r.Operator
	}
	if len(k.Repairs) > mpctypes.MaxMembers || k.Epoch == 0 && len(k.Repairs) > 0 {
		return fmt.Errorf("key %s: %d repairs in epoch %d", k.Id, len(k.Repairs), k.Epoch)
	}
	return nil
}
