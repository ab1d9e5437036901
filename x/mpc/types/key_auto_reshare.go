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

// MayHasten reports whether the module may do so before that: no more than t+1 participants
// can go on and have a share, fewer than when a reshare of this epoch failed. What kept that
// one from its end may last, but the next one to leave is one too many.
func (k Key) MayHasten(able []string, height int64) bool {
	shares := k.SharesOf(able)
	return k.CouldHasten(height) && shares <= int(k.Threshold)+1 && shares < int(k.FailedAble)
}

// CouldHasten reports whether it could, were so few left.
func (k Key) CouldHasten(height int64) bool {
	return k.Status == KEY_STATUS_READY && k.ReshareId == "" && k.FailedAble > 0 && height >= k.UrgentHeight
}

// Hasten notes that the module asks for a reshare while so few are left. It does so again
// only for fewer: those who come and go do not make it ask all the time.
func (k *Key) Hasten(able []string) { k.noteAble(able) }

// noteAble notes how few can go on and have a share, if those were never fewer in this epoch.
func (k *Key) noteAble(able []string) {
	shares := uint32(k.SharesOf(able))
	if k.UrgentHeight == 0 || shares < k.FailedAble {
		k.FailedAble = shares
	}
}

// PauseAutoReshare keeps the module from asking for a reshare by itself before a height,
// however few are left.
func (k *Key) PauseAutoReshare(until int64) {
	k.AutoReshareHeight = max(k.AutoReshareHeight, until)
	if k.UrgentHeight != 0 {
		k.UrgentHeight = max(k.UrgentHeight, until)
	}
}

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

// AwaitReturn notes in a block that these participants, ascending, may be back who are away
// for a while, and reports whether the key waits for them, which it does for so many blocks,
// and whether it began to, or began anew: somebody is away for whom it did not wait. Who is
// back is forgotten once nobody is left of those: before that, one that comes and goes would
// keep the key from doing without another one for ever.
func (k *Key) AwaitReturn(away []string, height int64, blocks uint32) (waits, began bool) {
	known := func(operator string) bool { return slices.Contains(k.Awaited, operator) }
	if !slices.ContainsFunc(away, known) {
		k.ForgetReturn()
	}
	for _, operator := range away {
		if !known(operator) {
			k.Awaited, began = insertSorted(k.Awaited, operator), true
		}
	}
	if began {
		k.ReturnHeight = height + int64(blocks)
	}
	return height < k.ReturnHeight, began
}

// ForgetReturn ends the wait for who is away.
func (k *Key) ForgetReturn() { k.ReturnHeight, k.Awaited = 0, nil }

// validateUrgent checks when the module may hasten.
func (k Key) validateUrgent() error {
	if int(k.FailedAble) > len(k.Participants) || k.FailedAble > 0 && k.UrgentHeight == 0 {
		return fmt.Errorf("key %s: failed_able %d of %d participants, urgent_height %d", k.Id, k.FailedAble, len(k.Participants), k.UrgentHeight)
	}
	return nil
}

// validateAwaited checks for whom the key waits.
func (k Key) validateAwaited() error {
	stranger := func(operator string) bool { return !slices.Contains(k.Participants, operator) }
	if !ascending(k.Awaited) || slices.ContainsFunc(k.Awaited, stranger) || len(k.Awaited) > 0 && k.ReturnHeight == 0 {
		return fmt.Errorf("key %s waits until return_height %d for %s, who must be participants and ascend",
			k.Id, k.ReturnHeight, strings.Join(k.Awaited, ", "))
	}
	return nil
}

// FailAutoReshare pauses after a reshare that failed at a height, whoever asked for it:
// twice as long as after the one before it in this epoch. Those who end one by revoking
// their identity, or by saying that their share is missing, make the key wait no longer for
// the next, and that it was given up says nothing of the next at all. Who did not come to it
// is taken last for a while; their until_height need not be set. Who was taken last already,
// and needed all the same, begins that time anew, so that another has its turn. These are able
// to go on.
func (k *Key) FailAutoReshare(r Reshare, absent []Absentee, able []string, height int64, pauseBlocks uint32) {
	reason := mpctypes.Reason(r.Reason)
	pause := min(int64(pauseBlocks)<<min(k.FailedReshares, MaxPauseDoublings), MaxLengthBlocks)
	switch reason {
	case mpctypes.ErrCancelled, mpctypes.ErrKeyDeleted:
	case mpctypes.ErrIdentityRevoked, mpctypes.ErrTooFewSigners:
		k.FailedReshares = max(k.FailedReshares, 1)
	default:
		k.FailedReshares = min(k.FailedReshares, MaxPauseDoublings) + 1
	}
	k.noteAble(able)
	k.AutoReshareHeight = max(k.AutoReshareHeight, height+pause)
	k.UrgentHeight = max(k.UrgentHeight, height+int64(pauseBlocks))
	k.Absentees = slices.DeleteFunc(k.Absentees, func(a Absentee) bool { return a.UntilHeight <= height })
	until := height + min(AbsenteePauses*pause, MaxLengthBlocks)
	for i, a := range k.Absentees {
		if reason == mpctypes.ErrExpired && a.Accused && slices.Contains(r.Participants, a.Operator) {
			k.Absentees[i].UntilHeight = max(a.UntilHeight, until)
		}
	}
	for _, a := range absent {
		a.UntilHeight = until
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

// Heed adds one who did not come to a reshare of another key, if more than t say so and it
// is no participant: those go by what is said of them here.
func (k *Key) Heed(a Absentee, height int64) {
	_, participates := slices.BinarySearch(k.Participants, a.Operator)
	own, _ := k.Absentee(a.Operator, height)
	if participates || own.Accused || height >= a.UntilHeight || a.Words <= k.Threshold {
		return
	}
	i, known := slices.BinarySearchFunc(k.Absentees, a.Operator, byOperator)
	if known {
		k.Absentees[i] = a
		return
	}
	k.Absentees = slices.Insert(k.Absentees, i, a)
}

// Joined is what two reshares found out of an operator, at a height: the word of the more
// of them, for as long as those said it, or of as many for the longer.
func (a Absentee) Joined(other Absentee, height int64) Absentee {
	if other.UntilHeight > height && cmp.Or(cmp.Compare(other.Words, a.Words), cmp.Compare(other.UntilHeight, a.UntilHeight)) > 0 {
		return other
	}
	return a
}

// Shift moves its end in time. What is over stays above 0.
func (a *Absentee) Shift(blocks int64) { a.UntilHeight = max(a.UntilHeight+blocks, 1) }

// validate checks one of a genesis file.
func (a Absentee) validate() error {
	switch {
	case a.Operator == "" || a.UntilHeight < 1:
		return fmt.Errorf("absentee %q until height %d", a.Operator, a.UntilHeight)
	case a.Words > mpctypes.MaxMembers || a.Words > 0 && !a.Accused:
		return fmt.Errorf("absentee %s: %d words, accused: %t", a.Operator, a.Words, a.Accused)
	}
	return nil
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
	for _, height := range []*int64{&k.AutoReshareHeight, &k.EndangeredHeight, &k.ReturnHeight, &k.UrgentHeight} {
		if *height != 0 {
			*height = max(*height+blocks, 1)
		}
	}
	k.Absentees, k.Repairs = slices.Clone(k.Absentees), slices.Clone(k.Repairs) // an import leaves the file as it is
	for i := range k.Absentees {
		k.Absentees[i].Shift(blocks)
	}
	for i := range k.Repairs {
		k.Repairs[i].UntilHeight = max(k.Repairs[i].UntilHeight+blocks, 1)
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
		if err := a.validate(); err != nil {
			return fmt.Errorf("key %s: %w", k.Id, err)
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

// memoryEnd is the last height up to which the module remembers an absentee or a repair.
func (k Key) memoryEnd() int64 {
	end := int64(0)
	for _, a := range k.Absentees {
		end = max(end, a.UntilHeight)
	}
	for _, r := range k.Repairs {
		end = max(end, r.UntilHeight)
	}
	return end
}
