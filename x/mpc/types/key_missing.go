package types

import (
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// AwaitsMissing says whether an operator may say that it has no share of the key's
// present epoch, which the session made: it should have one, and has not said so yet. Who
// took it back says so again with attempt 1: the first word is known to everybody, who could
// bring it once more.
func (k Key) AwaitsMissing(operator string, session mpctypes.Context, attempt uint32) error {
	if err := k.signsWith(operator, session); err != nil {
		return err
	}
	if _, ok := slices.BinarySearch(k.MissingShares, operator); ok {
		return ErrAlreadyDecided.Wrapf("%s said before that it has no share of key %s", operator, k.Id)
	}
	want := uint32(0)
	if _, ok := slices.BinarySearch(k.FoundShares, operator); ok {
		want = 1
	}
	if attempt != want {
		return ErrAlreadyDecided.Wrapf("%s says for the time %d that it has no share of key %s, the chain waits for %d", operator, attempt, k.Id, want)
	}
	return nil
}

// AwaitsFound says whether an operator may take that back, as it may once in each epoch.
func (k Key) AwaitsFound(operator string, session mpctypes.Context) error {
	if err := k.signsWith(operator, session); err != nil {
		return err
	}
	if _, ok := slices.BinarySearch(k.MissingShares, operator); !ok {
		return ErrAlreadyDecided.Wrapf("nobody has it that %s has no share of key %s", operator, k.Id)
	}
	if _, ok := slices.BinarySearch(k.FoundShares, operator); ok {
		return ErrAlreadyDecided.Wrapf("%s took back before that it has no share of key %s", operator, k.Id)
	}
	return nil
}

// signsWith: the key signs with shares of the session, one of them of this operator.
func (k Key) signsWith(operator string, session mpctypes.Context) error {
	if k.Status != KEY_STATUS_READY {
		return ErrUnknownRequest.Wrapf("key %s is %s, nobody needs a share of it", k.Id, k.Status)
	}
	if string(session[:]) != string(k.Session) {
		return ErrAlreadyDecided.Wrapf("key %s has other shares by now", k.Id)
	}
	if _, ok := slices.BinarySearch(k.Participants, operator); !ok {
		return ErrUnknownParticipant.Wrapf("%s is no participant of key %s", operator, k.Id)
	}
	return nil
}

// Find records that a participant has its share after all. It may do so once in each epoch:
// one that takes it back and says it again could fill bundles.
func (k *Key) Find(operator string) {
	k.MissingShares = slices.DeleteFunc(k.MissingShares, func(o string) bool { return o == operator })
	k.FoundShares = insertSorted(k.FoundShares, operator)
}

// SharesLeft is how many participants have not said that their share is missing.
func (k Key) SharesLeft() int { return len(k.Participants) - len(k.MissingShares) }

// HasShare says whether an operator has a share of the present epoch: it participates, and
// has not said that it has none.
func (k Key) HasShare(operator string) bool {
	_, participates := slices.BinarySearch(k.Participants, operator)
	_, missing := slices.BinarySearch(k.MissingShares, operator)
	return participates && !missing
}

// SharesOf counts those of these who have a share of the present epoch.
func (k Key) SharesOf(operators []string) int {
	return mpctypes.CountSigners(k.Participants, k.MissingShares, func(operator string) bool { return slices.Contains(operators, operator) })
}

// EnoughShares says whether, by what participants said, t+1 of these have a share of the
// present epoch. It is for who wants to know what will come of a request; who asks may ask
// all the same, since a database may be put back any time.
func (k Key) EnoughShares(operators []string) error {
	if left := k.SharesOf(operators); left <= int(k.Threshold) {
		return ErrTooFewSigners.Wrapf("key %s needs the shares of %d participants, %d of those who have an identity did not say that theirs is missing",
			k.Id, k.Threshold+1, left)
	}
	return nil
}

// validateMissing checks who misses a share.
func (k Key) validateMissing() error {
	if !ascending(k.MissingShares) || !ascending(k.FoundShares) {
		return fmt.Errorf("key %s: missing_shares and found_shares must ascend", k.Id)
	}
	for _, operator := range slices.Concat(k.MissingShares, k.FoundShares) {
		if _, ok := slices.BinarySearch(k.Participants, operator); !ok || len(k.PublicKey) == 0 {
			return fmt.Errorf("key %s: %s cannot miss or find a share", k.Id, operator)
		}
	}
	return nil
}
