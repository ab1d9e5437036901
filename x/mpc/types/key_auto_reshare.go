package types

import (
	"fmt"
	"slices"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	// MaxPauseDoublings bounds how often the pause after a failed reshare doubles: to 64
	// times auto_reshare_pause_blocks, 10 hours of blocks of a second by default.
	MaxPauseDoublings = 6
	// NewcomerPauses is for how many of these pauses the module takes those last who were
	// to come in by it: the next tries fall into that, also when slots are rare.
	NewcomerPauses = 8
	// MaxLateness is the highest Lateness.
	MaxLateness = 2
)

// MayAutoReshare reports whether the module may ask for a reshare by itself.
func (k Key) MayAutoReshare(height int64) bool {
	return k.Status == KEY_STATUS_READY && k.ReshareId == "" && height >= k.AutoReshareHeight
}

// PauseAutoReshare keeps the module from asking for a reshare by itself before a height.
func (k *Key) PauseAutoReshare(until int64) { k.AutoReshareHeight = max(k.AutoReshareHeight, until) }

// FailAutoReshare pauses after a reshare that failed at a height, whoever asked for it:
// twice as long as after the one before it in this epoch. Where it expired before all had
// a share, somebody of its committee was not there; that it is who came in by it is
// likely, as those who hold the key were there when they got it, the more so of whom
// they accuse.
func (k *Key) FailAutoReshare(r Reshare, height int64, pauseBlocks uint32, accused map[string]bool) {
	pause := min(int64(pauseBlocks)<<min(k.FailedReshares, MaxPauseDoublings), MaxLengthBlocks)
	k.FailedReshares = min(k.FailedReshares, MaxPauseDoublings) + 1
	k.PauseAutoReshare(height + pause)
	k.FailedNewcomers = slices.DeleteFunc(k.FailedNewcomers, func(n Newcomer) bool { return n.UntilHeight <= height })
	if !r.LacksMember() {
		return
	}
	until := height + min(NewcomerPauses*pause, MaxLengthBlocks)
	for _, operator := range r.Newcomers() {
		k.noteNewcomer(Newcomer{operator, until, accused[operator]})
	}
}

// LacksMember reports whether it expired before all of its committee had a share.
func (r Reshare) LacksMember() bool {
	return r.Reason == string(mpctypes.ErrExpired) && len(r.Session) == 0
}

// Newcomers are those of its committee who are not of the one before.
func (r Reshare) Newcomers() []string {
	return slices.DeleteFunc(slices.Clone(r.Participants), func(operator string) bool {
		_, held := slices.BinarySearch(r.OldParticipants, operator)
		return held
	})
}

// noteNewcomer adds one, or what was found out of it last. Of more than a committee has those
// go that have the least time left.
func (k *Key) noteNewcomer(n Newcomer) {
	i, known := slices.BinarySearchFunc(k.FailedNewcomers, n.Operator, byOperator)
	if known {
		k.FailedNewcomers[i] = n
		return
	}
	k.FailedNewcomers = slices.Insert(k.FailedNewcomers, i, n)
	if len(k.FailedNewcomers) > mpctypes.MaxMembers {
		first := 0
		for i, n := range k.FailedNewcomers {
			if n.UntilHeight < k.FailedNewcomers[first].UntilHeight {
				first = i
			}
		}
		k.FailedNewcomers = slices.Delete(k.FailedNewcomers, first, first+1)
	}
}

func byOperator(n Newcomer, operator string) int { return strings.Compare(n.Operator, operator) }

// Lateness is how late the module takes an operator for this key: 0 is as its power says,
// 1 after those, who was to come in by a reshare that expired, 2 who was accused besides.
func (k Key) Lateness(operator string, height int64) int {
	i, known := slices.BinarySearchFunc(k.FailedNewcomers, operator, byOperator)
	switch {
	case !known || height >= k.FailedNewcomers[i].UntilHeight:
		return 0
	case k.FailedNewcomers[i].Accused:
		return MaxLateness
	}
	return 1
}

// shiftAutoReshare moves what the module remembers in time. What is over stays above 0.
func (k *Key) shiftAutoReshare(blocks int64) {
	if k.AutoReshareHeight != 0 {
		k.AutoReshareHeight = max(k.AutoReshareHeight+blocks, 1)
	}
	for i := range k.FailedNewcomers {
		k.FailedNewcomers[i].UntilHeight = max(k.FailedNewcomers[i].UntilHeight+blocks, 1)
	}
}

// validateNewcomers checks who is taken last.
func (k Key) validateNewcomers() error {
	if len(k.FailedNewcomers) > mpctypes.MaxMembers || len(k.FailedNewcomers) > 0 && k.FailedReshares == 0 {
		return fmt.Errorf("key %s: %d failed_newcomers of %d failed_reshares", k.Id, len(k.FailedNewcomers), k.FailedReshares)
	}
	if k.FailedReshares > MaxPauseDoublings+1 {
		return fmt.Errorf("key %s: failed_reshares counts to %d, not %d", k.Id, MaxPauseDoublings+1, k.FailedReshares)
	}
	for _, n := range k.FailedNewcomers {
		if n.Operator == "" || n.UntilHeight < 1 {
			return fmt.Errorf("key %s: newcomer %q until height %d", k.Id, n.Operator, n.UntilHeight)
		}
	}
	if !ascending(k.FailedNewcomerOperators()) {
		return fmt.Errorf("key %s: failed_newcomers must ascend", k.Id)
	}
	return nil
}

// FailedNewcomerOperators lists them.
func (k Key) FailedNewcomerOperators() []string {
	operators := make([]string, len(k.FailedNewcomers))
	for i, n := range k.FailedNewcomers {
		operators[i] = n.Operator
	}
	return operators
}

// newcomersEnd is the last height of any.
func (k Key) newcomersEnd() int64 {
	end := int64(0)
	for _, n := range k.FailedNewcomers {
		end = max(end, n.UntilHeight)
	}
	return end
}
