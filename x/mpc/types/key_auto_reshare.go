package types

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	// MaxPauseDoublings bounds how often the pause after a failed reshare doubles: to 64
	// times auto_reshare_pause_blocks, 10 hours of blocks of a second by default.
	MaxPauseDoublings = 6
	// AbsenteePauses is for how many of these pauses the module takes those last who did
	// not come: the next tries fall into that, also when slots are rare.
	AbsenteePauses = 8
)

// MayAutoReshare reports whether the module may ask for a reshare by itself.
func (k Key) MayAutoReshare(height int64) bool {
	return k.Status == KEY_STATUS_READY && k.ReshareId == "" && height >= k.AutoReshareHeight
}

// PauseAutoReshare keeps the module from asking for a reshare by itself before a height.
func (k *Key) PauseAutoReshare(until int64) { k.AutoReshareHeight = max(k.AutoReshareHeight, until) }

// Await notes in a block that the key waits for a reshare, and reports whether to say so:
// once in so many blocks, the first time at once unless the wait may well be short.
func (k *Key) Await(height int64, blocks uint32, short bool) (say, noted bool) {
	first := k.EndangeredHeight == 0
	if !first && height < k.EndangeredHeight {
		return false, false
	}
	k.EndangeredHeight = height + int64(blocks)
	return !first || !short, true
}

// FailAutoReshare pauses after a reshare that failed at a height, whoever asked for it:
// twice as long as after the one before it in this epoch. Somebody who ends one by revoking
// its identity makes the key wait no longer for the next. Who did not come to it is taken
// last for a while; their until_height need not be set.
func (k *Key) FailAutoReshare(reason mpctypes.Reason, absent []Absentee, height int64, pauseBlocks uint32) {
	pause := min(int64(pauseBlocks)<<min(k.FailedReshares, MaxPauseDoublings), MaxLengthBlocks)
	if reason != mpctypes.ErrIdentityRevoked {
		k.FailedReshares = min(k.FailedReshares, MaxPauseDoublings) + 1
	}
	k.FailedReshares = max(k.FailedReshares, 1)
	k.PauseAutoReshare(height + pause)
	k.Absentees = slices.DeleteFunc(k.Absentees, func(a Absentee) bool { return a.UntilHeight <= height })
	for _, a := range absent {
		a.UntilHeight = height + min(AbsenteePauses*pause, MaxLengthBlocks)
		k.noteAbsentee(a)
	}
}

// noteAbsentee adds one, or what was found out of it last. Of more than a committee has those
// go that have the least time left.
func (k *Key) noteAbsentee(a Absentee) {
	i, known := slices.BinarySearchFunc(k.Absentees, a.Operator, byOperator)
	if known {
		k.Absentees[i] = a
		return
	}
	k.Absentees = slices.Insert(k.Absentees, i, a)
	if len(k.Absentees) > mpctypes.MaxMembers {
		first := 0
		for i, a := range k.Absentees {
			if a.UntilHeight < k.Absentees[first].UntilHeight {
				first = i
			}
		}
		k.Absentees = slices.Delete(k.Absentees, first, first+1)
	}
}

func byOperator(a Absentee, operator string) int { return strings.Compare(a.Operator, operator) }

// Absentee finds an operator that the module takes last for this key at a height.
func (k Key) Absentee(operator string, height int64) (Absentee, bool) {
	i, known := slices.BinarySearchFunc(k.Absentees, operator, byOperator)
	if !known || height >= k.Absentees[i].UntilHeight {
		return Absentee{}, false
	}
	return k.Absentees[i], true
}

// CompareAbsent orders two whom the module takes last: who was not accused comes first,
// then who failed to come longest ago, so that where one of them is needed each has its
// turn.
func (k Key) CompareAbsent(one, other string, height int64) int {
	a, _ := k.Absentee(one, height)
	b, _ := k.Absentee(other, height)
	if a.Accused != b.Accused {
		if b.Accused {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.UntilHeight, b.UntilHeight)
}

// shiftAutoReshare moves what the module remembers in time. What is over stays above 0.
func (k *Key) shiftAutoReshare(blocks int64) {
	for _, height := range []*int64{&k.AutoReshareHeight, &k.EndangeredHeight} {
		if *height != 0 {
			*height = max(*height+blocks, 1)
		}
	}
	for i := range k.Absentees {
		k.Absentees[i].UntilHeight = max(k.Absentees[i].UntilHeight+blocks, 1)
	}
}

// validateAbsentees checks who is taken last.
func (k Key) validateAbsentees() error {
	if len(k.Absentees) > mpctypes.MaxMembers || len(k.Absentees) > 0 && k.FailedReshares == 0 {
		return fmt.Errorf("key %s: %d absentees of %d failed_reshares", k.Id, len(k.Absentees), k.FailedReshares)
	}
	if k.FailedReshares > MaxPauseDoublings+1 {
		return fmt.Errorf("key %s: failed_reshares counts to %d, not %d", k.Id, MaxPauseDoublings+1, k.FailedReshares)
	}
	for _, a := range k.Absentees {
		if a.Operator == "" || a.UntilHeight < 1 {
			return fmt.Errorf("key %s: absentee %q until height %d", k.Id, a.Operator, a.UntilHeight)
		}
	}
	if !ascending(k.AbsentOperators()) {
		return fmt.Errorf("key %s: absentees must ascend", k.Id)
	}
	return nil
}

// AbsentOperators lists them.
func (k Key) AbsentOperators() []string {
	operators := make([]string, len(k.Absentees))
	for i, a := range k.Absentees {
		operators[i] = a.Operator
	}
	return operators
}

// absenteesEnd is the last height of any.
func (k Key) absenteesEnd() int64 {
	end := int64(0)
	for _, a := range k.Absentees {
		end = max(end, a.UntilHeight)
	}
	return end
}
